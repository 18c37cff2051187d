"""Let no door hold up, pin or keep out the others, and check what it writes as strictly as they do who read it."""

from alembic import context, op

from facesecure.hub.migrations.scripts import run_script

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Change the rules; SQLite has none."""
    if op.get_bind().dialect.name == "postgresql":
        names = {"doors": context.config.attributes["doors"], "owner": context.config.attributes["owner"]}
        for script in ("0006_locks", "0006_roles", "0006_rows"):
            run_script(op.get_bind(), script, names)
