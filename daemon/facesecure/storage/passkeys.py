"""The passkeys of accounts, in the database. One that facesecure did not write counts as absent."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from facesecure.domain.accounts import Account
from facesecure.domain.errors import UsageError
from facesecure.domain.passkeys import MOST_PASSKEYS, Passkey
from facesecure.storage import account_seals
from facesecure.storage.account_tables import AccountRow, PasskeyRow
from facesecure.storage.accounts import WRITE_TIMEOUT, mark_changed, record
from facesecure.storage.database import Database
from facesecure.storage.encryption import cipher_of
from facesecure.storage.seals import new_uid


class Passkeys:
    """What people sign in with instead of a password. Every method is one transaction.

    Example::

        found = store.page.passkeys.find(credential_id)
        if found is not None:
            passkey, account = found
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Passkey]:
        """Return every passkey, oldest first."""
        with self._database.read() as session:
            return [_record(row) for row, _ in _genuine(session)]

    def find(self, credential_id: bytes) -> tuple[Passkey, Account] | None:
        """Return the passkey whose credential has that identifier, and its account; or None."""
        with self._database.read() as session:
            found = _genuine(session, _key(credential_id))
            return (_record(found[0][0]), record(found[0][1])) if found else None

    def add(
        self, account: Account, name: str, host: str, credential_id: bytes, credential: bytes, signed: int, at: datetime
    ) -> Passkey:
        """Store a passkey. Raises UsageError if the account has too many, or changed, or somebody has the passkey."""
        with self._database.write(WRITE_TIMEOUT) as session:
            owner, cipher = session.get(AccountRow, account.uid), cipher_of(session)
            if owner is None or owner.edition != account.edition or not account_seals.is_genuine(cipher, owner):
                raise UsageError("the account was changed just now", "try again")
            _refuse_more(session, owner.uid, _key(credential_id))
            row = PasskeyRow(
                credential_sha256=_key(credential_id), identifier=new_uid(), account=owner.uid, name=name, host=host,
                credential=urlsafe_b64encode(credential).decode(), signed=signed, created_at=at, used_at=None, seal="",
            )  # fmt: skip
            account_seals.put_seal(cipher, row)
            session.add(row)
            _mark(session)
            return _record(row)

    def use(self, passkey: Passkey, signed: int, at: datetime) -> bool:
        """Store that a passkey has signed, as the ``signed``-th time.

        Return False if it is gone, or has signed that often before: then there is a copy of it.
        """
        with self._database.write(WRITE_TIMEOUT) as session:
            row, cipher = _row(session, passkey.identifier), cipher_of(session)
            if row is None or row.signed is None or not account_seals.is_genuine(cipher, row):
                return False
            if (signed or row.signed) and signed <= row.signed:
                return False
            row.signed, row.used_at = signed, at
            account_seals.put_seal(cipher, row)
            return True

    def rename(self, identifier: str, name: str) -> None:
        """Give a passkey another name; nothing if it is gone."""
        with self._database.write(WRITE_TIMEOUT) as session:
            row, cipher = _row(session, identifier), cipher_of(session)
            if row is not None and account_seals.is_genuine(cipher, row):
                row.name = name
                account_seals.put_seal(cipher, row)
                _mark(session)

    def remove(self, identifier: str) -> None:
        """Remove a passkey."""
        with self._database.write(WRITE_TIMEOUT) as session:
            session.execute(delete(PasskeyRow).where(PasskeyRow.identifier == identifier))
            _mark(session)
        self._database.forget()  # a damaged database must not bring it back


def _key(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()


def _row(session: Session, identifier: str) -> PasskeyRow | None:
    return session.scalar(select(PasskeyRow).where(PasskeyRow.identifier == identifier).limit(1))


def _genuine(session: Session, key: str | None = None) -> list[tuple[PasskeyRow, AccountRow]]:
    """Return the passkeys, or the one with that ``key``, with their accounts: those that facesecure wrote."""
    cipher = cipher_of(session)
    query = select(PasskeyRow, AccountRow).join(AccountRow, AccountRow.uid == PasskeyRow.account)
    chosen = query if key is None else query.where(PasskeyRow.credential_sha256 == key)
    rows = session.execute(chosen.order_by(PasskeyRow.created_at, PasskeyRow.identifier)).all()
    return [
        (row, account)
        for row, account in rows
        if account_seals.is_genuine(cipher, row) and account_seals.is_genuine(cipher, account)
    ]


def _refuse_more(session: Session, account: str, key: str) -> None:
    count = session.scalar(select(func.count()).select_from(PasskeyRow).where(PasskeyRow.account == account)) or 0
    if count >= MOST_PASSKEYS:
        raise UsageError(f"there are {MOST_PASSKEYS} passkeys already", "remove one that you do not use")
    existing = session.get(PasskeyRow, key)
    if existing is not None and account_seals.is_genuine(cipher_of(session), existing):
        raise UsageError("this passkey is stored already", "choose another one")
    session.execute(delete(PasskeyRow).where(PasskeyRow.credential_sha256 == key))  # one that others wrote


def _mark(session: Session) -> None:
    mark_changed(session)
    session.info["people"] = True  # a backup after this, as for people


def _record(row: PasskeyRow) -> Passkey:
    return Passkey(
        row.identifier, row.account, row.name, row.host, urlsafe_b64decode(row.credential), row.signed or 0,
        row.created_at, row.used_at,
    )  # fmt: skip
