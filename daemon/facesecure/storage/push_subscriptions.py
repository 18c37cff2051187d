"""The browsers that want to be notified, in the database, and the key by which push services know this household.

A subscription belongs to a session and ends with it. One that others wrote, or whose session or account is not genuine,
is absent.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as DatabaseSession

from facesecure.domain.accounts import Role, Session
from facesecure.domain.errors import StoreError, UsageError
from facesecure.domain.push import PushSubscription
from facesecure.storage import account_seals
from facesecure.storage.account_tables import AccountRow, PushKeyRow, PushSubscriptionRow, SessionRow
from facesecure.storage.accounts import WRITE_TIMEOUT, mark_changed
from facesecure.storage.database import Database
from facesecure.storage.encryption import FieldCipher, cipher_of
from facesecure.storage.seals import new_uid

_KEY_COLUMN, _KEY_OWNER = "push_keys.private", "page"
_ONLY = "vapid"


class PushSubscriptions:
    """Who is notified by Web Push, one browser per session.

    Example::

        store.page.push.subscribe(session, endpoint, public_key, auth, now)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """Return a number that grows when subscriptions, or their sessions or accounts, change; cheap."""
        return self._database.counter("accounts")

    def subscribe(self, owner: Session, endpoint: str, public_key: bytes, auth: bytes, at: datetime) -> str:
        """Store where the browser of a session is notified, in place of what it said before. Returns its identifier.

        Raises UsageError if the session has ended.
        """
        with self._database.write(WRITE_TIMEOUT) as session:
            row = session.scalar(select(SessionRow).where(SessionRow.identifier == owner.identifier).limit(1))
            if row is None or not account_seals.is_genuine(cipher_of(session), row):
                raise UsageError("this browser is signed out", "sign in again")
            _forget_earlier(session, row, endpoint)
            made = PushSubscriptionRow(
                identifier=new_uid(), session=row.token_sha256, endpoint=endpoint, public_key=_text(public_key),
                auth=_text(auth), created_at=at, seal="",
            )  # fmt: skip
            account_seals.put_seal(cipher_of(session), made)
            session.add(made)
            mark_changed(session)
            return made.identifier

    def all(self) -> list[PushSubscription]:
        """Return every genuine subscription, oldest first."""
        query = (
            select(PushSubscriptionRow, SessionRow, AccountRow)
            .join(SessionRow, SessionRow.token_sha256 == PushSubscriptionRow.session)
            .join(AccountRow, AccountRow.uid == SessionRow.account)
            .order_by(PushSubscriptionRow.created_at, PushSubscriptionRow.identifier)
        )
        with self._database.read() as session:
            cipher = cipher_of(session)
            found = [_record(cipher, *rows) for rows in session.execute(query)]
            return [one for one in found if one is not None]

    def remove(self, identifier: str) -> bool:
        """Remove a subscription; return whether there was one."""
        with self._database.write(WRITE_TIMEOUT) as session:
            gone = session.execute(delete(PushSubscriptionRow).where(PushSubscriptionRow.identifier == identifier))
            mark_changed(session)
            return bool(gone.rowcount)  # type: ignore[attr-defined]

    def key(self) -> bytes:
        """Return the household's private key (P-256, 32 bytes), made when it is first needed.

        Raises StoreError if it was changed outside of facesecure.
        """
        with self._database.read() as session:
            row = session.get(PushKeyRow, _ONLY)
            if row is not None:
                return _decrypted(cipher_of(session), row)
        with self._database.write(WRITE_TIMEOUT) as session:
            row = session.get(PushKeyRow, _ONLY)
            if row is None:
                private = cipher_of(session).encrypt(_new_key(), _KEY_COLUMN, _KEY_OWNER)
                row = PushKeyRow(name=_ONLY, private=private, created_at=datetime.now(UTC))
                session.add(row)
            return _decrypted(cipher_of(session), row)


def reencrypt(session: DatabaseSession, old: FieldCipher, new: FieldCipher) -> None:
    """Encrypt the household's key with the ``new`` key of the state. One that cannot be read stays as it is."""
    row = session.get(PushKeyRow, _ONLY)
    try:
        if row is not None:
            row.private = new.encrypt(old.decrypt(row.private, _KEY_COLUMN, _KEY_OWNER), _KEY_COLUMN, _KEY_OWNER)
    except ValueError:
        return


def _forget_earlier(session: DatabaseSession, row: SessionRow, endpoint: str) -> None:
    """Remove what this session said before, and the same browser's subscriptions in older sessions of the account."""
    session.execute(delete(PushSubscriptionRow).where(PushSubscriptionRow.session == row.token_sha256))
    theirs = select(SessionRow.token_sha256).where(SessionRow.account == row.account)
    same = PushSubscriptionRow.endpoint == endpoint
    session.execute(delete(PushSubscriptionRow).where(same, PushSubscriptionRow.session.in_(theirs)))


def _record(
    cipher: FieldCipher, row: PushSubscriptionRow, session: SessionRow, account: AccountRow
) -> PushSubscription | None:
    genuine = all(account_seals.is_genuine(cipher, one) for one in (row, session, account))
    if not genuine or session.edition != account.edition:
        return None
    return PushSubscription(
        row.identifier, session.identifier, account.name, Role(account.role), account.language, row.endpoint,
        _bytes(row.public_key), _bytes(row.auth), session.device, row.created_at, session.used_at,
    )  # fmt: skip


def _decrypted(cipher: FieldCipher, row: PushKeyRow) -> bytes:
    try:
        return cipher.decrypt(row.private, _KEY_COLUMN, _KEY_OWNER)
    except ValueError as error:
        raise StoreError(
            f"the key for push services is refused: {error}", "bring the database back from its backup"
        ) from error


def _new_key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
