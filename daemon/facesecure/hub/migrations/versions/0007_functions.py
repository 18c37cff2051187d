"""Let what the rules and triggers do cost a door the same, however many doors there are."""

from alembic import context, op

from facesecure.hub.migrations.scripts import run_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change the functions; SQLite has none."""
    if op.get_bind().dialect.name == "postgresql":
        names = {"doors": context.config.attributes["doors"], "owner": context.config.attributes["owner"]}
        run_script(op.get_bind(), "0007_functions", names)
