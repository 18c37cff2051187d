"""Let the doors of a large estate look for changes instead of being notified."""

import sqlalchemy as sa
from alembic import context, op

from facesecure.hub.migrations.scripts import run_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what doors look at."""
    op.add_column("estate", sa.Column("look_every", sa.Integer, nullable=False, server_default="0"))
    op.add_column("wakings", sa.Column("changed", sa.BigInteger, nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":
        names = {"doors": context.config.attributes["doors"], "owner": context.config.attributes["owner"]}
        run_script(op.get_bind(), "0004_looking", names)
