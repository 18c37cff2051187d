"""Add to each sighting the mode of the household then, which decided on who was notified."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column: of the sightings so far the mode is not known."""
    op.add_column("sightings", sa.Column("mode", sa.String(8)))
