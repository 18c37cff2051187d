"""Add to each sighting why its face may be a picture that was held up."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column: of the sightings so far nothing is known to speak for a picture."""
    op.add_column("sightings", sa.Column("doubt", sa.String))
