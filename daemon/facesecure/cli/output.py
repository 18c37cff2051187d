"""Prints results on stdout, and everything else on stderr.

With ``--json``, stdout carries exactly one JSON document. Colours and control codes go to terminals only, and NO_COLOR
is honoured (both by rich). Names and paths are printed literally, never interpreted as markup; control characters in
them are escaped.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from facesecure.util.paths import readable
from facesecure.util.plain_text import escaped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


_FILE_WIDTH = 4000
"""Columns of a table that is written to a file or pipe, so that each row stays on one line."""

_GAP = 2
"""Columns of the terminal behind each column of a table; rich reserves them behind the last one too."""


def out() -> Console:
    """Return the console for results."""
    return _console(sys.stdout)


def err() -> Console:
    """Return the console for everything that is not the result."""
    return _console(sys.stderr)


def _console(file: IO[str]) -> Console:
    from rich.console import Console

    width = None if file.isatty() else _FILE_WIDTH
    return Console(file=file, markup=False, highlight=False, emoji=False, width=width, soft_wrap=False)


def say(text: str) -> None:
    """Print a line of the result."""
    sys.stdout.write(escaped(text) + "\n")


def note(text: str) -> None:
    """Print a line for the person at the terminal that is not part of the result."""
    sys.stderr.write(escaped(text) + "\n")


def emit_json(document: Any) -> None:
    """Print ``document`` as the one JSON document: indented on a terminal, on one line in a pipe or file."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(plain(document), indent=indent, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """Return ``value`` in JSON's own types: times in ISO 8601, floats rounded to 6 decimals, NaN as null.

    The bytes of a file name that are not UTF-8 are escaped.
    """
    match value:
        case Enum():
            return value.value
        case float():
            return round(value, 6) if math.isfinite(value) else None
        case datetime():
            return value.isoformat()
        case Path() | str():
            return readable(str(value))
        case dict():
            return {readable(str(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value))
    return value.item() if hasattr(value, "item") else value


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print a table on stdout; the columns named in ``right`` are aligned right."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="" if "NO_COLOR" in os.environ else "bold")
    console = out()
    cells = [[cell if isinstance(cell, Text) else Text(_cell(cell)) for cell in row] for row in rows]
    texts = [[column, *(row[at].plain for row in cells)] for at, column in enumerate(columns)]
    for column, width in zip(columns, _widths(texts, console.width), strict=True):
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold", width=width)
    for row in cells:
        shown.add_row(*row)
    if console.is_terminal:
        console.print(shown)
        return
    with console.capture() as captured:
        console.print(shown)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _widths(columns: Sequence[Sequence[str]], available: int) -> list[int]:
    """Return the widths at which ``columns`` of texts fit, with the widest reduced until they do.

    A column is reduced to its longest word, and further only once all are: an id may be cut, no name. rich's own widths
    are too large together where a column has a least width, and what is beyond the edge is lost.
    """
    room = available - _GAP * len(columns)
    widths = [_longest(line for text in texts for line in text.splitlines()) for texts in columns]
    words = [_longest(word for text in texts for word in text.split()) for texts in columns]
    while sum(widths) > room and max(widths) > 1:
        above = [at for at, width in enumerate(widths) if width > words[at]] or range(len(widths))
        widths[max(above, key=widths.__getitem__)] -= 1
    return widths


def _longest(texts: Iterable[str]) -> int:
    """Return the width of the longest of ``texts``: Chinese characters and emoji take two columns."""
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return local(value)
    return escaped(" ".join(str(value).splitlines()))


def local(time: datetime) -> str:
    """Format ``time`` in the machine's time zone, to the second."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def coloured(text: str, style: str) -> Any:
    """Return ``text`` that is printed in ``style`` on a terminal."""
    from rich.text import Text

    return Text(text, style=style)


class ProgressBar(AbstractContextManager["ProgressBar"]):
    """A progress bar on stderr; shows nothing if stderr is not a terminal, or with ``quiet``.

    Example::

        with output.progress(quiet=json) as progress:
            progress("reading photos", 3, 12)
    """

    def __init__(self, *, quiet: bool = False) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = err()
        text = TextColumn("{task.description}", markup=False)
        columns = text, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        disable = quiet or not console.is_terminal
        self._bar = Progress(*columns, console=console, transient=True, disable=disable)
        self._task: TaskID | None = None

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` steps of ``what`` are complete."""
        if self._task is None:
            self._task = self._bar.add_task(what, total=total)
        self._bar.update(self._task, description=what, completed=done, total=total)


def progress(*, quiet: bool = False) -> ProgressBar:
    """Return a progress bar, to be used in a ``with`` block."""
    return ProgressBar(quiet=quiet)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]


def examples(*lines: str) -> str:
    r"""Return an epilog of example command lines. ``\b`` on a line of its own keeps the paragraph's line breaks."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def group(help: str, *lines: str, **settings: Any) -> typer.Typer:
    """Return a group of commands whose help is plain text, the same on a terminal and in a pipe."""
    return typer.Typer(
        help=help,
        epilog=examples(*lines),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
        **settings,
    )
