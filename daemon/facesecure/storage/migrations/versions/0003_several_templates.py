"""Allow several templates of a person for one model.

SQLite cannot drop a constraint, so the table is created again and its rows are copied.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
_COLUMNS = "id, person_id, model_sha256, embedding, faces, made_at"


def upgrade() -> None:
    """Create the table of templates again, without the constraint."""
    op.rename_table("templates", "templates_before")
    op.create_table(
        "templates",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
    )
    op.execute(f"INSERT INTO templates ({_COLUMNS}) SELECT {_COLUMNS} FROM templates_before")
    op.drop_table("templates_before")
    op.create_index("ix_templates_person_id", "templates", ["person_id"])
