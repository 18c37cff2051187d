"""Add the faces of sightings, the visitors they are grouped into, and the corrections of both."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of visitors and their faces, and add the columns for corrections."""
    _visitors()
    _columns()
    _faces()


def _visitors() -> None:
    op.create_table(
        "visitors",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("first_seen", sa.DateTime, nullable=False),
        sa.Column("last_seen", sa.DateTime, nullable=False),
        sa.Column("visits", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64)),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="SET NULL")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_visitors_person_id", "visitors", ["person_id"])


def _columns() -> None:
    with op.batch_alter_table("sightings", recreate="always") as sightings:
        for column in (
            sa.Column("visitor_id", sa.Integer),
            sa.Column("corrected_kind", sa.String(16)),
            sa.Column("corrected_name", sa.String(64)),
            sa.Column("corrected_name_key", sa.String(256)),
            sa.Column("corrected_person_id", sa.Integer),
            sa.Column("correction", sa.String),
            sa.Column("corrected_at", sa.DateTime),
        ):
            sightings.add_column(column)
        for link, table in (("visitor_id", "visitors"), ("corrected_person_id", "people")):
            sightings.create_foreign_key(f"fk_sightings_{link}", table, [link], ["id"], ondelete="SET NULL")
    op.create_index("ix_sightings_visitor_id", "sightings", ["visitor_id"])
    op.create_index("ix_sightings_corrected_person_id", "sightings", ["corrected_person_id"])
    op.add_column("faces", sa.Column("sighting", sa.String(100)))


def _faces() -> None:
    op.create_table(
        "seen_faces",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "sighting", sa.String(100), sa.ForeignKey("sightings.identifier", ondelete="CASCADE"), nullable=False
        ),
        *_face_columns(),
    )
    op.create_index("ix_seen_faces_sighting", "seen_faces", ["sighting"])
    op.create_table(
        "marked_faces",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("visitor_id", sa.Integer, sa.ForeignKey("visitors.id", ondelete="CASCADE"), nullable=False),
        sa.Column("not_person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE")),
        sa.Column("sighting", sa.String(100), nullable=False),
        sa.Column("marked_at", sa.DateTime, nullable=False),
        *_face_columns(),
    )
    for column in ("visitor_id", "not_person_id", "sighting"):
        op.create_index(f"ix_marked_faces_{column}", "marked_faces", [column])


def _face_columns() -> tuple[sa.Column[Any], ...]:
    """Return the common columns. The crop is last, so that SQLite reads an embedding without reading the image."""
    return (
        sa.Column("taken_at", sa.DateTime, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("quality", sa.JSON, nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("crop_png", sa.LargeBinary, nullable=False),
    )
