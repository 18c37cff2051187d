"""How far a long piece of work has come, on stderr, so that stdout stays a program's to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track

T = TypeVar("T")


def with_progress(things: Sequence[T], what: str) -> Iterable[T]:
    """``things`` one by one, under a bar that goes away at the end."""
    return track(things, what, console=Console(stderr=True), transient=True)


class ProgressBar:
    """How far a training has come and how long the rest will take, with lines of text that stay above it."""

    def __init__(self, total: int, what: str) -> None:
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def reach(self, done: int, what: str | None = None) -> None:
        """So many of the total are done."""
        self._bar.update(self._task, completed=done, description=what)

    def say(self, line: str) -> None:
        """A line that stays."""
        self._console.print(line, highlight=False, markup=False)
