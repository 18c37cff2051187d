"""What does bulk work: the interface, and the pool that is this process alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[T, Item], Result]
"""A function of a module, called with what is the same for all items, and an item: plain values that can be pickled."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Result]):
    """What became of ``item``: its ``result``, or why there is none (``lost``: processes died of it)."""

    item: Item
    result: Result | None
    lost: str | None = None


class Pool(AbstractContextManager["Pool"], Protocol):
    """Does work on many items. Entering it starts the processes, leaving it ends them.

    Example::

        with Workforce(workers=4).pool() as pool:
            for outcome in pool.map(embedded, task, photos, chunk=16):
                keep(outcome.item, outcome.result)
    """

    @property
    def described(self) -> str:
        """Who works, in words, with the address of the dashboard; empty for this process alone."""

    def map(
        self, work: Work[T, Item, Result], task: T, items: Iterable[Item], chunk: int = 1
    ) -> Iterator[Outcome[Item, Result]]:
        """Yield the outcome of ``work(task, item)`` for each item, in the order in which they are finished.

        Items are taken from the iterable as they are needed, and sent in groups of up to ``chunk``: of as many as take
        about half a second. An exception that ``work`` raises ends it. Raises FacesecureError if the cluster is lost.
        """


class ThisProcess:
    """The pool that is this process: one item after the other.

    Example::

        [outcome.result for outcome in ThisProcess().map(len_of, None, ["a", "bc"])]
    """

    described = ""

    def map(
        self,
        work: Work[T, Item, Result],
        task: T,
        items: Iterable[Item],
        chunk: int = 1,  # noqa: ARG002 - nothing is sent
    ) -> Iterator[Outcome[Item, Result]]:
        """Yield the outcome of each item, in their order."""
        for item in items:
            yield Outcome(item, work(task, item))

    def __enter__(self) -> Self:
        """Return this pool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""


def each(work: Work[T, Item, Result], task: T, items: Sequence[Item]) -> list[Result]:
    """Return the result for each of a group of ``items``: what a worker of a cluster calls."""
    return [work(task, item) for item in items]


def version() -> dict[str, Any]:
    """Return what must be the same on every machine for equal results: the versions of what computes."""
    import cv2
    import numpy as np

    from facesecure import __version__

    return {"facesecure": __version__, "opencv": cv2.__version__, "numpy": np.__version__}
