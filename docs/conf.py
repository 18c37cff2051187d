"""Sphinx configuration: builds ``docs/*.md`` as a site that asks no other host for anything."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
_PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
sys.path.insert(0, str(HERE / "_ext"))

project = "facesecure"
version = release = _PROJECT["version"]
copyright = "the facesecure authors, Apache-2.0"

extensions = ["myst_parser", "contents_from_links", "mermaid_svg", "repository_links"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_*"]
nitpicky = True
smartquotes = False  # messages are quoted as they are printed

myst_enable_extensions = ["attrs_inline"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4

# Where links to files outside docs/ lead; empty: they become plain text.
repository_url = _PROJECT.get("urls", {}).get("Repository", "")

html_theme = "furo"
html_title = "facesecure"
html_copy_source = False
html_show_sphinx = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["facesecure.css"]
html_theme_options = {"navigation_with_keys": True}
