"""Progress of long work on stderr, so that stdout carries only the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track

T = TypeVar("T")


def with_progress(things: Sequence[T], what: str) -> Iterable[T]:
    """Yield ``things`` one by one under a progress bar that disappears at the end."""
    return track(things, what, console=Console(stderr=True), transient=True)


class ProgressBar:
    """A progress bar with the remaining time, and lines of text that stay above it.

    Example::

        with ProgressBar(100, "training") as bar:
            bar.reach(10)
            bar.say("first epoch done")
    """

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
        """Set the number of steps done, and the description if ``what`` is given."""
        self._bar.update(self._task, completed=done, description=what)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._console.print(line, highlight=False, markup=False)
