"""The tables of the page: its accounts and their sessions, one-time links, failed tries and tokens for live pictures.

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
