"""A door that keeps the others from going on, or itself from being shut out, with its real role in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from facesecure.domain.errors import HubError, HubRefusedError, HubUnreachableError
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import HouseholdKey, RecordKind, Right
from facesecure.hub.store import HubStore
from facesecure.hub.tables import metadata
from support.faults.table import attack
from support.hub import ALL, SIGNATURE, Hub, a_key, a_person, a_record, a_sighting, door_of, new_id, postgres_hub
from support.postgres.server import Server

pytest_plugins = ["support.postgres.fixtures"]
pytestmark = pytest.mark.slow
Saw = Callable[[str], None]

RECORD = (
    "INSERT INTO records (household, kind, identifier, author, version, document, signature)"
    f" VALUES ('{{household}}', 'visitor', '{{door}}.{{new}}', '{{door}}', 1, 'x', '\\x{SIGNATURE.hex()}')"
)
CROP = "INSERT INTO crop_requests (sighting, door, household, at) VALUES ('{sighting}', '{door}', '{household}', now())"
TAKEN_EARLY = (
    f"BEGIN|{RECORD}|SET CONSTRAINTS ALL IMMEDIATE",
    f"BEGIN|SET CONSTRAINTS ALL IMMEDIATE|{RECORD}",
    f"BEGIN; {RECORD}; SET CONSTRAINTS ALL IMMEDIATE; SELECT 'commit'",
    f"DO $$ BEGIN {RECORD}; EXECUTE concat('SET CON', 'STRAINTS ALL IMMEDIATE'); END $$",
    f"BEGIN|{CROP}|SET CONSTRAINTS ALL IMMEDIATE",
)
"""Each takes the lock under which revisions are given before the transaction ends."""
OWNING = "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"
"""Any role may, and then owns something."""


class House:
    """A hub with two doors of one household, of which one is a liar, and somebody who was only invited."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.household = hub, new_id()
        self.victim, self.liar = hub.join(self.household, "victim"), hub.join(self.household, "liar")
        self.invited = hub.invite()

    def role_is_there(self, door: str) -> bool:
        assert self.hub.server is not None
        return bool(self.hub.server.administer(f"SELECT 1 FROM pg_roles WHERE rolname = '{role_of(door)}'"))

    def administer(self, statement: str) -> list[tuple[Any, ...]]:
        assert self.hub.server is not None
        return self.hub.server.administer(statement, self.hub.database)


@pytest.fixture(scope="module")
def house(postgres: Server) -> Iterator[House]:
    with postgres_hub(postgres) as hub:
        yield House(hub)


def refused(connection: psycopg.Connection[Any], statement: str | sql.Composed) -> str | None:
    """Return the state with which a statement is refused, None if it is not."""
    try:
        connection.execute(statement.encode() if isinstance(statement, str) else statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


@attack(
    "hub: a door locks what all others use",
    how="LOCK TABLE of every table in five modes, by a door and by one that was only invited; revisions taken early",
)
def test_no_door_holds_a_lock_that_all_wait_for(house: House, saw: Saw) -> None:
    modes = ("ACCESS EXCLUSIVE", "EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE", "SHARE UPDATE EXCLUSIVE")
    for door in (door_of(house.liar), house.invited):
        with house.hub.connect(door) as connection:
            for table in metadata.tables:
                for mode in modes:
                    lock = sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.Identifier(table), sql.SQL(mode))
                    with connection.transaction(force_rollback=True):
                        assert refused(connection, lock) == "42501", (table, mode)
    sighting = a_sighting()
    house.victim.sightings.add([sighting])
    words = {"household": house.household, "door": door_of(house.liar), "sighting": sighting.identifier}
    with house.hub.connect(door_of(house.liar)) as connection:
        for text in TAKEN_EARLY:
            states = [refused(connection, each.format(**words, new=new_id())) for each in text.split("|")]
            assert states[-1] == "42501", text
            house.victim.records.put(a_record(house.victim, part=new_id()), 0)
            connection.rollback()
    saw(f"{len(metadata.tables)} tables in {len(modes)} modes and {len(TAKEN_EARLY)} ways to take revisions: refused")


@attack(
    "hub: a door holds what its household waits for",
    how="a transaction left open with locks on the mode, with time limits off",
)
def test_a_transaction_left_open_is_ended(house: House, saw: Saw) -> None:
    mode = a_record(house.victim, RecordKind.MODE)
    house.victim.records.put(mode, 0)
    with house.hub.connect(door_of(house.liar)) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET idle_in_transaction_session_timeout = 0")
        connection.execute("BEGIN")
        connection.execute("SELECT FROM records WHERE kind = 'mode' FOR UPDATE")
        with pytest.raises(HubUnreachableError, match="too slow"):
            house.victim.records.put(replace(mode, version=2), 1)
        assert house.victim.records.put(replace(mode, version=2), 1) is not None
        with pytest.raises(psycopg.OperationalError):
            connection.execute("COMMIT")
    saw("the next door that had to wait for 8 s ends it; its second try goes through")


