"""Create the tables of people, faces, templates and sightings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    _people()
    _sightings()
    counters = op.create_table(
        "counters",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
    op.bulk_insert(counters, [{"name": "people", "value": 0}])


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(256), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "faces",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("crop_png", sa.LargeBinary, nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("quality", sa.JSON, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("added_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_faces_person_id", "faces", ["person_id"])
    op.create_table(
        "templates",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("person_id", "model_sha256"),
    )


def _sightings() -> None:
    op.create_table(
        "sightings",
        sa.Column("identifier", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("name", sa.String(64)),
        sa.Column("name_key", sa.String(256)),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="SET NULL")),
        sa.Column("score", sa.Float),
        sa.Column("second_name", sa.String(64)),
        sa.Column("second_score", sa.Float),
        sa.Column("evidence", sa.Float),
        sa.Column("faces_used", sa.Integer, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("track", sa.Integer),
        sa.Column("first_seen", sa.DateTime, nullable=False),
        sa.Column("last_seen", sa.DateTime, nullable=False),
        sa.Column("supersedes", sa.String(100)),
        sa.Column("snapshot", sa.String),
        sa.Column("snapshot_bytes", sa.Integer, nullable=False),
        sa.Column("box", sa.JSON),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_sightings_first_seen", "sightings", ["first_seen", "identifier"])
    op.create_index("ix_sightings_supersedes", "sightings", ["supersedes"])
    op.create_index("ix_sightings_person_id", "sightings", ["person_id"])
