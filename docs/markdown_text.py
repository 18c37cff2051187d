"""Markdown for the reference pages: tables, and prose of which nothing is read as markup by mistake."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence

_BAR = "\\|"
_MARKUP = r"[\\<>*[\]]|(?<!\w)_|_(?!\w)"  # an underscore inside a word is none


def prose(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; one that begins with a backspace keeps its lines and becomes code."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if not paragraph.startswith("\b\n"):
            yield from [f"{escaped(one_line(paragraph))}\n"] if paragraph else []
            continue
        first, _, rest = paragraph.removeprefix("\b\n").partition("\n")
        code, language = (rest, "sh") if first.startswith("Example") else (f"{first}\n{rest}", "text")
        yield f"```{language}\n{inspect.cleandoc(code)}\n```\n"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table with the columns ``head``."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', _BAR) for cell in line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """Return ``text`` with what Markdown would read as markup escaped; code in backquotes stays."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(_MARKUP, r"\\\g<0>", part) for part in parts)


def one_line(text: str) -> str:
    """Return ``text`` without line breaks and repeated spaces."""
    return " ".join(text.split())
