"""One look of a door at what has changed at the hub for it: a round trip that each door makes every second."""

from __future__ import annotations

from typing import Any

import psycopg

from facesecure.hub.news import Look
from facesecure.hub.tables import COUNTED

# The number of the file in which wakings are is another one after a backup was put back under the doors' connections.
_LOOK = (
    f"SELECT look_every, changed, pg_relation_filenode(to_regclass('wakings')), {', '.join(COUNTED)} FROM look()"
).encode()


def look_at(driver: psycopg.Connection[Any]) -> tuple[int | None, Look | None]:
    """Return how often to look, in milliseconds (0: this door is notified), and what was seen, past SQLAlchemy.

    None for what the hub does not know, as of a door that was removed.
    """
    driver.autocommit = True
    try:
        row: tuple[Any, ...] | None = driver.execute(_LOOK, prepare=True).fetchone()
    finally:
        if not driver.closed:
            driver.autocommit = False
    assert row is not None
    every, changed, place, *counts = row
    if None in (changed, place, *counts):
        return every, None
    return every, Look(changed, dict(zip(COUNTED, counts, strict=True)), place)
