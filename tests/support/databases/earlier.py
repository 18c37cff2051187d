"""Databases as an earlier facesecure left them, made of one of today's.

``python earlier.py DATABASE`` takes the database back to revision 0011; it needs nothing but Python.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing


def remove_tables_after_0011(connection: sqlite3.Connection) -> None:
    """Remove every table and column that a migration after 0011 makes."""
    for table in ("passkeys", "push_subscriptions", "push_keys"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    if any(column[1] == "mode" for column in connection.execute("PRAGMA table_info(sightings)")):
        connection.execute("ALTER TABLE sightings DROP COLUMN mode")
    remove_tables_after_0014(connection)


def remove_tables_after_0014(connection: sqlite3.Connection) -> None:
    """Remove every table and column that a migration after 0014 makes."""
    connection.execute("DROP TABLE IF EXISTS visitors_elsewhere")
    if any(column[1] == "uid" for column in connection.execute("PRAGMA table_info(visitors)")):
        connection.execute("DROP INDEX ix_visitors_uid")
        connection.execute("ALTER TABLE visitors DROP COLUMN uid")
        connection.execute("ALTER TABLE marked_faces DROP COLUMN door")


def back_to_0011(path: str) -> None:
    """Take the database at ``path`` back to revision 0011."""
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        remove_tables_after_0011(connection)
        connection.execute("UPDATE alembic_version SET version_num = '0011'")


if __name__ == "__main__":
    back_to_0011(sys.argv[1])
