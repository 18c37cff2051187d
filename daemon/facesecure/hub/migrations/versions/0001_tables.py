"""Create the tables: rows that were sealed by their doors, with limits of size."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(length: int) -> Any:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _id(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, _text(32), nullable=False, **options)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _whole(name: str, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=default)


def _revision() -> sa.Column[int]:
    return _whole("revision", "0")


def _most(column: str, most: int, least: int = 1) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"length({column}) BETWEEN {least} AND {most}", f"{column}_size")


def _keys() -> list[sa.CheckConstraint]:
    return [_most("box_key", 32, 32), _most("sign_key", 32, 32)]


def _signed() -> sa.CheckConstraint:
    return _most("signature", 64, 64)


def upgrade() -> None:
    """Create them."""
    op.create_table("revisions", sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False))
    op.execute("INSERT INTO revisions (value) VALUES (0)")
    op.create_table(
        "estate",
        _id("identifier", primary_key=True),
        _bytes("authority"),
        _id("manager"),
        _time("created_at"),
        _most("authority", 32, 32),
    )
    op.create_table(
        "households",
        _id("identifier", primary_key=True),
        sa.Column("turns", sa.Integer, nullable=False, server_default="0"),
    )
    _create_doors()
    _create_people()
    _create_shared()
    _create_indexes()


def _create_doors() -> None:
    op.create_table(
        "doors",
        _id("identifier", primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        _id("household"),
        sa.Column("role", _text(63), nullable=False, unique=True),
        _bytes("box_key"),
        _bytes("sign_key"),
        sa.Column("rights", _text(63), nullable=False),
        _bytes("certificate"),
        _time("joined_at"),
        _time("removed_at", nullable=True),
        _revision(),
        sa.CheckConstraint("role = 'facesecure_door_' || identifier", "role_name"),
        _most("identifier", 32, 32),
        _most("name", 64),
        _most("household", 32, 32),
        _most("certificate", 4096),
        *_keys(),
    )
    op.create_table(
        "statuses",
        _id("door", primary_key=True),
        _id("household"),
        _time("seen_at"),
        _bytes("document", nullable=True),
        _most("document", 64 << 10, 0),
    )
    op.create_table("wakings", _id("door", primary_key=True), sa.Column("channel", _text(63), nullable=False))
    op.create_table(
        "invitations",
        _id("identifier", primary_key=True),
        sa.Column("role", _text(63), nullable=False, unique=True),
        sa.Column("name", sa.String(64), nullable=False),
        _id("household"),
        sa.Column("rights", _text(63), nullable=False),
        _time("expires_at"),
        _time("used_at", nullable=True),
        _most("identifier", 32, 32),
        _most("household", 32, 32),
        _most("name", 64),
    )
    op.create_table(
        "join_requests",
        _id("invitation", primary_key=True),
        _bytes("box_key"),
        _bytes("sign_key"),
        _bytes("mac"),
        _time("at"),
        sa.ForeignKeyConstraint(["invitation"], ["invitations.identifier"], ondelete="CASCADE"),
        _most("mac", 64, 16),
        *_keys(),
    )
    op.create_table(
        "household_keys",
        _id("household"),
        _whole("version"),
        _id("door"),
        _bytes("wrapped"),
        _id("author"),
        _bytes("signature"),
        _revision(),
        sa.PrimaryKeyConstraint("household", "version", "door"),
        _most("wrapped", 512),
        _signed(),
    )


def _create_people() -> None:
    op.create_table(
        "people",
        _id("identifier", primary_key=True),
        _id("household"),
        _id("author"),
        _whole("version"),
        _bytes("document", nullable=True),
        _bytes("signature"),
        _time("removed_at", nullable=True),
        _revision(),
        _most("identifier", 32, 32),
        _most("document", 4 << 20),
        _signed(),
    )
    op.create_table(
        "person_keys",
        _id("person"),
        _id("door"),
        _bytes("wrapped"),
        _id("author"),
        _bytes("signature"),
        _revision(),
        sa.PrimaryKeyConstraint("person", "door"),
        sa.ForeignKeyConstraint(["person"], ["people.identifier"]),
        _most("wrapped", 512),
        _signed(),
    )
    op.create_table(
        "removals",
        _id("person"),
        _id("door"),
        _id("household"),
        _whole("version"),
        _id("ordered_by"),
        _bytes("signature"),
        _time("ordered_at"),
        _time("confirmed_at", nullable=True),
        _revision(),
        sa.PrimaryKeyConstraint("person", "door"),
        sa.ForeignKeyConstraint(["person"], ["people.identifier"]),
        _signed(),
    )


def _create_shared() -> None:
    op.create_table(
        "records",
        _id("household"),
        sa.Column("kind", _text(16), nullable=False),
        sa.Column("identifier", _text(128), nullable=False),
        _id("author"),
        _whole("version"),
        _bytes("document", nullable=True),
        _bytes("signature"),
        _time("removed_at", nullable=True),
        _revision(),
        sa.PrimaryKeyConstraint("household", "kind", "identifier"),
        sa.CheckConstraint("kind IN ('visitor', 'marked', 'calibration', 'arming', 'mode')", "kinds"),
        _most("identifier", 128),
        _most("document", 1 << 20),
        _signed(),
    )
    op.create_table(
        "sightings",
        _id("identifier", primary_key=True),
        _id("household"),
        _id("author"),
        _bytes("document"),
        _bytes("signature"),
        _time("at"),
        _bytes("crop", nullable=True),
        _revision(),
        sa.UniqueConstraint("identifier", "household"),
        _most("identifier", 32, 32),
        _most("document", 64 << 10),
        _most("crop", 1 << 20),
        _signed(),
    )
    sighting = (["sighting", "household"], ["sightings.identifier", "sightings.household"])
    op.create_table(
        "notices",
        _id("sighting", primary_key=True),
        _id("household"),
        _id("door"),
        sa.Column("state", _text(16), nullable=False),
        _time("at"),
        _time("until"),
        sa.ForeignKeyConstraint(*sighting, ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('claimed', 'confirmed')", "states"),
    )
    op.create_table(
        "crop_requests",
        _id("sighting"),
        _id("door"),
        _id("household"),
        _time("at"),
        sa.PrimaryKeyConstraint("sighting", "door"),
        sa.ForeignKeyConstraint(*sighting, ondelete="CASCADE"),
    )


def _create_indexes() -> None:
    for table, columns in (
        ("doors", ["household"]),
        ("statuses", ["household"]),
        ("household_keys", ["door"]),
        ("people", ["household"]),
        ("people", ["author"]),
        ("person_keys", ["author"]),
        ("removals", ["ordered_by"]),
        ("records", ["author"]),
        ("sightings", ["at"]),
    ):
        op.create_index(f"ix_{table}_{columns[0]}", table, columns)
    # What a rule or a reader's cursor asks for: whose, and since when.
    op.create_index("ix_person_keys_door", "person_keys", ["door", "revision"])
    op.create_index("ix_removals_door", "removals", ["door", "revision"])
    op.create_index("ix_removals_household", "removals", ["household", "revision"])
    op.create_index("ix_records_household", "records", ["household", "revision"])
    op.create_index("ix_sightings_author", "sightings", ["author", "at"])
    op.create_index("ix_sightings_household", "sightings", ["household", "revision"])
    op.create_index("ix_sightings_recent", "sightings", ["household", "at"])
