"""A door that lies: with its own role it writes forged rows, and tries to write in others' names."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from benchmarks.hub_estate import Seat
from facesecure.hub.row_values import role_of
from support.postgres.server import Server

_NOISE = "decode(md5(random()::text) || md5(random()::text) || md5(random()::text), 'hex')"
_SIGNED = "decode(repeat(md5(random()::text), 4), 'hex')"
_LIES = f"""
INSERT INTO people (identifier, household, author, version, document, signature)
    VALUES (%(new)s, %(household)s, %(own)s, 1, {_NOISE}, {_SIGNED});
INSERT INTO person_keys (person, door, wrapped, author, signature)
    SELECT identifier, %(other)s, {_NOISE}, %(own)s, {_SIGNED} FROM people WHERE author = %(own)s LIMIT 1;
INSERT INTO removals (person, door, household, version, ordered_by, signature, ordered_at)
    SELECT identifier, %(other)s, %(household)s, version + 1, %(own)s, {_SIGNED}, now() FROM people LIMIT 3;
UPDATE people SET author = %(own)s, version = version + 1, document = {_NOISE}, signature = {_SIGNED}
    WHERE identifier IN (SELECT identifier FROM people WHERE document IS NOT NULL LIMIT 1);
UPDATE records SET author = %(own)s, version = version + 1, document = {_NOISE}, signature = {_SIGNED}
    WHERE kind = 'mode';
UPDATE records SET author = %(other)s, version = version + 1, document = {_NOISE} WHERE kind = 'mode';
INSERT INTO sightings (identifier, household, author, document, signature, at)
    VALUES (%(new)s, %(household)s, %(own)s, {_NOISE}, {_SIGNED}, now());
INSERT INTO notices (sighting, household, door, state, at, until)
    SELECT identifier, household, %(own)s, 'confirmed', now(), now() + interval '1 hour' FROM sightings;
UPDATE sightings SET document = {_NOISE};
INSERT INTO statuses (door, household, seen_at, document) VALUES (%(own)s, %(household)s, now(), {_NOISE})
    ON CONFLICT (door) DO UPDATE SET document = {_NOISE};
UPDATE statuses SET document = {_NOISE} WHERE door = %(other)s;
DELETE FROM people;
DELETE FROM sightings;
UPDATE doors SET rights = 'arm,enrol,share,view';
UPDATE removals SET confirmed_at = now();
""".strip().split(";\n")
"""People whom nobody enrolled, orders to wipe those whom others did, documents, a mode and visits in the place of
others', and what no door may do at all."""


@contextmanager
def lying(seat: Seat, server: Server) -> Iterator[None]:
    """Lie as the door of ``seat`` during the block, some times a second."""
    stopped = threading.Event()
    thread = threading.Thread(target=_lie, args=(seat, server, stopped))
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _lie(seat: Seat, server: Server, stopped: threading.Event) -> None:
    others = [door for door in seat.neighbours if door != seat.door]
    with _signed_in(seat, server) as connection:
        while not stopped.wait(0.3):
            values = {"own": seat.door, "household": seat.household, "other": random.choice(others)}
            values["new"] = secrets.token_hex(16)
            with suppress(psycopg.Error), connection.transaction():
                connection.execute(random.choice(_LIES).encode(), values)


def _signed_in(seat: Seat, server: Server) -> psycopg.Connection[Any]:
    database = seat.url.rpartition("/")[2]
    return server.connect(role_of(seat.door), database, options="-c search_path=facesecure -c statement_timeout=5000")
