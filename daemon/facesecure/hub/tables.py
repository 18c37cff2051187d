"""The tables of the hub, as queries use them. A change needs a revision in ``hub/migrations``, and HEAD set to it.

On PostgreSQL they are in the schema ``facesecure``, guarded by row-level security (``migrations/sql``); in the SQLite
file of a test they have no schema and no guard. Rows are opaque: see ``rows``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

HEAD = "0007"
"""The newest revision: stated here, so that Alembic is imported only to migrate."""

COUNTED = ("doors", "household_keys", "person_keys", "removals", "records", "sightings")
"""The tables whose changes are counted for each door."""

SCHEMA = "facesecure"


class HubTime(TypeDecorator[datetime]):
    """An aware datetime in UTC: ``timestamptz`` on PostgreSQL, text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite stores it without the zone."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _text(length: int) -> Callable[[], Any]:
    # The order of C does not change with the system's libraries, which would damage an index.
    return lambda: String(length).with_variant(String(length, collation="C"), "postgresql")


metadata = MetaData()
_id, _word, _record = _text(32), _text(63), _text(128)


def _number() -> Column[int]:
    return Column("revision", BigInteger, nullable=False, server_default="0")


revisions = Table("revisions", metadata, Column("value", BigInteger, primary_key=True))

estate = Table(
    "estate",
    metadata,
    Column("identifier", _id(), primary_key=True),
    Column("authority", LargeBinary, nullable=False),
    Column("manager", _id(), nullable=False),
    Column("created_at", HubTime, nullable=False),
    Column("look_every", Integer, nullable=False, server_default="0"),
)

doors = Table(
    "doors",
    metadata,
    Column("identifier", _id(), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("household", _id(), nullable=False, index=True),
    Column("role", _word(), nullable=False, unique=True),
    Column("box_key", LargeBinary, nullable=False),
    Column("sign_key", LargeBinary, nullable=False),
    Column("rights", _word(), nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("joined_at", HubTime, nullable=False),
    Column("removed_at", HubTime),
    _number(),
)

statuses = Table(
    "statuses",
    metadata,
    Column("door", _id(), primary_key=True),
    Column("household", _id(), nullable=False, index=True),
    Column("seen_at", HubTime, nullable=False),
    Column("document", LargeBinary),
)

wakings = Table(
    "wakings",
    metadata,
    Column("door", _id(), primary_key=True),
    Column("channel", _word(), nullable=False),
    Column("changed", BigInteger, nullable=False, server_default="0"),
    *(Column(f"{name}_changed", BigInteger, nullable=False, server_default="0") for name in COUNTED),
)

invitations = Table(
    "invitations",
    metadata,
    Column("identifier", _id(), primary_key=True),
    Column("role", _word(), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("household", _id(), nullable=False),
    Column("rights", _word(), nullable=False),
    Column("expires_at", HubTime, nullable=False),
    Column("used_at", HubTime),
)

join_requests = Table(
    "join_requests",
    metadata,
    Column("invitation", _id(), primary_key=True),
    Column("box_key", LargeBinary, nullable=False),
    Column("sign_key", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("at", HubTime, nullable=False),
    ForeignKeyConstraint(["invitation"], ["invitations.identifier"], ondelete="CASCADE"),
)

household_keys = Table(
    "household_keys",
    metadata,
    Column("household", _id(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("door", _id(), nullable=False, index=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("author", _id(), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    _number(),
    PrimaryKeyConstraint("household", "version", "door"),
)

people = Table(
    "people",
    metadata,
    Column("identifier", _id(), primary_key=True),
    Column("household", _id(), nullable=False, index=True),
    Column("author", _id(), nullable=False, index=True),
    Column("version", BigInteger, nullable=False),
    Column("document", LargeBinary),
    Column("signature", LargeBinary, nullable=False),
    Column("removed_at", HubTime),
    _number(),
)

person_keys = Table(
    "person_keys",
    metadata,
    Column("person", _id(), nullable=False),
    Column("door", _id(), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("author", _id(), nullable=False, index=True),
    Column("signature", LargeBinary, nullable=False),
    _number(),
    PrimaryKeyConstraint("person", "door"),
    ForeignKeyConstraint(["person"], ["people.identifier"]),
    Index("ix_person_keys_door", "door", "revision"),
)

removals = Table(
    "removals",
    metadata,
    Column("person", _id(), nullable=False),
    Column("door", _id(), nullable=False),
    Column("household", _id(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("ordered_by", _id(), nullable=False, index=True),
    Column("signature", LargeBinary, nullable=False),
    Column("ordered_at", HubTime, nullable=False),
    Column("confirmed_at", HubTime),
    _number(),
    PrimaryKeyConstraint("person", "door"),
    ForeignKeyConstraint(["person"], ["people.identifier"]),
    Index("ix_removals_door", "door", "revision"),
    Index("ix_removals_household", "household", "revision"),
)

records = Table(
    "records",
    metadata,
    Column("household", _id(), nullable=False),
    Column("kind", _text(16)(), nullable=False),
    Column("identifier", _record(), nullable=False),
    Column("author", _id(), nullable=False, index=True),
    Column("version", BigInteger, nullable=False),
    Column("document", LargeBinary),
    Column("signature", LargeBinary, nullable=False),
    Column("removed_at", HubTime),
    _number(),
    PrimaryKeyConstraint("household", "kind", "identifier"),
    Index("ix_records_household", "household", "revision"),
)

sightings = Table(
    "sightings",
    metadata,
    Column("identifier", _id(), primary_key=True),
    Column("household", _id(), nullable=False),
    Column("author", _id(), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", HubTime, nullable=False, index=True),
    Column("crop", LargeBinary),
    _number(),
    UniqueConstraint("identifier", "household"),
    Index("ix_sightings_author", "author", "at"),
    Index("ix_sightings_household", "household", "revision"),
    Index("ix_sightings_recent", "household", "at"),
)

notices = Table(
    "notices",
    metadata,
    Column("sighting", _id(), primary_key=True),
    Column("household", _id(), nullable=False),
    Column("door", _id(), nullable=False),
    Column("state", _text(16)(), nullable=False),
    Column("at", HubTime, nullable=False),
    Column("until", HubTime, nullable=False),
    ForeignKeyConstraint(
        ["sighting", "household"], ["sightings.identifier", "sightings.household"], ondelete="CASCADE"
    ),
)

crop_requests = Table(
    "crop_requests",
    metadata,
    Column("sighting", _id(), nullable=False),
    Column("door", _id(), nullable=False),
    Column("household", _id(), nullable=False),
    Column("at", HubTime, nullable=False),
    PrimaryKeyConstraint("sighting", "door"),
    ForeignKeyConstraint(
        ["sighting", "household"], ["sightings.identifier", "sightings.household"], ondelete="CASCADE"
    ),
)

households = Table(
    "households",
    metadata,
    Column("identifier", _id(), primary_key=True),
    Column("turns", Integer, nullable=False, server_default="0"),
)
"""A row for each household, locked by the door whose turn it is (``store.sightings``)."""
