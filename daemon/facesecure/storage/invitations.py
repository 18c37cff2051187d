"""One-time links of the page, in the database: each makes an account, or sets an account's password anew, once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as DatabaseSession

from facesecure.domain.accounts import Account, Invitation, Role
from facesecure.domain.names import name_key
from facesecure.storage import account_seals, accounts
from facesecure.storage.account_tables import InvitationRow, SessionRow
from facesecure.storage.accounts import WRITE_TIMEOUT
from facesecure.storage.database import Database
from facesecure.storage.encryption import cipher_of

KEPT = timedelta(days=1)
"""How long an old link is kept, so that whoever opens it learns why it does not work."""


class Invitations:
    """The links that were made, by the SHA-256 of their codes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, code_sha256: str, invitation: Invitation, now: datetime) -> None:
        """Store a link; earlier ones for the same name end.

        Raises UsageError if it is for a new account and one is called so already.
        """
        with self._database.write(WRITE_TIMEOUT) as session:
            if not invitation.edition:
                accounts.refuse_taken(session, invitation.name)
            session.execute(delete(InvitationRow).where(InvitationRow.expires_at < now - KEPT))
            self._end(session, invitation.name)
            row = InvitationRow(
                code_sha256=code_sha256, name=invitation.name, role=invitation.role.value, edition=invitation.edition,
                expires_at=invitation.expires_at, used_at=None, seal="",
            )  # fmt: skip
            account_seals.put_seal(cipher_of(session), row)
            session.add(row)

    def find(self, code_sha256: str) -> Invitation | None:
        """Return the link of a code, used or expired ones too; None if there is none."""
        with self._database.read() as session:
            row = _genuine(session, code_sha256)
            return _record(row) if row else None

    def accept(self, code_sha256: str, hashed: str, now: datetime) -> Account | None:
        """Use a link: make its account, or set its password, and end its sessions. None if the link does not work.

        Of several who do so at once, one succeeds. Raises UsageError if the name was taken meanwhile.
        """
        with self._database.write(WRITE_TIMEOUT) as session:
            row = _genuine(session, code_sha256)
            if row is None or row.used_at is not None or now >= row.expires_at:
                return None
            if row.edition:
                account = accounts.row_of(session, row.name)
                if account is None or account.edition != row.edition:
                    return None
                account.password = hashed
                accounts.renew(session, account)
                session.execute(delete(SessionRow).where(SessionRow.account == account.uid))
            else:
                account = accounts.add(session, row.name, Role(row.role), hashed, now)
            row.used_at = now
            account_seals.put_seal(cipher_of(session), row)
            return accounts.record(account)

    def withdraw(self, name: str) -> None:
        """End the links for ``name`` that were not used."""
        with self._database.write(WRITE_TIMEOUT) as session:
            self._end(session, name)

    def prune(self, now: datetime) -> None:
        """Remove links that ended a day ago or earlier."""
        with self._database.write(WRITE_TIMEOUT) as session:
            session.execute(delete(InvitationRow).where(InvitationRow.expires_at < now - KEPT))

    @staticmethod
    def _end(session: DatabaseSession, name: str) -> None:
        unused = session.scalars(select(InvitationRow).where(InvitationRow.used_at.is_(None))).all()
        cipher = cipher_of(session)
        for row in unused:
            if account_seals.is_genuine(cipher, row) and name_key(row.name) == name_key(name):
                session.delete(row)


def _genuine(session: DatabaseSession, code_sha256: str) -> InvitationRow | None:
    row = session.get(InvitationRow, code_sha256)
    return row if row is not None and account_seals.is_genuine(cipher_of(session), row) else None


def _record(row: InvitationRow) -> Invitation:
    return Invitation(row.name, Role(row.role), row.edition, row.expires_at, row.used_at)
