"""Give each row to those whom it concerns: rules, functions and triggers on PostgreSQL, triggers alone on SQLite.

SQLite has no roles: only tests use it, and only what keeps revisions and versions right is made there.
"""

from alembic import context, op

from facesecure.hub.migrations.scripts import run_script

revision = "0002"
down_revision = "0001"

_STAMPED = {
    "doors": "name, household, box_key, sign_key, rights, certificate, removed_at",
    "household_keys": "wrapped",
    "people": "author, version, document, signature, removed_at",
    "person_keys": "wrapped, author, signature",
    "removals": "confirmed_at",
    "records": "author, version, document, signature, removed_at",
    "sightings": "crop",
}


def upgrade() -> None:
    """Create them."""
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
        return
    names = {"doors": context.config.attributes["doors"], "owner": context.config.attributes["owner"]}
    for script in ("0002_functions", "0002_triggers", "0002_rules"):
        run_script(op.get_bind(), script, names)


def _guard_sqlite() -> None:
    for table, columns in _STAMPED.items():
        stamp = (
            "UPDATE revisions SET value = value + 1; "
            f"UPDATE {table} SET revision = (SELECT value FROM revisions) WHERE rowid = NEW.rowid;"
        )
        touch = "UPDATE person_keys SET revision = (SELECT value FROM revisions) WHERE person = NEW.identifier;"
        op.execute(f"CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN {stamp} END")
        changed = stamp + (touch if table == "people" else "")
        op.execute(f"CREATE TRIGGER {table}_changed AFTER UPDATE OF {columns} ON {table} BEGIN {changed} END")
    op.execute(
        "CREATE TRIGGER keys_of_removed BEFORE INSERT ON person_keys"
        " WHEN EXISTS (SELECT 1 FROM people WHERE identifier = NEW.person AND document IS NULL)"
        " BEGIN SELECT RAISE(ABORT, 'FS002'); END"
    )
    op.execute(
        "CREATE TRIGGER known_again AFTER INSERT ON person_keys"
        " BEGIN DELETE FROM removals WHERE person = NEW.person AND door = NEW.door; END"
    )