@attack(
    "hub: a door makes its removal impossible",
    how="default privileges here and in another database, large objects, a transaction that holds its role and keys",
)
def test_a_door_that_owns_and_locks_what_it_can_is_removed(house: House, postgres: Server, saw: Saw) -> None:
    first, second = (house.hub.join(house.household, name) for name in ("first", "second"))
    house.administer("GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC")
    person = a_person(first)
    first.people.put(person, [a_key(person.identifier, door_of(one), first) for one in (first, second)], 0)
    with closing(house.hub.connect(door_of(first))) as connection:
        connection.execute(OWNING)
        connection.execute("SELECT lo_create(0)")
        connection.execute("BEGIN")
        connection.execute("ALTER ROLE CURRENT_USER SET work_mem = '1MB'")
        connection.execute("SELECT FROM person_keys FOR UPDATE")
        house.hub.manager.doors.shut_out(door_of(first))
        house.hub.manager.doors.remove(door_of(first))
        assert not house.role_is_there(door_of(first))
    with closing(house.hub.connect(door_of(second))):
        postgres.administer(f"SET ROLE {role_of(door_of(second))}; {OWNING}")
        house.hub.manager.doors.remove(door_of(second))
    with pytest.raises(psycopg.OperationalError, match=r"not permitted to log in|authentication failed"):
        house.hub.connect(door_of(second))
    saw("both are removed; the role with something in another database stays, and nobody can sign in as it")


def test_nobody_but_the_manager_shuts_a_door_out(house: House) -> None:
    with pytest.raises(HubRefusedError):
        house.liar.doors.shut_out(door_of(house.victim))
    house.victim.doors.now()


@attack(
    "hub: somebody invited stops the clean-up", how="default privileges of roles that never join, one more than dropped"
)
def test_invitations_expire_one_by_one_whatever_their_roles_own(house: House, saw: Saw) -> None:
    owning, stuck, plain = (house.hub.invite(name) for name in ("owning", "stuck", "plain"))
    with house.hub.connect(owning) as connection:
        connection.execute(OWNING)
    house.administer(f"ALTER ROLE {role_of(stuck)} SUPERUSER")  # so that the hub may not drop it
    numbers = ", ".join(f"'{each}'" for each in (owning, stuck, plain))
    house.administer(
        f"UPDATE facesecure.invitations SET expires_at = now() - interval '2 days' WHERE identifier IN ({numbers})"
    )
    house.victim.sightings.expire()
    left = {identifier for (identifier,) in house.administer("SELECT identifier FROM facesecure.invitations")}
    assert left & {owning, stuck, plain} == {stuck}
    assert [house.role_is_there(each) for each in (owning, stuck, plain)] == [False, True, False]
    saw("the others are dropped, also who owned something")


@attack(
    "hub: a door takes its household's next keys",
    how="keys of every version, for each door of the household, in its own name and in the manager's",
)
def test_no_door_but_the_manager_adds_keys_of_a_household(house: House, saw: Saw) -> None:
    doors = [door_of(one) for one in (house.victim, house.liar, house.hub.manager)]
    for author in (door_of(house.liar), door_of(house.hub.manager)):
        for door in doors:
            for version in (2, 3, 1000):
                key = HouseholdKey(house.household, version, door, b"wrapped", author, SIGNATURE)
                with pytest.raises(HubRefusedError):
                    house.liar.household_keys.put([key])
    assert [key.version for key in house.victim.household_keys.mine()] == [1]
    manager, gone = house.hub.manager, house.hub.join(house.household, "gone")
    manager.doors.remove(door_of(gone))
    late = HouseholdKey(house.household, 2, door_of(gone), b"wrapped", door_of(manager), SIGNATURE)
    with pytest.raises(HubError, match="no such door"):
        manager.household_keys.put([late])
    saw(f"{2 * 3 * len(doors)} of {2 * 3 * len(doors)} refused")


