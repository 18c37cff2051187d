"""Let a door change what it has said of a visit, and keep a crop only while somebody asks for it."""

from alembic import context, op

from facesecure.hub.migrations.scripts import run_script

revision = "0003"
down_revision = "0002"

_STAMP = (
    "UPDATE revisions SET value = value + 1; "
    "UPDATE sightings SET revision = (SELECT value FROM revisions) WHERE rowid = NEW.rowid;"
)


def upgrade() -> None:
    """Change the rules."""
    if op.get_bind().dialect.name == "sqlite":
        _change_sqlite()
        return
    names = {"doors": context.config.attributes["doors"], "owner": context.config.attributes["owner"]}
    run_script(op.get_bind(), "0003_visits", names)


def _change_sqlite() -> None:
    op.execute("DROP TRIGGER sightings_changed")
    changed = "AFTER UPDATE OF document, signature, crop ON sightings"
    op.execute(f"CREATE TRIGGER sightings_changed {changed} BEGIN {_STAMP} END")
    op.execute(
        "CREATE TRIGGER crop_dropped AFTER DELETE ON crop_requests"
        " WHEN NOT EXISTS (SELECT 1 FROM crop_requests WHERE sighting = OLD.sighting)"
        " BEGIN UPDATE sightings SET crop = NULL WHERE identifier = OLD.sighting AND crop IS NOT NULL; END"
    )
