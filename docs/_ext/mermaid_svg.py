"""Draws ```` ```mermaid ```` fences as SVG while the site is built: a reader's browser loads no script for them.

A diagram that Mermaid cannot parse is a warning, which fails a strict build.
"""

import re
from typing import Any, ClassVar

import mermaidx
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Mermaid(SphinxDirective):
    """Replace a Mermaid diagram by the SVG that Mermaid draws of it."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Return one raw HTML node, or a warning with Mermaid's complaint."""
        number = self.env.new_serialno("mermaid")
        try:
            svg = mermaidx.render("\n".join(self.content)).svg()
        except RuntimeError as error:
            return [self.state.document.reporter.warning(str(error), line=self.lineno)]
        return [nodes.raw("", f'<div class="mermaid-svg">{_with_own_names(svg, number)}</div>', format="html")]


def _with_own_names(svg: str, number: int) -> str:
    """Return ``svg`` with its identifiers and style rules limited to itself: several share a page."""
    return re.sub(r"\bmy-svg\b", f"diagram-{number}", svg)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("mermaid", Mermaid)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
