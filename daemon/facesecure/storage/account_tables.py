"""The tables of the page: accounts, sessions, one-time links, failed tries, passkeys and tokens for live pictures.

Of passwords, sessions, links and tokens only hashes are stored. Each row that decides has a ``seal``
(``storage.account_seals``): a row without a genuine one counts as absent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from facesecure.storage.columns import Document, Text
from facesecure.storage.tables import Base


class AccountRow(Base):
    """An account. ``edition`` is random and new with each password and role: what was made for an older one is void.

    ``password`` is an Argon2 hash, empty if there is none yet.
    """

    __tablename__ = "accounts"
    uid: Mapped[str] = mapped_column(Text(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text(64))
    name_key: Mapped[str] = mapped_column(Text(256), unique=True)
    role: Mapped[str] = mapped_column(Text(16))
    password: Mapped[str] = mapped_column(Text(200))
    edition: Mapped[str] = mapped_column(Text(32))
    language: Mapped[str] = mapped_column(Text(8))
    created_at: Mapped[datetime]
    seal: Mapped[str] = mapped_column(Text(64))


class SessionRow(Base):
    """A browser that is signed in. ``identifier`` names it to people; the token is known by its SHA-256."""

    __tablename__ = "sessions"
    token_sha256: Mapped[str] = mapped_column(Text(64), primary_key=True)
    identifier: Mapped[str] = mapped_column(Text(32))
    account: Mapped[str] = mapped_column(Text(32), ForeignKey("accounts.uid", ondelete="CASCADE"), index=True)
    edition: Mapped[str] = mapped_column(Text(32))
    began_at: Mapped[datetime]
    used_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    device: Mapped[str] = mapped_column(Text(100))
    address: Mapped[str] = mapped_column(Text(64))
    seal: Mapped[str] = mapped_column(Text(64))


class InvitationRow(Base):
    """A one-time link, known by the SHA-256 of its code. ``edition`` is the account's whose password it sets anew."""

    __tablename__ = "invitations"
    code_sha256: Mapped[str] = mapped_column(Text(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text(64))
    role: Mapped[str] = mapped_column(Text(16))
    edition: Mapped[str] = mapped_column(Text(32))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    seal: Mapped[str] = mapped_column(Text(64))


class AttemptRow(Base):
    """How many tries failed lately from an address or on an account: ``level``, as it was ``at`` that time.

    ``what`` is a keyed hash: people type passwords where a name belongs.
    """

    __tablename__ = "attempts"
    what: Mapped[str] = mapped_column(Text(64), primary_key=True)
    level: Mapped[float | None]
    at: Mapped[datetime]


class LiveTokenRow(Base):
    """A token for live pictures, known by its SHA-256. ``cameras`` is {"names": [...]}; no names mean every camera."""

    __tablename__ = "live_tokens"
    token_sha256: Mapped[str] = mapped_column(Text(64), primary_key=True)
    identifier: Mapped[str] = mapped_column(Text(32))
    name: Mapped[str] = mapped_column(Text(64))
    cameras: Mapped[dict[str, Any]] = mapped_column(Document)
    made_by: Mapped[str] = mapped_column(Text(64))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    seal: Mapped[str] = mapped_column(Text(64))


class PasskeyRow(Base):
    """A passkey, known by the SHA-256 of its credential's identifier. ``credential`` is base64url, and no secret."""

    __tablename__ = "passkeys"
    credential_sha256: Mapped[str] = mapped_column(Text(64), primary_key=True)
    identifier: Mapped[str] = mapped_column(Text(32))
    account: Mapped[str] = mapped_column(Text(32), ForeignKey("accounts.uid", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text(64))
    host: Mapped[str] = mapped_column(Text(253))
    credential: Mapped[str] = mapped_column(Text(4096))
    signed: Mapped[int | None]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    seal: Mapped[str] = mapped_column(Text(64))


class PushSubscriptionRow(Base):
    """A browser that is notified by Web Push: the push service's address, and the browser's two keys in base64."""

    __tablename__ = "push_subscriptions"
    identifier: Mapped[str] = mapped_column(Text(32), primary_key=True)
    session: Mapped[str] = mapped_column(Text(64), ForeignKey("sessions.token_sha256", ondelete="CASCADE"), index=True)
    endpoint: Mapped[str] = mapped_column(Text(1000))
    public_key: Mapped[str] = mapped_column(Text(100))
    auth: Mapped[str] = mapped_column(Text(32))
    created_at: Mapped[datetime]
    seal: Mapped[str] = mapped_column(Text(64))


class PushKeyRow(Base):
    """The key by which push services know the household (RFC 8292): one row, ``private`` is encrypted."""

    __tablename__ = "push_keys"
    name: Mapped[str] = mapped_column(Text(16), primary_key=True)
    private: Mapped[bytes]
    created_at: Mapped[datetime]
