"""What commands print: results on stdout, everything else on stderr.

With ``--json`` stdout carries exactly one JSON document. Colour and control codes go to terminals only, and
NO_COLOR is honoured (both by rich). Names and paths are printed as they are, never read as markup.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


_WIDTH_OF_A_FILE = 4000
"""A table written to a file or pipe has a line for every row, however long."""


def out() -> Console:
    """The console for results."""
    return _console(sys.stdout)


def err() -> Console:
    """The console for everything that is not the result."""
    return _console(sys.stderr)


def _console(file: IO[str]) -> Console:
    from rich.console import Console

    width = None if file.isatty() else _WIDTH_OF_A_FILE
    return Console(file=file, markup=False, highlight=False, emoji=False, width=width, soft_wrap=False)


def say(text: str) -> None:
    """A line of result."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """A line for the person at the terminal, not part of the result."""
    sys.stderr.write(text + "\n")


def emit_json(document: Any) -> None:
    """Print ``document`` as the one JSON document; indented for a person, on one line for a program."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(plain(document), indent=indent, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """``value`` in JSON's own types. Times become ISO 8601, floats are rounded to what they mean, NaN is null."""
    match value:
        case Enum():
            return value.value
        case float():
            return round(value, 6) if math.isfinite(value) else None
        case datetime():
            return value.isoformat()
        case Path():
            return str(value)
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(asdict(value))
    return value.item() if hasattr(value, "item") else value


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print a table on stdout. ``right`` names the columns that are numbers."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="" if "NO_COLOR" in os.environ else "bold")
    for column in columns:
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else Text(_cell(cell)) for cell in row))
    console = out()
    if console.is_terminal:
        console.print(shown)
        return
    with console.capture() as captured:
        console.print(shown)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return local(value)
    return str(value)


def local(time: datetime) -> str:
    """``time`` for a person: in the machine's own time zone, to the second."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def coloured(text: str, style: str) -> Any:
    """``text`` in ``style`` where there is a terminal."""
    from rich.text import Text

    return Text(text, style=style)


def progress(*, quiet: bool = False) -> Progress:
    """A progress bar on stderr; shows nothing where stderr is not a terminal, or with ``quiet``."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = err()
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]


def examples(*lines: str) -> str:
    """An epilog of ``lines``. Backspace on a line of its own tells the parser to leave the paragraph as it is."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def group(help: str, *lines: str, **settings: Any) -> typer.Typer:
    """A group of commands. Plain help, the same on every terminal and in every pipe."""
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
