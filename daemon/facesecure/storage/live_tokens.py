"""Tokens for live pictures, in the database: with one, another program reads the newest picture of some cameras."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from facesecure.domain.accounts import LiveToken
from facesecure.domain.errors import UsageError
from facesecure.storage import account_seals
from facesecure.storage.account_tables import LiveTokenRow
from facesecure.storage.accounts import WRITE_TIMEOUT, mark_changed
from facesecure.storage.database import Database
from facesecure.storage.encryption import cipher_of
from facesecure.storage.seals import new_uid

MOST_TOKENS = 50


class LiveTokens:
    """The tokens that were made, by their SHA-256."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, token_sha256: str, name: str, cameras: Sequence[str], made_by: str, at: datetime) -> LiveToken:
        """Store a token for ``cameras``; none means every camera. Raises UsageError if there are too many."""
        with self._database.write(WRITE_TIMEOUT) as session:
            if len(session.scalars(select(LiveTokenRow.identifier)).all()) >= MOST_TOKENS:
                raise UsageError(f"there are {MOST_TOKENS} tokens already", "revoke one that nobody uses")
            row = LiveTokenRow(
                token_sha256=token_sha256, identifier=new_uid(), name=name, cameras={"names": list(cameras)},
                made_by=made_by, created_at=at, used_at=None, seal="",
            )  # fmt: skip
            account_seals.put_seal(cipher_of(session), row)
            session.add(row)
            mark_changed(session)
            return _record(row)

    def find(self, token_sha256: str) -> LiveToken | None:
        """Return the token, or None."""
        with self._database.read() as session:
            row = session.get(LiveTokenRow, token_sha256)
            genuine = row is not None and account_seals.is_genuine(cipher_of(session), row)
            return _record(row) if row is not None and genuine else None

    def all(self) -> list[LiveToken]:
        """Return every token, oldest first."""
        with self._database.read() as session:
            rows = session.scalars(select(LiveTokenRow).order_by(LiveTokenRow.created_at))
            return [_record(row) for row in rows if account_seals.is_genuine(cipher_of(session), row)]

    def revoke(self, identifier: str) -> LiveToken | None:
        """End a token, and return what it was; None if there is none, or others wrote it: that one is removed too."""
        with self._database.write(WRITE_TIMEOUT) as session:
            row = session.scalar(select(LiveTokenRow).where(LiveTokenRow.identifier == identifier).limit(1))
            genuine = row is not None and account_seals.is_genuine(cipher_of(session), row)
            gone = _record(row) if row is not None and genuine else None
            session.execute(delete(LiveTokenRow).where(LiveTokenRow.identifier == identifier))
            mark_changed(session)
            return gone

    def used(self, token_sha256: str, at: datetime) -> None:
        """Store when a token was last used."""
        with self._database.write(WRITE_TIMEOUT) as session:
            this = LiveTokenRow.token_sha256 == token_sha256
            session.execute(update(LiveTokenRow).where(this).values(used_at=at))


def _record(row: LiveTokenRow) -> LiveToken:
    names: Any = row.cameras.get("names", [])
    cameras = tuple(map(str, names))
    return LiveToken(row.identifier, row.name, cameras, row.made_by, row.created_at, row.used_at)
