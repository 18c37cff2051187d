"""The hub's tables are made, and brought up to date, on PostgreSQL and on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, insert, text

from facesecure.domain.errors import HubError, HubRefusedError
from facesecure.hub.connecting import HubAddress
from facesecure.hub.database import HubDatabase
from facesecure.hub.roles import make_hub, migrate, upgrade_hub
from facesecure.hub.row_values import door_values
from facesecure.hub.rows import Estate
from facesecure.hub.store import HubStore
from facesecure.hub.tables import HEAD, doors, metadata
from support.hub import a_door, door_of, new_id, postgres_hub
from support.postgres.server import ADMINISTRATOR, Server

pytest_plugins = ["support.postgres.fixtures"]

VERSIONS = Path(migrate.__code__.co_filename).parent / "migrations" / "versions"
REVISIONS = sorted(file.name[:4] for file in VERSIONS.glob("[0-9]*.py"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """An empty database in which the schema can be made, in a transaction that is committed by the test."""
    if request.param == "sqlite":
        made = create_engine(f"sqlite:///{tmp_path}/hub.db")
    else:
        server: Server = request.getfixturevalue("postgres")
        name = server.new_database()
        for role in ("owner", "doors"):
            server.administer(f"CREATE ROLE {role}_{name}")
        server.administer("CREATE SCHEMA facesecure", name)
        url = f"postgresql+psycopg://{ADMINISTRATOR}@/{name}?host={server.folder}&port={server.port}"
        made = create_engine(url, connect_args={"options": "-c search_path=facesecure"})
    with made.connect() as connection:
        yield connection
    made.dispose()


def roles_of(connection: Connection) -> dict[str, str]:
    if connection.dialect.name == "sqlite":
        return {}
    return {"owner": f"owner_{connection.engine.url.database}", "group": f"doors_{connection.engine.url.database}"}


@contextmanager
def begun(connection: Connection) -> Iterator[None]:
    connection.rollback()
    with connection.begin():
        yield


def test_head_is_the_newest_revision() -> None:
    assert REVISIONS[-1] == HEAD


def test_the_migrations_make_the_tables_that_queries_use(engine: Connection) -> None:
    with begun(engine):
        migrate(engine, **roles_of(engine))
        found = compare_metadata(MigrationContext.configure(engine), metadata)
    assert [each for each in found if each[0] not in ("add_constraint", "remove_constraint")] == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_older_hub_is_brought_up_to_date_with_what_it_has(engine: Connection, revision: str) -> None:
    door = a_door(new_id(), "gate")
    with begun(engine):
        migrate(engine, revision, **roles_of(engine))
        engine.execute(insert(doors).values(**door_values(door), joined_at=datetime.now(UTC)))
    with begun(engine):
        migrate(engine, **roles_of(engine))
    assert engine.execute(text("SELECT name FROM doors")).scalars().all() == ["gate"]
    engine.rollback()
    with begun(engine):
        assert MigrationContext.configure(engine).get_current_revision() == HEAD


BAD = """
INSERT INTO estate (identifier, authority, manager, created_at) VALUES
    ('{0}', decode(repeat('61', 32), 'hex'), '{1}', now());
INSERT INTO people (identifier, household, author, version, document, signature) VALUES
    ('{0}', '{0}', '{1}', 4611686018427387903, 'x', {2}), (repeat('Z', 32), '{0}', '{1}', 1, 'x', {2}),
    ('{1}', '{0}', '{1}', 1, 'good', {2});
INSERT INTO person_keys (person, door, wrapped, author, signature) VALUES ('{0}', '{1}', 'x', '{1}', {2}),
    ('{1}', '{1}', 'good', '{1}', {2});
INSERT INTO removals (person, door, household, version, ordered_by, signature, ordered_at) VALUES
    ('{0}', '{1}', '{0}', 2, '{1}', {2}, now()), ('{1}', 'nowhere', '{0}', 2, '{1}', {2}, now());
INSERT INTO records (kind, identifier, household, author, version, document, signature) VALUES
    ('visitor', 'A B', '{0}', '{1}', 1, 'x', {2}), ('visitor', '{0}.1', '{0}', '{1}', 1, 'x', {2}),
    ('visitor', '{1}.1', '{0}', '{1}', 4611686018427387903, NULL, {2}), ('mode', 'other', '{0}', '{1}', 1, 'x', {2}),
    ('visitor', '{1}.2', '{0}', '{1}', 1, 'good', {2}), ('visitor', '{0}.2', '{0}', '{1}', 2, NULL, {2}),
    ('mode', '{0}', '{0}', '{1}', 1, 'good', {2});
INSERT INTO sightings (identifier, household, author, document, signature, at) VALUES
    (repeat('Z', 32), '{0}', '{1}', 'x', {2}, now()), ('{1}', '{0}', '{1}', 'good', {2}, now());
INSERT INTO household_keys (household, version, door, wrapped, author, signature) VALUES
    ('{0}', 2, '{1}', 'x', '{0}', {2}), ('{0}', 1, '{1}', 'good', '{1}', {2})
