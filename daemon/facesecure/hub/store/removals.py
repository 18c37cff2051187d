"""Orders to wipe a person, until each door has confirmed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, or_, select, update

from facesecure.hub.rows import Removal
from facesecure.hub.store.member import BATCH, Batch, Part, now_of, unless_unchanged
from facesecure.hub.tables import doors, estate, removals


class Removals(Part):
    """Orders to wipe a person, until each door has confirmed."""

    @unless_unchanged("removals", "person_keys")
    def mine(self) -> tuple[Removal, ...]:
        """Return the orders to this door that it has not confirmed, oldest first."""
        return self._all(self._to_me().where(removals.c.confirmed_at.is_(None)), Removal)

    def mine_confirmed(self) -> tuple[Removal, ...]:
        """Return the orders to this door that it has confirmed, of the last months, oldest first."""
        return self._all(self._to_me().where(removals.c.confirmed_at.is_not(None)), Removal)

    def confirm(self, person: str) -> None:
        """Say that this door has wiped the person; a second time changes nothing."""
        mine = (removals.c.person == person) & (removals.c.door == self._member.door)
        with self._database.begin() as connection:
            confirmed = update(removals).where(mine, removals.c.confirmed_at.is_(None))
            connection.execute(confirmed.values(confirmed_at=now_of(connection)))

    def open(self) -> tuple[Removal, ...]:
        """Return the household's orders, and those that this door gave, that are not confirmed; to the manager all.

        Orders to doors that were shut out meanwhile are left out: those cannot confirm.
        """
        query = self._concerned().join(doors, doors.c.identifier == removals.c.door)
        query = query.where(removals.c.confirmed_at.is_(None), doors.c.removed_at.is_(None))
        return self._all(query.order_by(removals.c.revision), Removal)

    def after(self, cursor: int, limit: int = BATCH) -> Batch[Removal]:
        """Return what ``open`` covers and what was confirmed, as it changed after ``cursor``."""
        query = self._concerned().where(removals.c.revision > cursor)
        return self._batch(query.order_by(removals.c.revision).limit(limit), Removal, cursor)

    def _to_me(self) -> Select[Any]:
        return select(removals).where(removals.c.door == self._member.door).order_by(removals.c.revision)

    def _concerned(self) -> Select[Any]:
        manages = select(estate.c.manager).where(estate.c.manager == self._member.door).exists()
        ours = (removals.c.household == self._member.household) | (removals.c.ordered_by == self._member.door)
        return select(removals).where(or_(ours, manages))
