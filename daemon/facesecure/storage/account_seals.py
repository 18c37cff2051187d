"""Seal the rows of the page: whoever edits the database makes no account, session, link, passkey or token."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from facesecure.storage.account_tables import (
    AccountRow,
    InvitationRow,
    LiveTokenRow,
    PasskeyRow,
    PushSubscriptionRow,
    SessionRow,
)
from facesecure.storage.encryption import FieldCipher
from facesecure.storage.seals import matches, seal

Row = AccountRow | SessionRow | InvitationRow | LiveTokenRow | PasskeyRow | PushSubscriptionRow
_KINDS: tuple[type[Row], ...] = (
    AccountRow, SessionRow, InvitationRow, LiveTokenRow, PasskeyRow, PushSubscriptionRow,
)  # fmt: skip


def is_genuine(cipher: FieldCipher, row: Row) -> bool:
    """Return whether facesecure wrote the row as it is."""
    return matches(_seal_of(cipher, row), row.seal)


def put_seal(cipher: FieldCipher, row: Row) -> None:
    """Seal a row that was made or changed."""
    row.seal = _seal_of(cipher, row)


def seal_again(session: Session, old: FieldCipher, new: FieldCipher) -> None:
    """Seal every genuine row with the ``new`` key. What others changed stays as it is, and is refused."""
    for row in (row for kind in _KINDS for row in _rows(session, kind)):
        if is_genuine(old, row):
            put_seal(new, row)


def altered(session: Session, cipher: FieldCipher) -> list[str]:
    """Return a sentence for each account, and each kind of other rows, that were written or changed by others."""
    found = [
        f"the page's account {row.name} is refused: it was written or changed outside of facesecure"
        for row in session.scalars(select(AccountRow).order_by(AccountRow.name_key))
        if not is_genuine(cipher, row)
    ]
    for kind, words in _OTHERS.items():
        count = sum(not is_genuine(cipher, row) for row in _rows(session, kind))
        if count:
            found.append(f"{count} of the page's {words} are refused: written or changed outside of facesecure")
    return found


def _rows(session: Session, kind: type[Row]) -> list[Row]:
    rows: Iterable[Row] = session.scalars(select(kind))
    return list(rows)


_OTHERS: dict[type[Row], str] = {
    SessionRow: "sessions",
    InvitationRow: "one-time links",
    LiveTokenRow: "tokens for live pictures",
    PushSubscriptionRow: "browsers to notify",
    PasskeyRow: "passkeys",
}


def _seal_of(cipher: FieldCipher, row: Row) -> str:
    return seal(cipher, row.__tablename__, *_VALUES[type(row)](row))


def _account(row: AccountRow) -> list[str]:
    return [row.uid, row.name, row.name_key, row.role, row.password, row.edition, _utc(row.created_at)]


def _session(row: SessionRow) -> list[str]:
    times = [_utc(at) for at in (row.began_at, row.used_at, row.confirmed_at)]
    return [row.token_sha256, row.identifier, row.account, row.edition, *times, row.device, row.address]


def _invitation(row: InvitationRow) -> list[str]:
    used = "" if row.used_at is None else _utc(row.used_at)
    return [row.code_sha256, row.name, row.role, row.edition, _utc(row.expires_at), used]


def _live_token(row: LiveTokenRow) -> list[str]:
    """``used_at`` decides nothing."""
    return [row.token_sha256, row.identifier, row.name, json.dumps(row.cameras), row.made_by, _utc(row.created_at)]


def _passkey(row: PasskeyRow) -> list[str]:
    """``used_at`` decides nothing."""
    key = [row.credential_sha256, row.identifier, row.account, row.name, row.host, row.credential]
    return [*key, str(row.signed), _utc(row.created_at)]


def _push_subscription(row: PushSubscriptionRow) -> list[str]:
    return [row.identifier, row.session, row.endpoint, row.public_key, row.auth, _utc(row.created_at)]


_VALUES: dict[type[Row], Callable[[Any], list[str]]] = {
    AccountRow: _account,
    SessionRow: _session,
    InvitationRow: _invitation,
    LiveTokenRow: _live_token,
    PushSubscriptionRow: _push_subscription,
    PasskeyRow: _passkey,
}


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
