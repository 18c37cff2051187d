"""The accounts of the page, in the database. A row that facesecure did not write counts as absent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from facesecure.domain.accounts import Account, Role
from facesecure.domain.errors import UsageError, did_you_mean
from facesecure.domain.names import name_key, person_name
from facesecure.storage import account_seals
from facesecure.storage.account_tables import AccountRow, PasskeyRow, SessionRow
from facesecure.storage.database import Database
from facesecure.storage.encryption import cipher_of
from facesecure.storage.seals import new_uid
from facesecure.storage.tables import CounterRow
from facesecure.util.plain_text import skeleton

WRITE_TIMEOUT = 3.0
"""Seconds to wait for other processes that write: somebody waits for the page."""


class Accounts:
    """Who may sign in. Every method is one transaction, on the disk when it returns; names are found in any case.

    Example::

        store.page.accounts.find("anna")  # Account(uid="...", name="Anna", role=Role.OWNER, ...)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """Return a number that grows when any process changes accounts, sessions or tokens; cheap."""
        return self._database.counter("accounts")

    def all(self) -> list[Account]:
        """Return every account, by name."""
        with self._database.read() as session:
            return [record(row) for row in _genuine(session)]

    def find(self, name: str) -> Account | None:
        """Return the account ``name``, or None."""
        with self._database.read() as session:
            row = row_of(session, name)
            return record(row) if row else None

    def problems(self) -> list[str]:
        """Return a sentence for each account that others wrote or changed, and about other such rows of the page."""
        with self._database.read() as session:
            return account_seals.altered(session, cipher_of(session))

    def set_role(self, name: str, role: Role) -> Account:
        """Give an account another role, and end its sessions. Raises UsageError: no such account, or the last owner."""
        with self._database.write(WRITE_TIMEOUT) as session:
            row = require(session, name)
            if role is not Role.OWNER:
                _refuse_last_owner(session, row)
            row.role = role.value
            renew(session, row)
            session.execute(delete(SessionRow).where(SessionRow.account == row.uid))
            return record(row)

    def set_password(self, name: str, hashed: str, keep: str = "") -> Account:
        """Store another hash, and end the account's sessions but the one whose token has the SHA-256 ``keep``.

        An empty hash lets nobody in until a one-time link sets a password: passkeys are removed, too.
        Raises UsageError: no such account.
        """
        with self._database.write(WRITE_TIMEOUT) as session:
            row = require(session, name)
            row.password = hashed
            renew(session, row)
            session.execute(delete(SessionRow).where(SessionRow.account == row.uid, SessionRow.token_sha256 != keep))
            if not hashed:
                session.execute(delete(PasskeyRow).where(PasskeyRow.account == row.uid))
            kept = session.get(SessionRow, keep)
            if kept is not None and kept.account == row.uid and account_seals.is_genuine(cipher_of(session), kept):
                kept.edition = row.edition
                account_seals.put_seal(cipher_of(session), kept)
            return record(row)

    def set_language(self, name: str, language: str) -> None:
        """Store the language of an account. Raises UsageError: no such account."""
        with self._database.write(WRITE_TIMEOUT) as session:
            require(session, name).language = language
            mark_changed(session)

    def remove(self, name: str) -> None:
        """Remove an account with its sessions, from the backups too; also one that was changed outside of facesecure.

        Raises UsageError: no such account, or the last owner.
        """
        with self._database.write(WRITE_TIMEOUT) as session:
            row = _any_row(session, name)
            if row is None:
                raise _unknown(session, name)
            if account_seals.is_genuine(cipher_of(session), row):
                _refuse_last_owner(session, row)
            session.execute(delete(AccountRow).where(AccountRow.name_key == name_key(name)))
            mark_changed(session)
        self._database.forget()


def record(row: AccountRow) -> Account:
    """Return the account of a row."""
    return Account(row.uid, row.name, Role(row.role), row.created_at, row.edition, row.password, row.language)


def row_of(session: Session, name: str) -> AccountRow | None:
    """Return the row of ``name``, None if there is none or others wrote it."""
    row = _any_row(session, name)
    return row if row is not None and account_seals.is_genuine(cipher_of(session), row) else None


def require(session: Session, name: str) -> AccountRow:
    """Return the row of ``name``. Raises UsageError, with the name that was meant, if there is none."""
    row = row_of(session, name)
    if row is None:
        raise _unknown(session, name)
    return row


def add(session: Session, name: str, role: Role, hashed: str, now: datetime) -> AccountRow:
    """Add an account. Raises UsageError if there is one that is called so, or that looks the same."""
    refuse_taken(session, name)
    session.execute(delete(AccountRow).where(AccountRow.name_key == name_key(name)))  # one that others wrote
    row = AccountRow(
        uid=new_uid(), name=person_name(name), name_key=name_key(name), role=role.value, password=hashed,
        language="", created_at=now, edition="", seal="",
    )  # fmt: skip
    session.add(row)
    renew(session, row)
    return row


def refuse_taken(session: Session, name: str) -> None:
    """Raise UsageError if an account is called ``name``, or looks the same."""
    for row in _genuine(session):
        if skeleton(row.name_key) == skeleton(name_key(name)):
            raise UsageError("there is an account with that name already", "choose another name")


def renew(session: Session, row: AccountRow) -> None:
    """Begin another edition of an account, which makes sessions and links of the one before void."""
    row.edition = new_uid()
    account_seals.put_seal(cipher_of(session), row)
    mark_changed(session)
    session.info["people"] = True  # a backup after this, as for people
    session.flush()


def mark_changed(session: Session) -> None:
    """Increment ``Accounts.revision``."""
    session.execute(update(CounterRow).where(CounterRow.name == "accounts").values(value=CounterRow.value + 1))


def _any_row(session: Session, name: str) -> AccountRow | None:
    return session.scalar(select(AccountRow).where(AccountRow.name_key == name_key(name)))


def _genuine(session: Session) -> list[AccountRow]:
    cipher = cipher_of(session)
    rows = session.scalars(select(AccountRow).order_by(AccountRow.name_key))
    return [row for row in rows if account_seals.is_genuine(cipher, row)]


def _unknown(session: Session, name: str) -> UsageError:
    names = [row.name for row in _genuine(session)]
    listed = f"the accounts are: {', '.join(names)}" if names else "make the first one: facesecure web setup"
    return UsageError(f"the page has no account called {name!r}", did_you_mean(name, names) or listed)


def _refuse_last_owner(session: Session, row: AccountRow) -> None:
    """Raise UsageError if ``row`` is the only owner who can sign in."""
    owners = [one.uid for one in _genuine(session) if one.role == Role.OWNER and one.password]
    if row.role == Role.OWNER and not set(owners) - {row.uid}:
        raise UsageError(
            "this is the only owner of the page", "make another owner first: facesecure web accounts invite NAME"
        )
