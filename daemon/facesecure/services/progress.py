"""How a use case reports how far it has come, whichever front end shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives each step of a long task.

    Example::

        def show(what: str, done: int, total: int) -> None:
            print(f"{what}: {done} of {total}")
    """

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` steps of ``what`` are complete."""


def ignore_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""
