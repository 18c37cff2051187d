"""Add to each sighting without a usable face what was seen instead: a person, an animal, a vehicle, nothing known."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column: at the sightings so far nobody looked."""
    op.add_column("sightings", sa.Column("subject", sa.String(16)))
