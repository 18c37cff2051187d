"""One HTML file that contains a whole report, images included, and needs no network."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facesecure.domain.errors import UsageError
from facesecure.util.files import replace_file
from facesecure.util.paths import readable
from facesecure.util.plain_text import escaped

_STYLE = """
:root { --ink: #263238; --faint: #607d8b; --line: #cfd8dc; --good: #2e7d32; --paper: #ffffff; --back: #f5f7f8; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
.lead { color: var(--faint); margin: 0 0 1.5rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: .75rem; }
.figure { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; }
.figure b { display: block; font-size: 1.5rem; color: var(--good); }
.figure small { color: var(--faint); display: block; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 1rem; }
figure { margin: 0; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .75rem; }
figure.wide { grid-column: 1 / -1; }
img { width: 100%; height: auto; display: block; }
figcaption { color: var(--faint); font-size: .875rem; padding-top: .5rem; }
table { border-collapse: collapse; width: 100%; background: var(--paper); }
th, td { text-align: left; padding: .4rem .75rem; border-bottom: 1px solid var(--line); }
td { font-variant-numeric: tabular-nums; }
th { color: var(--faint); font-weight: 600; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .75rem; overflow-x: auto; }
@media (max-width: 520px) { .charts { grid-template-columns: 1fr; } }
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """A PNG with its file name and a caption; ``wide`` takes a row of its own."""

    name: str
    content: bytes
    caption: str
    wide: bool = False


@dataclass(slots=True)
class Page:
    """A report: ``figures`` are (value, description, interval or note); ``tables`` are (title, heads, rows)."""

    title: str
    lead: str
    command: str
    figures: list[tuple[str, str, str]] = field(default_factory=list)
    tables: list[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = field(default_factory=list)
    pictures: list[Figure] = field(default_factory=list)

    def html(self) -> str:
        """Return the HTML document."""
        figures = "".join(
            f'<div class="figure"><b>{_safe(value)}</b>{_safe(what)}<small>{_safe(note)}</small></div>'
            for value, what, note in self.figures
        )
        pictures = "".join(map(_figure, self.pictures))
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_safe(self.title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
            f'<main><h1>{_safe(self.title)}</h1><p class="lead">{_safe(self.lead)}</p>'
            f'<div class="figures">{figures}</div>{"".join(_table(*one) for one in self.tables)}'
            f'<h2>Curves</h2><div class="charts">{pictures}</div>'
            f"<h2>Made by</h2><pre>{_safe(self.command)}</pre></main></body></html>\n"
        )


def write(folder: Path, name: str, page: Page, document: Mapping[str, Any]) -> Path:
    """Write NAME.html, NAME.json and the charts as PNG to ``folder``, and return the page's path. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in page.pictures:
            replace_file(folder / f"{name}-{one.name}.png", one.content)
        replace_file(folder / f"{name}.json", (json.dumps(document, indent=2) + "\n").encode())
        replace_file(folder / f"{name}.html", readable(page.html()).encode())
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}", "choose a folder that can be written"
        ) from error
    return folder / f"{name}.html"


def _figure(one: Figure) -> str:
    content = base64.b64encode(one.content).decode()
    kind = ' class="wide"' if one.wide else ""
    caption = _safe(one.caption)
    image = f'<img alt="{caption}" src="data:image/png;base64,{content}">'
    return f"<figure{kind}>{image}<figcaption>{caption}</figcaption></figure>"


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{_safe(one)}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{_safe(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _safe(text: str) -> str:
    return html.escape(escaped(text))
