"""Groups of items that are worth sending to another process: as many as take about half a second."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Generic

from facesecure.services.bulk.pool import Item

_SECONDS = 0.5
"""What a group should take: handing one out costs some milliseconds, and what is lost with a process is done again."""


class Groups(Generic[Item]):
    """Takes items in groups that grow up to ``most`` while they are done quickly, and shrink while they are not.

    Example::

        groups = Groups(photos, most=64)
        first = groups.take()
        groups.took(0.02, len(first))
    """

    def __init__(self, items: Iterable[Item], most: int) -> None:
        """Begin with single items: nobody knows yet how long one takes."""
        self._items, self._most, self._size = iter(items), most, 1

    def take(self) -> list[Item]:
        """Return the next group, empty at the end."""
        return list(islice(self._items, self._size))

    def took(self, seconds: float, count: int) -> None:
        """Learn that a group of ``count`` items took ``seconds``. A quick small one tells nothing."""
        if seconds > 2 * _SECONDS:
            self._size = max(1, min(self._size, count // 2))
        elif seconds < _SECONDS / 2 and 2 * count > self._size:
            self._size = min(2 * count, self._most)
