"""The tables of the database. A change here needs a revision in ``migrations/versions``, and HEAD set to it.

People are unique by ``name_key`` (in any case). Faces are stored as lossless aligned crops, so that a new model can
embed them again. Templates are derived from faces and made again with them, in the same transaction.
Seen faces belong to a sighting and are removed with it; marked faces are copies that a correction stored.
Every ``embedding`` and ``crop_png`` is encrypted (``storage.encryption``).
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from facesecure.storage.columns import Bytes, Corners, Document, Number, SnapshotPath, Text, UtcDateTime, Whole

HEAD = "0015"
"""The newest revision: stated here, so that Alembic is imported only if a database is older."""


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: UtcDateTime,
        int: Whole,
        float: Number,
        bytes: Bytes,
    }


class PersonRow(Base):
    """An enrolled person.

    ``uid`` is random and names the person in what is encrypted: row numbers may be used again. ``edition`` is random
    and new whenever the templates are made. ``seal`` authenticates the other columns (``storage.seals``).
    """

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text(64))
    name_key: Mapped[str] = mapped_column(Text(256), unique=True)
    created_at: Mapped[datetime]
    uid: Mapped[str] = mapped_column(Text(32))
    edition: Mapped[str] = mapped_column(Text(32))
    seal: Mapped[str] = mapped_column(Text(64))


class FaceRow(Base):
    """A face that a person is enrolled with."""

    __tablename__ = "faces"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    crop_png: Mapped[bytes]
    embedding: Mapped[bytes]
    model_sha256: Mapped[str] = mapped_column(Text(64))
    quality: Mapped[dict[str, Any]] = mapped_column(Document)
    source: Mapped[str]
    added_at: Mapped[datetime]
    sighting: Mapped[str | None] = mapped_column(Text(100))
    """The sighting that the face was enrolled from; it may have been removed."""


class TemplateRow(Base):
    """A template of a person. Each model has several: the first is made of all faces by that model."""

    __tablename__ = "templates"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    model_sha256: Mapped[str] = mapped_column(Text(64))
    embedding: Mapped[bytes]
    faces: Mapped[int]
    made_at: Mapped[datetime]


class SightingRow(Base):
    """A sighting. When its person is removed, ``name`` is replaced and ``person_id`` cleared; the sighting stays.

    The ``corrected_`` columns hold a later correction; ``kind`` and ``name`` keep the original verdict.
    ``visitor_seal`` authenticates which visitor the sighting belongs to (``storage.seals``).
    """

    __tablename__ = "sightings"
    __table_args__ = (
        Index("ix_sightings_first_seen", "first_seen", "identifier"),
        Index("ix_sightings_supersedes", "supersedes"),
        Index("ix_sightings_person_id", "person_id"),
        Index("ix_sightings_visitor_id", "visitor_id"),
        Index("ix_sightings_corrected_person_id", "corrected_person_id"),
        Index("ix_sightings_reviewed_at", "reviewed_at", "first_seen", "identifier"),
        Index("ix_sightings_source", "source", "first_seen", "identifier"),
    )
    identifier: Mapped[str] = mapped_column(Text(100), primary_key=True)
    kind: Mapped[str] = mapped_column(Text(16))
    why: Mapped[str]
    name: Mapped[str | None] = mapped_column(Text(64))
    name_key: Mapped[str | None] = mapped_column(Text(256))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    score: Mapped[float | None]
    second_name: Mapped[str | None] = mapped_column(Text(64))
    second_score: Mapped[float | None]
    evidence: Mapped[float | None]
    faces_used: Mapped[int]
    source: Mapped[str]
    track: Mapped[int | None]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    supersedes: Mapped[str | None] = mapped_column(Text(100))
    snapshot: Mapped[str | None] = mapped_column(SnapshotPath)
    snapshot_bytes: Mapped[int]
    box: Mapped[list[float] | None] = mapped_column(Corners)
    created_at: Mapped[datetime]
    visitor_id: Mapped[int | None] = mapped_column(ForeignKey("visitors.id", ondelete="SET NULL"))
    corrected_kind: Mapped[str | None] = mapped_column(Text(16))
    corrected_name: Mapped[str | None] = mapped_column(Text(64))
    corrected_name_key: Mapped[str | None] = mapped_column(Text(256))
    corrected_person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    correction: Mapped[str | None]
    corrected_at: Mapped[datetime | None]
    visitor_seal: Mapped[str | None] = mapped_column(Text(64))
    doubt: Mapped[str | None]
    """Why the face may be a picture that was held up. Of such a visit no faces are kept."""
    mode: Mapped[str | None] = mapped_column(Text(8))
    """The mode of the household when it was recorded; null for one of before that was stored."""
    subject: Mapped[str | None] = mapped_column(Text(16))
    """What was seen of an unidentified visit, empty if nothing known was; null if nobody looked."""
    reviewed_at: Mapped[datetime | None]
    """When somebody of the household said that they have seen it."""


class VisitorRow(Base):
    """A stranger who was seen once or several times. ``name`` and ``person_id`` are set when the visitor is named.

    Numbers are never reused, so that a removed visitor is not mistaken for the next one. ``uid`` is random, and what
    the other doors of the household know the visitor by.
    """

    __tablename__ = "visitors"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    visits: Mapped[int]
    name: Mapped[str | None] = mapped_column(Text(64))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True)
    uid: Mapped[str] = mapped_column(Text(32), index=True, default=lambda: secrets.token_hex(16))


class VisitorElsewhereRow(Base):
    """What another door of the household has seen of a visitor, whom it calls ``uid``; ``place`` is the door's name.

    ``person`` is who the visitor was named there. ``embedding`` holds those of some visits, encrypted together.
    """

    __tablename__ = "visitors_elsewhere"
    __table_args__ = (Index("ix_visitors_elsewhere_door", "door", "uid"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    visitor_id: Mapped[int] = mapped_column(ForeignKey("visitors.id", ondelete="CASCADE"), index=True)
    uid: Mapped[str] = mapped_column(Text(32))
    door: Mapped[str] = mapped_column(Text(32))
    place: Mapped[str] = mapped_column(Text(64))
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    visits: Mapped[int]
    person: Mapped[str | None] = mapped_column(Text(32))
    model_sha256: Mapped[str] = mapped_column(Text(64))
    embedding: Mapped[bytes]


class SeenFaceRow(Base):
    """A face of a sighting. The crop is the last column: SQLite reads an embedding without reading the image."""

    __tablename__ = "seen_faces"
    id: Mapped[int] = mapped_column(primary_key=True)
    sighting: Mapped[str] = mapped_column(Text(100), ForeignKey("sightings.identifier", ondelete="CASCADE"), index=True)
    taken_at: Mapped[datetime]
    model_sha256: Mapped[str] = mapped_column(Text(64))
    quality: Mapped[dict[str, Any]] = mapped_column(Document)
    embedding: Mapped[bytes]
    crop_png: Mapped[bytes]


class MarkedFaceRow(Base):
    """A face marked as not that person's (null: as no enrolled person's). It outlives its sighting.

    ``door`` is the other door of the household that marked it; null for one that was marked here.
    """

    __tablename__ = "marked_faces"
    id: Mapped[int] = mapped_column(primary_key=True)
    visitor_id: Mapped[int] = mapped_column(ForeignKey("visitors.id", ondelete="CASCADE"), index=True)
    not_person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    sighting: Mapped[str] = mapped_column(Text(100), index=True)
    marked_at: Mapped[datetime]
    taken_at: Mapped[datetime]
    model_sha256: Mapped[str] = mapped_column(Text(64))
    quality: Mapped[dict[str, Any]] = mapped_column(Document)
    embedding: Mapped[bytes]
    crop_png: Mapped[bytes]
    door: Mapped[str | None] = mapped_column(Text(32))


class AlertRow(Base):
    """An alert. ``document`` is the whole alert (``domain.wire.alerts``); ``seal`` authenticates it.

    ``sighting`` is the identifier of the one that it is about, to find it by; what counts is in the document.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_created_at", "created_at", "identifier"),
        Index("ix_alerts_sighting", "sighting"),
    )
    identifier: Mapped[str] = mapped_column(Text(100), primary_key=True)
    kind: Mapped[str] = mapped_column(Text(16))
    created_at: Mapped[datetime]
    document: Mapped[dict[str, Any]] = mapped_column(Document)
    seal: Mapped[str] = mapped_column(Text(64))
    sighting: Mapped[str | None] = mapped_column(Text(100))


