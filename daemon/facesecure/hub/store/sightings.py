"""Sightings of the household's doors, kept for two weeks, and which door notifies about a stranger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import NewSighting, Notice, Sighting
from facesecure.hub.store.member import BATCH, Member

MINUTE = timedelta(minutes=1)


class Turn:
    """One door's turn to decide about a sighting. ``now`` is the hub's time.

    ``recent`` are the household's sightings since ``within``, newest first, this door's own too; ``notices`` the claims
    on them, by sighting.

    Example::

        with store.sightings.turn() as turn:
            told = any(same(other) and turn.notices[other.identifier].holds(turn.now) for other in turn.recent if ...)
            turn.add(sighting)
            if not told:
                turn.claim(sighting.identifier)
    """

    now: datetime
    recent: tuple[Sighting, ...]
    notices: Mapping[str, Notice]

    def add(self, sighting: NewSighting) -> None:
        """Hand in the sighting, when the turn ends."""
        raise NotImplementedError

    def claim(self, sighting: str, lasting: timedelta = timedelta(seconds=30)) -> None:
        """Promise to notify about this door's ``sighting``; the others may after ``lasting`` without a confirmation."""
        raise NotImplementedError


class Sightings:
    """Sightings of the household's doors, kept for two weeks, and which door notifies about a stranger."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def add(self, sightings: Sequence[NewSighting]) -> None:
        """Hand in sightings of this door; those that are there already are left as they are."""
        raise NotImplementedError

    def after(self, cursor: int, limit: int = BATCH) -> tuple[Sighting, ...]:
        """Return the household's sightings that came, or got a crop, after ``cursor``, oldest change first."""
        raise NotImplementedError

    @contextmanager
    def turn(self, within: timedelta = MINUTE, timeout: float = 1.0) -> Iterator[Turn]:
        """Decide whether to notify, while no other door of the household does: all or nothing, in one transaction.

        Every wait ends after ``timeout`` seconds with HubError: then notify.
        """
        raise NotImplementedError

    def confirm(self, sighting: str) -> bool:
        """Say that the notification claimed for this sighting was delivered. Return False if the claim is gone."""
        raise NotImplementedError

    def release(self, sighting: str) -> None:
        """Give up a claim that was not delivered, so that another door may notify at once."""
        raise NotImplementedError

    def notice(self, sighting: str) -> Notice | None:
        """Return the claim on a sighting of the household."""
        raise NotImplementedError

    def expire(self) -> int:
        """Remove what is older than the hub keeps, of the whole estate; any door may ask.

        Return how many sightings went.
        """
        raise NotImplementedError
