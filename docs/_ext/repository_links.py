"""Points links that leave ``docs/`` at the repository, and warns of those to files that are not there.

On a code host such a link works as it stands. The site holds only ``docs/``: there it leads to ``repository_url``, and
without one the link's words are shown as plain text.
"""

import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

_log = logging.getLogger(__name__)


def point_at_repository(app: Sphinx, doctree: nodes.document) -> None:
    """Replace references to files outside the documentation."""
    for node in list(doctree.findall(_is_reference)):
        path = _path_in_repository(Path(app.srcdir), app.env.docname, node)
        if path is not None:
            node.replace_self(_link(app.config.repository_url, path, node))


def _is_reference(node: nodes.Node) -> bool:
    return isinstance(node, addnodes.pending_xref | addnodes.download_reference)


def _path_in_repository(srcdir: Path, docname: str, node: nodes.Element) -> str | None:
    """Return the target of a reference out of ``srcdir``, relative to the repository; None if it stays inside."""
    target = srcdir / Path(docname).parent / str(node.get("reftarget", "")).partition("#")[0]
    path = Path(os.path.normpath(target))
    if path.is_relative_to(srcdir) or not path.is_relative_to(srcdir.parent):
        return None
    if node.get("refdomain") == "doc":  # MyST takes the ending off
        path = path.with_name(f"{path.name}.md")
    if not path.exists():
        _log.warning("there is no %s", path, location=node)
    return path.relative_to(srcdir.parent).as_posix()


def _link(url: str, path: str, node: nodes.Element) -> nodes.Element:
    words = node.astext()
    return nodes.reference("", words, refuri=f"{url}/blob/main/{path}") if url else nodes.inline("", words)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hook, before downloads are collected."""
    app.add_config_value("repository_url", "", "html")
    app.connect("doctree-read", point_at_repository, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
