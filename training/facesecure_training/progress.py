"""How far a long piece of work has come, on stderr, so that stdout stays a program's to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")


def steps(things: Sequence[T], what: str) -> Iterable[T]:
    """``things`` one by one, under a bar that goes away at the end."""
    return track(things, what, console=Console(stderr=True), transient=True)
