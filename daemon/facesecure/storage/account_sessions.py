"""The sessions of the page, in the database. One whose account changed or that facesecure did not write is absent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session as DatabaseSession

from facesecure.domain.accounts import Account, Role, Session
from facesecure.storage import account_seals
from facesecure.storage.account_tables import AccountRow, SessionRow
from facesecure.storage.accounts import WRITE_TIMEOUT, mark_changed
from facesecure.storage.database import Database
from facesecure.storage.encryption import FieldCipher, cipher_of
from facesecure.storage.seals import new_uid

MOST_SESSIONS = 30
"""Of one account: signing in once more ends the one that was not used for longest."""


class AccountSessions:
    """Who is signed in. A session is found by the SHA-256 of its token, and shown to people by its ``identifier``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, account: Account, token_sha256: str, at: datetime, device: str, address: str) -> Session | None:
        """Begin a session; None if the account was changed or removed meanwhile."""
        with self._database.write(WRITE_TIMEOUT) as session:
            return begin(session, account, token_sha256, at, device, address)

    def find(self, token_sha256: str) -> Session | None:
        """Return the session of a token, or None."""
        with self._database.read() as session:
            found = session.execute(_query().where(SessionRow.token_sha256 == token_sha256)).one_or_none()
            return _record(cipher_of(session), *found) if found else None

    def all(self) -> list[Session]:
        """Return every session, last used first."""
        with self._database.read() as session:
            cipher = cipher_of(session)
            rows = session.execute(_query().order_by(SessionRow.used_at.desc(), SessionRow.identifier)).all()
            return [one for row, account in rows if (one := _record(cipher, row, account)) is not None]

    def update(
        self,
        token_sha256: str,
        *,
        used_at: datetime,
        confirmed_at: datetime | None = None,
        timeout: float = WRITE_TIMEOUT,
    ) -> None:
        """Store when a session was last used and, if given, when the password was. Raises BusyError, StoreError."""
        with self._database.write(timeout) as session:
            row, cipher = session.get(SessionRow, token_sha256), cipher_of(session)
            if row is None or not account_seals.is_genuine(cipher, row):
                return
            row.used_at, row.confirmed_at = used_at, confirmed_at or row.confirmed_at
            account_seals.put_seal(cipher, row)
            if confirmed_at is not None:
                mark_changed(session)

    def end(self, identifiers: Iterable[str]) -> int:
        """End sessions; return how many there were."""
        with self._database.write(WRITE_TIMEOUT) as session:
            ended = session.execute(delete(SessionRow).where(SessionRow.identifier.in_(list(identifiers))))
            mark_changed(session)
            return int(ended.rowcount)  # type: ignore[attr-defined]

    def end_before(self, used_before: datetime) -> None:
        """End the sessions that were last used before that time."""
        with self._database.write(WRITE_TIMEOUT) as session:
            session.execute(delete(SessionRow).where(SessionRow.used_at < used_before))


def begin(
    session: DatabaseSession, account: Account, token_sha256: str, at: datetime, device: str, address: str
) -> Session | None:
    """Begin a session of ``account``, unless it was changed or removed meanwhile."""
    owner, cipher = session.get(AccountRow, account.uid), cipher_of(session)
    if owner is None or owner.edition != account.edition or not account_seals.is_genuine(cipher, owner):
        return None
    row = SessionRow(
        token_sha256=token_sha256, identifier=new_uid(), account=owner.uid, edition=owner.edition,
        began_at=at, used_at=at, confirmed_at=at, device=device, address=address, seal="",
    )  # fmt: skip
    account_seals.put_seal(cipher, row)
    session.add(row)
    session.flush()
    theirs = select(SessionRow.token_sha256).where(SessionRow.account == owner.uid)
    surplus = list(session.scalars(theirs.order_by(SessionRow.used_at.desc()).offset(MOST_SESSIONS)))
    session.execute(delete(SessionRow).where(SessionRow.token_sha256.in_(surplus)))
    mark_changed(session)
    return _record(cipher, row, owner)


def _query() -> Select[SessionRow, AccountRow]:
    return select(SessionRow, AccountRow).join(AccountRow, AccountRow.uid == SessionRow.account)


def _record(cipher: FieldCipher, row: SessionRow, account: AccountRow) -> Session | None:
    """Return the session, unless it or its account is not as facesecure wrote it, or the account changed since."""
    genuine = account_seals.is_genuine(cipher, row) and account_seals.is_genuine(cipher, account)
    if not genuine or row.edition != account.edition:
        return None
    return Session(
        row.identifier, account.name, Role(account.role), row.began_at, row.confirmed_at,
        row.device, row.address, account.language, row.used_at,
    )  # fmt: skip