class DeliveryRow(Base):
    """The delivery of an alert on one channel. ``by`` is the plugin of its fallback chain that tried last."""

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("alert", "channel"), Index("ix_deliveries_state", "state"))
    id: Mapped[int] = mapped_column(primary_key=True)
    alert: Mapped[str] = mapped_column(Text(100), ForeignKey("alerts.identifier", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(Text(100))
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(Text(16))
    attempts: Mapped[int]
    by: Mapped[str] = mapped_column(Text(100))
    last_error: Mapped[str]
    changed_at: Mapped[datetime]


class CounterRow(Base):
    """Counters that only grow.

    ``people`` counts changes to people, faces and templates, ``accounts`` those to accounts, sessions and tokens.
    """

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(Text(32), primary_key=True)
    value: Mapped[int]


class ForgottenRow(Base):
    """A person or a visit that was removed, which must not be written again (``storage.forgotten``).

    ``what`` is "name:" and a seal of the name, which does not reveal it, "visit:" and the sighting's identifier,
    "person:" and the person's random number, or "visitor:" and the visitor's; ``becomes`` replaces the name, or is the
    visitor who the visitor turned out to be.
    """

    __tablename__ = "forgotten"
    what: Mapped[str] = mapped_column(Text(200), primary_key=True)
    becomes: Mapped[str] = mapped_column(Text(64))
    at: Mapped[datetime]


class RemovalRow(Base):
    """A removal that is not finished: ``job`` says what is left to do, encrypted (``storage.removals``)."""

    __tablename__ = "removals"
    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[bytes]


class KeyRow(Base):
    """The identifier of the key that encrypts the database; it does not reveal the key. One row."""

    __tablename__ = "keys"
    identifier: Mapped[str] = mapped_column(Text(16), primary_key=True)
    since: Mapped[datetime]
