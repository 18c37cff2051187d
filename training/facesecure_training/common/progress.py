"""Progress of long work on stderr, so that stdout carries only the result."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn, track

T = TypeVar("T")
_MEMORY = Path("/proc/self/statm")


def with_progress(things: Sequence[T], what: str) -> Iterable[T]:
    """Yield ``things`` one by one under a progress bar that disappears at the end."""
    return track(things, what, console=Console(stderr=True), transient=True)


class ProgressBar:
    """A progress bar with the remaining time, the pace and the memory, and lines of text that stay above it.

    ``images`` is how many images one step stands for; with 0 no pace is shown.

    Example::

        with ProgressBar(100, "training", images=32) as bar:
            bar.reach(10)
            bar.say("first epoch done")
    """

    def __init__(self, total: int, what: str, *, images: int = 0) -> None:
        self._console = Console(stderr=True)
        self._images = images
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        pace = TextColumn("{task.fields[pace]}")
        self._bar = Progress(*columns, pace, console=self._console, transient=True, speed_estimate_period=60)
        self._task = self._bar.add_task(what, total=total, pace="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def reach(self, done: int, what: str | None = None) -> None:
        """Set the number of steps done, and the description if ``what`` is given."""
        self._bar.update(self._task, completed=done, description=what, pace=self.pace())

    def pace(self) -> str:
        """Return images a second, the memory in use and the time that is left, as far as they are known."""
        task = self._bar.tasks[self._task]
        parts = [_speed(task, self._images), _memory(), _left(task)]
        return "  ".join(part for part in parts if part)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def memory_in_use() -> int:
    """Return the bytes of memory that this process holds now; 0 where the system does not tell."""
    try:
        pages = int(_MEMORY.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _speed(task: Task, images: int) -> str:
    return f"{task.speed * images:.3g} images/s" if images and task.speed else ""


def _memory() -> str:
    used = memory_in_use()
    return f"{used / 1e6:.0f} MB" if used else ""


def _left(task: Task) -> str:
    seconds = task.time_remaining
    if not seconds:
        return ""
    return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"
