"""How many tries to sign in failed lately, in the database, so that a restart lets nobody try anew.

What is counted, an address or the name of an account, is stored as a keyed hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from facesecure.storage import seals
from facesecure.storage.account_tables import AttemptRow
from facesecure.storage.accounts import WRITE_TIMEOUT
from facesecure.storage.columns import NEVER
from facesecure.storage.database import Database
from facesecure.storage.encryption import cipher_of

MOST_ROWS = 5000
"""More are not kept: an attacker with many addresses must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Level:
    """How high failed tries had piled up ``at`` a time."""

    height: float = 0.0
    at: datetime = NEVER


Change = Callable[[Mapping[str, Level]], Mapping[str, Level]]


class SignInAttempts:
    """The levels of addresses and accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, counted: Sequence[str], change: Change) -> None:
        """Replace the levels of ``counted`` by what ``change`` returns for them, in one transaction."""
        with self._database.write(WRITE_TIMEOUT) as session:
            keys = {one: seals.seal(cipher_of(session), "attempt", one) for one in counted}
            rows = {one: session.get(AttemptRow, key) for one, key in keys.items()}
            before = {one: Level(row.level or 0.0, row.at) if row else Level() for one, row in rows.items()}
            for one, level in change(before).items():
                session.merge(AttemptRow(what=keys[one], level=level.height, at=level.at))
            _prune(session)

    def prune(self, before: datetime) -> None:
        """Forget failures from before that time."""
        with self._database.write(WRITE_TIMEOUT) as session:
            session.execute(delete(AttemptRow).where(AttemptRow.at < before))


def _prune(session: Session) -> None:
    if (session.scalar(select(func.count()).select_from(AttemptRow)) or 0) > MOST_ROWS:
        oldest = select(AttemptRow.what).order_by(AttemptRow.at).limit(MOST_ROWS // 10)
        session.execute(delete(AttemptRow).where(AttemptRow.what.in_(oldest)))