@attack(
    "hub: a door overwrites, pins and foresees other doors' records",
    how="documents in their place, versions that leave no higher one, numbers in advance, rows that nobody can read",
)
def test_a_door_writes_its_own_records_in_small_steps_and_in_good_form(house: House, saw: Saw) -> None:
    said, own = a_record(house.victim, part="said"), a_record(house.liar, part="own")
    house.victim.records.put(said, 0)
    house.liar.records.put(own, 0)
    stolen = replace(said, author=door_of(house.liar))
    for record, after in (
        (replace(stolen, version=2), 1), (replace(stolen, version=1 << 40, document=None), 1),
        (replace(stolen, identifier=f"{door_of(house.victim)}.next"), 0),
        (replace(stolen, identifier=f"{door_of(house.victim)}.next", document=None), 0),
        (replace(own, version=1 << 22), 1), (replace(own, identifier=f"{own.author}.high", version=1 << 40), 0),
        (replace(a_record(house.liar, RecordKind.MODE), identifier=own.identifier), 0),
    ):  # fmt: skip
        with pytest.raises(HubRefusedError):
            house.liar.records.put(record, after)
    person = a_person(house.liar)
    house.liar.people.put(person, [], 0)
    with pytest.raises(HubRefusedError):
        house.liar.people.put(replace(person, version=1 << 30), [], 1)
    _refuse_bad_forms(house)
    assert house.liar.records.put(replace(stolen, version=2, document=None), 1) is not None, "who was forgotten"
    assert house.victim.records.put(replace(said, version=3), 2) is not None
    assert house.victim.records.put(replace(said, version=3 + (1 << 20)), 3) is not None, "after an older backup"
    saw("refused; the door goes on writing, and may still empty a record in which somebody is who was forgotten")


def _refuse_bad_forms(house: House) -> None:
    door, signed = door_of(house.liar), f"'\\x{SIGNATURE.hex()}'"
    person, about = a_person(house.liar), f"'{house.household}', '{door}'"
    house.liar.people.put(person, [], 0)
    sighting = a_sighting()
    house.liar.sightings.add([sighting])
    with house.hub.connect(door) as connection:
        for table, more, values in (
            ("records", "kind, identifier, version, document", f"'visitor', '{door}.A B', 1, 'x'"),
            ("records", "kind, identifier, version, document", f"'visitor', '{door}.a\n', 1, 'x'"),
            ("records", "kind, identifier, version, document", f"'visitor', '{door}.a', 0, 'x'"),
            ("sightings", "identifier, document, at", f"'{'Z' * 32}', 'x', now()"),
            ("people", "identifier, version, document", f"'{'Z' * 32}', 1, 'x'"),
            ("removals", "person, door, version, ordered_at", f"'{person.identifier}', '{new_id()}', 1, now()"),
        ):
            author = "ordered_by" if table == "removals" else "author"
            columns = f"household, {author}, {more}, signature"
            statement = f"INSERT INTO {table} ({columns}) VALUES ({about}, {values}, {signed})"
            assert refused(connection, statement) in ("23514", "FS004"), statement
        connection.execute(
            "INSERT INTO notices (household, door, sighting, state, at, until) VALUES"
            f" ({about}, '{sighting.identifier}', 'claimed', '9999-01-01', '2000-01-01')".encode()
        )
    assert house.victim.notices.get(sighting.identifier) is not None, "a time that can be read"


def test_who_may_not_enrol_empties_nothing_of_others(house: House) -> None:
    said = a_record(house.victim, part="kept")
    house.victim.records.put(said, 0)
    plain = house.hub.join(house.household, "plain", ALL - {Right.ENROL})
    with pytest.raises(HubRefusedError):
        plain.records.put(replace(said, author=door_of(plain), version=2, document=None), 1)
    assert plain.records.put(a_record(plain), 0) is not None


def deleted(house: House, store: HubStore, statement: str) -> str | None:
    with house.hub.connect(door_of(store)) as connection:
        return refused(connection, statement)


def test_what_doors_delete_through_functions_is_their_own(house: House) -> None:
    person, sighting = a_person(house.victim), a_sighting()
    house.victim.people.put(person, [a_key(person.identifier, door_of(house.victim), house.victim)], 0)
    with house.victim.notices.turn(timeout=30) as turn:
        turn.add(sighting)
        turn.claim(sighting.identifier)
    house.victim.crops.request(sighting.identifier)
    for call in (
        f"take_keys('{person.identifier}', NULL)",
        f"release_claim('{sighting.identifier}')",
        f"withdraw_crop('{sighting.identifier}')",
        f"deny_crops('{sighting.identifier}', '0')",
        f"drop_request('{house.invited}')",
    ):
        assert deleted(house, house.liar, f"SELECT {call}") is None
    assert house.victim.people.get(person.identifier) is not None
    assert house.victim.notices.get(sighting.identifier) is not None
    assert house.victim.crops.is_asked(sighting.identifier)