"""
"""What doors could write before 0006, and ``good`` what they should."""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_rows_with_which_a_door_hindered_the_others_do_not_hinder_the_upgrade(engine: Connection) -> None:
    door = a_door(new_id(), "gate")
    with begun(engine):
        migrate(engine, "0005", **roles_of(engine))
        engine.execute(insert(doors).values(**door_values(door), joined_at=datetime.now(UTC)))
        signature = "decode(repeat('61', 64), 'hex')"
        for statement in BAD.format(new_id(), door.identifier, signature).split(";\n"):
            engine.exec_driver_sql(statement)
    with begun(engine):
        migrate(engine, **roles_of(engine))
    for table, column, rows in (
        ("people", "document", 1), ("person_keys", "wrapped", 1), ("removals", "signature", 0),
        ("records", "document", 3), ("sightings", "document", 1), ("household_keys", "wrapped", 1),
    ):  # fmt: skip
        found = engine.exec_driver_sql(f"SELECT {column} FROM {table}").scalars().all()
        assert len(found) == rows
        assert {bytes(each) for each in found if each is not None} <= {b"good"}, table


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_what_rules_and_triggers_do_is_not_planned_in_each_statement(engine: Connection) -> None:
    """It would cost a door the more, the more doors there are: the owner is a member of every door's role."""
    with begun(engine):
        migrate(engine, **roles_of(engine))
    planned_anew = engine.exec_driver_sql(
        """
        SELECT proname FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
        WHERE pronamespace = 'facesecure'::regnamespace
            AND (lanname = 'sql' OR (prorettype = 'trigger'::regtype AND prosrc ~ '\\mEXECUTE\\M'))
        """
    )
    assert set(planned_anew.scalars()) == {"end_stalled"}, "which ends connections, and is rarely called"


def test_a_hub_of_a_newer_version_is_refused_and_left_as_it_is(engine: Connection) -> None:
    with begun(engine):
        migrate(engine, **roles_of(engine))
        engine.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HubError, match="newer facesecure"), begun(engine):
        migrate(engine, **roles_of(engine))
    with begun(engine):
        assert engine.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


@pytest.mark.slow
def test_every_table_of_the_hub_is_guarded(postgres: Server) -> None:
    with postgres_hub(postgres) as hub:
        rows = postgres.administer(
            "SELECT relname, relrowsecurity AND relforcerowsecurity, has_table_privilege('public', oid, 'select')"
            " FROM pg_class WHERE relnamespace = 'facesecure'::regnamespace AND relkind = 'r'",
            hub.database,
        )
    assert {name for name, *_ in rows} == {*metadata.tables, "alembic_version"}
    assert {name for name, guarded, _ in rows if not guarded} == {"alembic_version"}
    assert not any(public for *_, public in rows)


def address(server: Server, user: str, database: str, password: str) -> HubAddress:
    return HubAddress(server.url(user, database), password, server.authority.root)


@pytest.mark.slow
def test_a_hub_is_made_once_in_a_database_and_upgraded_to_the_same(postgres: Server) -> None:
    with postgres_hub(postgres) as hub:
        administrator = address(postgres, ADMINISTRATOR, hub.database, postgres.password)
        made = Estate(new_id(), b"a" * 32, new_id(), hub.manager.doors.now())
        with pytest.raises(HubError, match="a hub in this database already"):
            make_hub(administrator, made, a_door(new_id()), "password", [])
        assert upgrade_hub(administrator) == HEAD
        with pytest.raises(HubRefusedError, match="does not allow"):
            upgrade_hub(hub.address(door_of(hub.manager)))


@pytest.mark.slow
def test_a_role_without_rights_cannot_make_a_hub(postgres: Server) -> None:
    name = postgres.new_database()
    postgres.administer(f"CREATE ROLE plain_{name} LOGIN PASSWORD 'plain'")
    made = Estate(new_id(), b"a" * 32, new_id(), datetime.now(UTC))
    with pytest.raises(HubRefusedError, match="may not make a hub"):
        make_hub(address(postgres, f"plain_{name}", name, "plain"), made, a_door(new_id()), "password", [])
    with pytest.raises(HubError, match="no hub in the database"):
        upgrade_hub(address(postgres, ADMINISTRATOR, name, postgres.password))


@pytest.mark.slow
def test_whoever_owns_the_database_and_may_create_roles_needs_no_superuser(postgres: Server) -> None:
    name = postgres.new_database()
    postgres.administer(f"CREATE ROLE admin_{name} LOGIN CREATEROLE PASSWORD 'admin'")
    postgres.administer(f"ALTER DATABASE {name} OWNER TO admin_{name}")
    door = a_door(new_id())
    made = Estate(new_id(), b"a" * 32, door.identifier, datetime.now(UTC))
    make_hub(address(postgres, f"admin_{name}", name, "admin"), made, door, "password", [])
    database = HubDatabase(address(postgres, f"facesecure_door_{door.identifier}", name, "password"))
    store = HubStore(database, door.identifier, door.household)
    assert store.doors.estate().identifier == made.identifier
    assert [each.name for each in store.doors.all()] == [door.name]
    database.close()
    assert upgrade_hub(address(postgres, f"admin_{name}", name, "admin")) == HEAD
