"""What has changed since a door last did its duties: so that it does only those that this concerns.

The hub counts for each door the changes that others have made (``changed``), and of some tables all changes, its own
included. Where the two grew by the same number, and this door has written nothing, nothing but those tables has
changed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the hub found: the changes by others, all changes by table, and where those are counted.

    ``place`` is another number after the tables were made anew, as when a backup was put back.
    """

    changed: int
    counts: Mapping[str, int]
    place: int = 0

    def follows(self, before: Look) -> bool:
        """Return whether the hub is the one of ``before``, and not an older one that was put back since."""
        fell = any(count < before.counts.get(table, 0) for table, count in self.counts.items())
        return self.place == before.place and self.changed >= before.changed and not fell

    def since(self, before: Look) -> frozenset[str] | None:
        """Return the tables that have changed since ``before``; None if it may be anything."""
        grown = {table: count - before.counts.get(table, 0) for table, count in self.counts.items()}
        if sum(grown.values()) != self.changed - before.changed or min(grown.values(), default=0) < 0:
            return None
        return frozenset(table for table, more in grown.items() if more)


class News:
    """The tables of the hub and the topics of this door of which something has changed. Thread-safe.

    Example::

        news = News()
        news.tell("visits")
        news.take()  # frozenset({"visits"})
    """

    def __init__(self) -> None:
        """Begin with everything, as of what came before nothing is known."""
        self._lock = threading.Lock()
        self._about: set[str] | None = None
        self._look: Look | None = None

    def tell(self, *about: str) -> None:
        """Note that something of ``about`` has changed; without them, that anything may have."""
        with self._lock:
            self._add(frozenset(about) or None)

    def look(self, found: Look | None, *, wrote: bool = False) -> None:
        """Note what a look at the hub found; None if it does not tell what has changed.

        ``wrote``: whether this door has written since the look before, so that the counts may agree by chance.
        """
        with self._lock:
            before, self._look = self._look, found
            if found is None or before is None:
                self._add(None)
            elif found.changed != before.changed:
                self._add(None if wrote else found.since(before))

    def take(self) -> frozenset[str] | None:
        """Return what has changed since the last time, None if it may be anything; from now on nothing has."""
        with self._lock:
            found, self._about = self._about, set()
        return None if found is None else frozenset(found)

    def _add(self, about: frozenset[str] | None) -> None:
        if about is None:
            self._about = None
        elif self._about is not None:
            self._about |= about
