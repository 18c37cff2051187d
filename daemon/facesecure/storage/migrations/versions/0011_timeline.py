"""Add when somebody reviewed a sighting, and which sighting an alert is about."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add both columns; nobody has reviewed the sightings so far. An alert that is damaged is about none."""
    op.add_column("sightings", sa.Column("reviewed_at", sa.DateTime))
    op.add_column("alerts", sa.Column("sighting", sa.String(100)))
    op.execute(
        "UPDATE alerts SET sighting = json_extract(document, '$.sighting.identifier') WHERE CASE WHEN "
        "json_valid(document) THEN json_type(document, '$.sighting.identifier') = 'text' ELSE 0 END"
    )
    op.create_index("ix_alerts_sighting", "alerts", ["sighting"])
    op.create_index("ix_sightings_reviewed_at", "sightings", ["reviewed_at", "first_seen", "identifier"])
    op.create_index("ix_sightings_source", "sightings", ["source", "first_seen", "identifier"])
