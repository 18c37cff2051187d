"""Count the changes that concern a door, by table, so that it need not ask again what has not changed."""

import sqlalchemy as sa
from alembic import context, op

from facesecure.hub.migrations.scripts import run_script

revision = "0005"
down_revision = "0004"

_COUNTED = ("doors", "household_keys", "person_keys", "removals", "records", "sightings")


def upgrade() -> None:
    """Add the counts."""
    for name in _COUNTED:
        op.add_column("wakings", sa.Column(f"{name}_changed", sa.BigInteger, nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":
        names = {"doors": context.config.attributes["doors"], "owner": context.config.attributes["owner"]}
        run_script(op.get_bind(), "0005_counting", names)
