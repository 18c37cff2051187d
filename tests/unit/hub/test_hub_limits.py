"""The database takes from one door only so many people, records and sightings, and from others as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from facesecure.domain.errors import HubRefusedError
from facesecure.hub.store import HubStore
from support.hub import Hub, a_person, a_record, a_sighting, door_of, new_id, postgres_hub
from support.postgres.server import Server

pytest_plugins = ["support.postgres.fixtures"]
pytestmark = pytest.mark.slow

FILLED = """
SET session_replication_role = replica;
INSERT INTO facesecure.{table} (household, author, {columns})
    SELECT '{household}', '{author}', {values} FROM generate_series(1, {count}) AS number
"""
LIMITS: dict[str, tuple[str, str, int, Callable[[HubStore], object]]] = {
    "people": (
        "identifier, version, document, signature",
        "md5(number::text), 1, 'x', decode(repeat('61', 64), 'hex')",
        25_000,
        lambda store: store.people.put(a_person(store), [], 0),
    ),
    "records": (
        "kind, identifier, version, document, signature",
        "'visitor', '{author}.' || number, 1, 'x', decode(repeat('61', 64), 'hex')",
        20_000,
        lambda store: store.records.put(a_record(store, part=new_id()), 0),
    ),
    "sightings": (
        "identifier, at, document, signature",
        "md5(number::text), now() - interval '59 minutes', 'x', decode(repeat('61', 64), 'hex')",
        5_000,
        lambda store: store.sightings.add([a_sighting()]),
    ),
}


@pytest.fixture(scope="module")
def hub(postgres: Server) -> Iterator[Hub]:
    with postgres_hub(postgres) as made:
        yield made


def fill(hub: Hub, store: HubStore, table: str, count: int) -> None:
    """Give ``store``'s door ``count`` rows, past the rules."""
    columns, values, *_ = LIMITS[table]
    household, author = store.people._member.household, door_of(store)
    assert hub.server is not None
    with hub.server.connect(database=hub.database) as connection:
        whole = FILLED.replace("{values}", values)
        connection.execute(
            whole.format(table=table, columns=columns, household=household, author=author, count=count).encode()
        )


@pytest.mark.parametrize("table", LIMITS)
def test_a_door_may_have_so_many_rows_and_not_one_more(hub: Hub, table: str) -> None:
    store, neighbour = (hub.join(household, new_id()) for household in [new_id()] * 2)
    *_, most, add = LIMITS[table]
    fill(hub, store, table, most - 1)
    add(store)
    with pytest.raises(HubRefusedError, match="too much into the hub"):
        add(store)
    add(neighbour)
