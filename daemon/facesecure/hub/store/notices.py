"""Which door of a household notifies about a stranger whom several see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, insert, select, text, update

from facesecure.hub.row_values import checked, notice_from, sighting_from
from facesecure.hub.rows import NewSighting, Notice, NoticeState, Sighting
from facesecure.hub.store.doors import time_of
from facesecure.hub.store.member import Member, Part
from facesecure.hub.store.sightings import select_sightings
from facesecure.hub.tables import notices, sightings

MINUTE = timedelta(minutes=1)
CLAIMED_FOR = timedelta(seconds=30)
_MOST_RECENT = 500


@dataclass
class Turn:
    """One door's turn to decide about a sighting. ``now`` is the hub's time.

    ``recent`` are the household's sightings since ``within``, newest first, this door's own too; ``notices`` the claims
    on them, by sighting. What is added and claimed is written when the turn ends.

    Example::

        with store.notices.turn() as turn:
            same = [other for other in turn.recent if is_same(other)]
            turn.add(sighting)
            if not any(turn.is_told(other) for other in same):
                turn.claim(sighting.identifier)
    """

    now: datetime
    recent: tuple[Sighting, ...]
    notices: Mapping[str, Notice]
    added: list[NewSighting] = field(default_factory=list)
    claimed: dict[str, timedelta] = field(default_factory=dict)

    def is_told(self, other: Sighting) -> bool:
        """Return whether somebody was notified about ``other``, or a door has promised to."""
        notice = self.notices.get(other.identifier)
        return notice is not None and notice.holds(self.now)

    def add(self, sighting: NewSighting) -> None:
        """Hand in the sighting."""
        self.added.append(sighting)

    def claim(self, sighting: str, lasting: timedelta = CLAIMED_FOR) -> None:
        """Promise to notify about this door's ``sighting``; the others may after ``lasting`` without a confirmation."""
        self.claimed[sighting] = lasting


class Notices(Part):
    """Which door of a household notifies about a stranger whom several see."""

    @contextmanager
    def turn(self, within: timedelta = MINUTE, timeout: float = 1.0) -> Iterator[Turn]:
        """Decide whether to notify, while no other door of the household does: all or nothing, in one transaction.

        After ``timeout`` seconds, or without a connection, it raises HubError: then notify. What the block raises ends
        the turn, and nothing is written.
        """
        with self._database.begin(timeout, connect=False) as connection:
            now = _take_turn(connection)
            recent = _recent(connection, self._member, now - within)
            turn = Turn(now, recent, _notices_of(connection, recent))
            yield turn
            _write(connection, self._member, turn)

    def confirm(self, sighting: str) -> bool:
        """Say that the notification claimed for this sighting was delivered. Return False if the claim is gone."""
        with self._database.begin() as connection:
            confirmed = update(notices).where(self._mine(sighting)).values(state=NoticeState.CONFIRMED.value)
            return bool(connection.execute(confirmed).rowcount)

    def release(self, sighting: str) -> None:
        """Give up a claim that was not delivered, so that another door may notify at once."""
        with self._database.begin() as connection:
            if self._database.is_postgres:
                connection.execute(text("SELECT release_claim(:wanted)"), {"wanted": sighting})
            else:
                unconfirmed = notices.c.state == NoticeState.CLAIMED.value
                connection.execute(delete(notices).where(self._mine(sighting), unconfirmed))

    def get(self, sighting: str) -> Notice | None:
        """Return the claim on a sighting of the household."""
        return self._first(select(notices).where(notices.c.sighting == sighting), notice_from)

    def _mine(self, sighting: str) -> ColumnElement[bool]:
        return (notices.c.sighting == sighting) & (notices.c.door == self._member.door)


def _take_turn(connection: Connection) -> datetime:
    if connection.dialect.name != "postgresql":  # BEGIN IMMEDIATE has locked the file
        return time_of(connection)
    now: datetime = connection.execute(text("SELECT take_turn()")).scalar_one()
    return now


def _recent(connection: Connection, member: Member, since: datetime) -> tuple[Sighting, ...]:
    query = select_sightings().where(sightings.c.household == member.household, sightings.c.at > since)
    newest = query.order_by(sightings.c.at.desc()).limit(_MOST_RECENT)
    return checked(connection.execute(newest).mappings(), sighting_from)


def _notices_of(connection: Connection, recent: tuple[Sighting, ...]) -> dict[str, Notice]:
    names = [sighting.identifier for sighting in recent]
    found = connection.execute(select(notices).where(notices.c.sighting.in_(names))).mappings() if names else ()
    return {notice.sighting: notice for notice in checked(found, notice_from)}


def _write(connection: Connection, member: Member, turn: Turn) -> None:
    about = {"household": member.household, "author": member.door, "at": turn.now}
    for sighting in turn.added:
        connection.execute(insert(sightings).values(**vars(sighting), **about))
    for claimed, lasting in turn.claimed.items():
        claim = {"door": member.door, "household": member.household, "state": NoticeState.CLAIMED.value}
        times = {"at": turn.now, "until": turn.now + lasting}
        connection.execute(insert(notices).values(sighting=claimed, **claim, **times))
