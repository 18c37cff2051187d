"""Takes the site's table of contents from the lists of links in ``index.md``: one caption a heading.

The page stays plain Markdown, which a code host shows as it is. A page that ``index.md`` does not link to is a warning.
"""

import re
from typing import Any

from sphinx.application import Sphinx

_HEADING = re.compile(r"^## (.+)$")
_LINK = re.compile(r"^ *- \[[^]]+\]\(([\w-]+)\.md\)")


def add_contents(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Append hidden toctrees to the index's source."""
    if docname == "index":
        source[0] += "".join(map(_toctree, _sections(source[0])))


def _sections(text: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            found.append((heading[1], []))
        elif found and (link := _LINK.match(line)):
            found[-1][1].append(link[1])
    return [(caption, pages) for caption, pages in found if pages]


def _toctree(section: tuple[str, list[str]]) -> str:
    caption, pages = section
    return "\n".join(("", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hook."""
    app.connect("source-read", add_contents)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
