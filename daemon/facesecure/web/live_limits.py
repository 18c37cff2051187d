"""How many live pictures are shown at once: each is worth a stream of data and a call that waits in the daemon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class TooMany(Exception):
    """No more can be shown at once."""


class Places:
    """Places for ``most`` at once, of which one person, or one address, has ``most_of_one`` at most.

    For one event loop. Example::

        with places.taken_by(token):
            ...
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        """Begin with all places free."""
        self._most, self._most_of_one = most, most_of_one
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Return how many places are taken."""
        return self._taken.total()

    def has_one_for(self, whom: str) -> bool:
        """Return whether ``whom`` may take a place now."""
        return self.taken < self._most and self._taken[whom] < self._most_of_one

    @contextmanager
    def taken_by(self, whom: str) -> Iterator[None]:
        """Hold a place for ``whom`` while the block runs. Raises TooMany."""
        if not self.has_one_for(whom):
            raise TooMany
        self._taken[whom] += 1
        try:
            yield
        finally:
            self._taken[whom] -= 1
            self._taken += Counter()  # forgets who has none
