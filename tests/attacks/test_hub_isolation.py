"""A door that lies, one that was only invited, and one that was shut out, each with its real role in PostgreSQL."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from facesecure.hub.row_values import role_of
from facesecure.hub.rows import RecordKind, Right
from facesecure.hub.store import HubStore
from facesecure.hub.tables import metadata
from support.faults.table import attack
from support.hub import (
    ALL,
    SIGNATURE,
    Hub,
    a_key,
    a_person,
    a_record,
    a_sighting,
    door_of,
    new_id,
    postgres_hub,
)
from support.hub_escapes import ESCAPES
from support.postgres.server import Server

pytest_plugins = ["support.postgres.fixtures"]

RECORD = (
    "INSERT INTO records (household, kind, identifier, author, version, document, signature)"
    " VALUES (%s, %s, %s, %s, 1, %s, %s)"
)
Saw = Callable[[str], None]
pytestmark = pytest.mark.slow
Row = tuple[Any, ...]
PUBLIC = {"estate", "doors"}
"""What every door may read: names, public keys and certificates."""
WHOSE = ("author", "door", "ordered_by")


@dataclass
class Attacked:
    """A hub with a household that has something of everything, and an attacker of another."""

    hub: Hub
    victim: HubStore
    attacker: HubStore
    person: str
    tables: dict[str, list[str]] = field(default_factory=dict)

    def connect(self, door: str) -> psycopg.Connection[Any]:
        """Sign in as a door, over TLS, with its password."""
        return self.hub.connect(door)

    def dump(self) -> dict[str, set[Row]]:
        """Return every row of every table, as the superuser sees it."""
        server = self.hub.server
        assert server is not None
        with server.connect(database=self.hub.database) as connection:
            return {
                table: set(connection.execute(sql.SQL("SELECT * FROM facesecure.{}").format(sql.Identifier(table))))
                for table in self.tables
            }


@pytest.fixture(scope="module")
def attacked(postgres: Server) -> Iterator[Attacked]:
    with postgres_hub(postgres) as hub:
        victim = hub.join(new_id(), "victim")
        second = hub.join(victim.people._member.household, "second")
        attacker = hub.join(new_id(), "attacker", ALL - {Right.SHARE})
        person = fill(victim, second)
        fill(attacker, attacker)
        hub.invite("open")
        made = Attacked(hub, victim, attacker, person)
        made.tables = {table.name: [column.name for column in table.columns] for table in metadata.sorted_tables}
        yield made


def fill(store: HubStore, second: HubStore) -> str:
    """Put something of everything into the hub, and return a person."""
    person, removed = a_person(store), a_person(store)
    for each in (person, removed):
        keys = [a_key(each.identifier, door_of(one), store) for one in {store, second}]
        store.people.put(each, keys, 0)
    store.people.remove(removed.identifier, 2, SIGNATURE)
    for kind in RecordKind:
        store.records.put(a_record(store, kind), 0)
    sighting, other = a_sighting(), a_sighting()
    store.doors.report(b"sealed")
    with store.notices.turn(timeout=30) as turn:
        turn.add(sighting)
        turn.claim(sighting.identifier)
    store.sightings.add([other])
    for asked in (sighting, other):
        second.crops.request(asked.identifier)
    store.crops.put(other.identifier, b"crop")
    return person.identifier


def outcome(
    connection: psycopg.Connection[Any], query: str | sql.Composed, values: Sequence[Any] = ()
) -> list[Row] | None:
    """Return the rows that a statement gives in a transaction of its own; None if it is refused."""
    try:
        text = query.encode() if isinstance(query, str) else query
        with connection.transaction():
            cursor = connection.execute(text, values) if values else connection.execute(text)
            return cursor.fetchall() if cursor.description else []
    except psycopg.Error:
        connection.rollback()
        return None


def ran(connection: psycopg.Connection[Any], statement: str) -> bool:
    """Return whether a statement succeeds outside a transaction, where more are allowed."""
    try:
        connection.execute(statement.encode())
    except psycopg.Error:
        return False
    return True


def secrets_of(rows: dict[str, set[Row]], mine: set[str]) -> set[Any]:
    """Return the values that only rows of others have: sealed bytes apart, which are the same for all here."""
    found = set()
    for table, lines in rows.items():
        if table not in PUBLIC:
            found |= {value for row in lines if not mine & set(map(str, row)) for value in row if _telling(value)}
    return found


def _telling(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 32


def households(attacked: Attacked, store: HubStore) -> set[str]:
    return {door_of(store), store.people._member.household}


@attack(
    "hub: a door reads another household's rows",
    how="every column of every table by SELECT, COPY, FOR UPDATE, an error that quotes it, and statistics",
)
def test_a_door_reads_nothing_that_is_not_its_own(attacked: Attacked, saw: Saw) -> None:
    mine = households(attacked, attacked.attacker)
    theirs = secrets_of(attacked.dump(), mine) - mine
    public = {str(value) for table in PUBLIC for row in attacked.dump()[table] for value in row}
    theirs -= public
    assert len(theirs) >= 8
    tried, read = 0, 0
    with attacked.connect(door_of(attacked.attacker)) as connection:
        for table, columns in attacked.tables.items():
            for statement in readings(table, columns):
                rows = outcome(connection, statement) or []
                tried, read = tried + 1, read + len(rows)
                seen = " ".join(str(value) for row in rows for value in row)
                assert not [value for value in theirs if value in seen], statement
        with connection.cursor() as cursor, cursor.copy(b"COPY people TO STDOUT") as copy:
            assert attacked.person.encode() not in b"".join(bytes(part) for part in copy)
    assert read > 0
    saw(f"{tried} readings: no value of another household's among the {read} rows of its own and the public ones")


def readings(table: str, columns: list[str]) -> Iterator[str]:
    yield f"SELECT * FROM {table}"
    yield f"SELECT * FROM {table} FOR UPDATE"
    yield f"SELECT * FROM {table} FOR KEY SHARE"
    yield f"TABLE {table}"
    yield f"SELECT count(*)::text FROM {table}, pg_stats WHERE tablename = '{table}' AND most_common_vals IS NOT NULL"
    yield f"SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE tablename = '{table}'"
    yield f"DELETE FROM {table} WHERE false RETURNING *"
    for column in columns:
        yield f"SELECT {column} FROM {table}"
        yield f"SELECT {column} FROM {table} WHERE ({column}::text || 'x')::int = 1"
        yield f"UPDATE {table} SET {column} = {column} WHERE false RETURNING *"
        yield f"SELECT max({column}::text), min({column}::text) FROM {table}"


@attack(
    "hub: a door writes another household's rows",
    how="INSERT of every row with every mixture of its own and others' names, UPDATE of every column, DELETE, TRUNCATE",
)
def test_a_door_writes_nothing_that_is_not_its_own(attacked: Attacked, saw: Saw) -> None:
    before = attacked.dump()
    mine = households(attacked, attacked.attacker)
    tried, taken = 0, 0
    with attacked.connect(door_of(attacked.attacker)) as connection:
        for table, columns in attacked.tables.items():
            for statement, values in writings(attacked, table, columns, before[table]):
                tried += 1
                taken += outcome(connection, statement, values) is not None
    after = attacked.dump()
    for dump in (before, after):  # counts of what concerned a door, as an order that it will refuse
        dump["wakings"] = {(*row[:2], *[0] * len(row[2:])) for row in dump["wakings"]}
    for table, rows in before.items():
        lost = {row for row in rows - after[table] if not mine & set(map(str, row))}
        assert not lost, (table, lost)
        for row in after[table] - rows:
            named = dict(zip(attacked.tables[table], row, strict=True))
            assert {named[name] for name in WHOSE if name in named and name != "door"} <= mine, (table, named)
            assert named.get("household", next(iter(mine))) in mine, (table, named)
    for row in after["person_keys"] - before["person_keys"]:
        assert dict(zip(attacked.tables["person_keys"], row, strict=True))["door"] in mine
    saw(f"{tried} statements, of which {taken} ran: no row of another is changed or gone, none is in another's name")


def writings(attacked: Attacked, table: str, columns: list[str], rows: set[Row]) -> Iterator[tuple[Any, Sequence[Any]]]:
    name = sql.Identifier(table)
    door, household = door_of(attacked.attacker), attacked.attacker.people._member.household
    own = {"author": door, "door": door, "ordered_by": door, "household": household, "identifier": new_id()}
    for row in sorted(rows, key=str)[:12]:
        given = dict(zip(columns, row, strict=True))
        swapped = [column for column in columns if column in own]
        for count in range(len(swapped) + 1):
            for chosen in itertools.combinations(swapped, count):
                values = {**given, **{column: own[column] for column in chosen}}
                if "identifier" in chosen:
                    values["identifier"] = new_id()
                for left_out in (("revision",), ("revision", "removed_at", "confirmed_at", "crop")):
                    used = {column: value for column, value in values.items() if column not in left_out}
                    yield insertion(name, used, ""), list(used.values())
                    yield insertion(name, used, " ON CONFLICT DO NOTHING"), list(used.values())
    for column in columns:
        yield sql.SQL("UPDATE {} SET {} = {}").format(name, sql.Identifier(column), sql.Identifier(column)), ()
        for value in (door, household, b"forged" * 11, 1 << 40, datetime.now(UTC)):
            yield sql.SQL("UPDATE {} SET {} = %s").format(name, sql.Identifier(column)), (value,)
    for statement in OWNERS:
        yield sql.SQL(statement).format(name), ()


OWNERS: tuple[LiteralString, ...] = (
    "DELETE FROM {}",
    "TRUNCATE {} CASCADE",
    "DROP TABLE {} CASCADE",
    "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE {} OWNER TO CURRENT_USER",
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
    "CREATE POLICY mine ON {} USING (true)",
    "CREATE RULE mine AS ON SELECT TO {} DO INSTEAD NOTHING",
    "GRANT ALL ON {} TO PUBLIC",
    "COMMENT ON TABLE {} IS 'mine'",
)


def insertion(name: sql.Identifier, values: dict[str, Any], end: LiteralString) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, values))
    places = sql.SQL(", ").join([sql.Placeholder()] * len(values))
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(name, columns, places) + sql.SQL(end)


@attack(
    "hub: a door gives itself rights",
    how="SET ROLE, GRANT, ALTER ROLE, own functions, extensions, files, locks, large objects, the manager's functions",
)
def test_a_door_cannot_give_itself_rights(attacked: Attacked, saw: Saw) -> None:
    server = attacked.hub.server
    assert server is not None
    ((owner,),) = server.administer(
        "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'facesecure'", attacked.hub.database
    )
    ((pid,),) = server.administer(
        f"SELECT max(pid) FROM pg_stat_activity WHERE usename = '{role_of(door_of(attacked.victim))}'"
    )
    door = door_of(attacked.victim)
    verifier = "SCRAM-SHA-256$4096:" + "a" * 24 + "$" + "b" * 44 + ":" + "c" * 44
    role, household = role_of(door), attacked.attacker.people._member.household
    words = {"owner": owner, "victim": role, "victim_role": role, "pid": pid, "new": new_id(), "door": door}
    words |= {"household": household, "verifier": verifier}
    before = attacked.dump()
    roles = server.administer("SELECT r::text FROM pg_roles r ORDER BY rolname")
    attacked.victim.doors.now()
    with attacked.connect(door_of(attacked.attacker)) as connection:
        connection.execute("SELECT 1")
        allowed = [text for text in ESCAPES if ran(connection, text.format(**words))]
    assert allowed == []
    assert attacked.dump() == before
    assert server.administer("SELECT r::text FROM pg_roles r ORDER BY rolname") == roles
    attacked.victim.doors.now()
    saw(f"{len(ESCAPES)} of {len(ESCAPES)} statements refused; rows and roles as before")


@attack(
    "hub: somebody invited, or shut out, looks around",
    how="every table and function by roles that have not joined, or were removed",
)
def test_who_has_not_joined_or_was_shut_out_sees_nothing(attacked: Attacked, saw: Saw) -> None:
    hub = attacked.hub
    invited = hub.invite()
    before = attacked.dump()
    with attacked.connect(invited) as connection:
        for table in attacked.tables:
            rows = outcome(connection, f"SELECT * FROM {table}") or []
            assert len(rows) <= (table in ("estate", "invitations")), table
        for call in (
            "take_turn()",
            "expire()",
            f"finish_join('{'x' * 20}')",
            f"remove_door('{door_of(attacked.victim)}')",
        ):
            assert outcome(connection, f"SELECT {call}") is None, call
        assert outcome(connection, "SELECT end_stalled()") == [(0,)]
    assert attacked.dump() == before
    gone = hub.join(attacked.victim.people._member.household, "gone")
    with attacked.connect(door_of(gone)) as connection:
        assert connection.execute("SELECT 1 FROM people").fetchall() is not None
        hub.manager.doors.remove(door_of(gone))
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT * FROM people")
    with pytest.raises(psycopg.OperationalError):
        attacked.connect(door_of(gone))
    hub.manager.joining.withdraw(invited)
    saw("the invited reads the estate's key and its own invitation, nothing else; who is shut out is cut off at once")


@attack(
    "hub: a door listens in", how="LISTEN on every name that it can read, while another household changes everything"
)
def test_a_door_hears_nothing_of_others(attacked: Attacked, saw: Saw) -> None:
    with attacked.connect(door_of(attacked.attacker)) as connection:
        names = {
            str(value)
            for table in attacked.tables
            for row in outcome(connection, f"SELECT * FROM {table}") or []
            for value in row
        }
        names |= {role_of(door_of(attacked.victim)), "facesecure", *attacked.tables}
        own = connection.execute("SELECT channel FROM wakings").fetchall()
        listened = [name for name in names if 0 < len(name) < 64 and (name,) not in own]
        for name in listened:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(name)))
        attacked.victim.records.put(a_record(attacked.victim, part=new_id()), 0)
        attacked.victim.sightings.add([a_sighting()])
        assert list(connection.notifies(timeout=0.5)) == []
        assert len(own) == 1
        for channel in own:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel[0])))
        attacked.victim.records.put(a_record(attacked.victim, part=new_id()), 0)
        assert list(connection.notifies(timeout=0.5)) == []
    saw(f"{len(listened)} names: silence; channels have random names, which only their door can read")


@attack(
    "hub: a door floods the hub",
    how="rows above the limits of size, more sightings than an hour may have, 64 connections at once",
)
def test_a_door_cannot_flood_the_hub(attacked: Attacked, saw: Saw) -> None:
    door, household = door_of(attacked.attacker), attacked.attacker.people._member.household
    with attacked.connect(door) as connection:
        row = (
            "INSERT INTO sightings (identifier, household, author, document, signature, at)"
            " VALUES (%s, %s, %s, %s, %s, now())"
        )
        for size in (0, (64 << 10) + 1, 1 << 24):
            assert outcome(connection, row, (new_id(), household, door, b"x" * size, SIGNATURE)) is None
        large = b"x" * ((1 << 20) + 1)
        assert outcome(connection, RECORD, (household, "visitor", f"{door}.large", door, large, SIGNATURE)) is None
        assert outcome(connection, RECORD, (household, "other kind", f"{door}.x", door, b"x", SIGNATURE)) is None
        many = (
            "INSERT INTO sightings (identifier, household, author, document, signature, at)"
            f" SELECT md5(n::text || '{secrets.token_hex(4)}'), %s, %s, 'x', %s, now() - interval '2 hours'"
            " FROM generate_series(1, %s) n"
        )
        assert outcome(connection, many, (household, door, SIGNATURE, 6000)) is None
    opened = []
    try:
        for _ in range(64):
            opened.append(attacked.connect(door))
    except psycopg.OperationalError as error:
        assert "too many connections for role" in str(error)  # noqa: PT017
    finally:
        for one in opened:
            one.close()
    assert len(opened) <= 4
    saw(f"rows too large or too many are refused; of 64 connections it gets {len(opened)}, with one of its own open")
