"""Add what was removed lately, so that it is not written again, and removals that are not finished."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "forgotten",
        sa.Column("what", sa.String(200), primary_key=True),
        sa.Column("becomes", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "removals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("job", sa.LargeBinary, nullable=False),
    )
