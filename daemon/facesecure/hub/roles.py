"""How an administrator makes the hub in an empty database, and upgrades it: its owner, its roles, its schema.

Three kinds of roles. ``facesecure_owner_ESTATE`` owns everything and cannot sign in; ``facesecure_doors_ESTATE`` is the
group that the rules speak of; ``facesecure_door_DOOR`` is one door, made by the function ``invite``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Connection, insert, text

from facesecure.domain.errors import HubError, HubRefusedError
from facesecure.hub.connecting import HubAddress, make_engine
from facesecure.hub.failures import translated
from facesecure.hub.passwords import scram_verifier
from facesecure.hub.row_values import door_values, role_of, without_revision
from facesecure.hub.rows import Estate, HouseholdKey, NewDoor
from facesecure.hub.tables import HEAD, SCHEMA, doors, estate, household_keys

__all__ = ["make_hub", "migrate", "role_of", "upgrade_hub", "was_committed"]

_MIGRATIONS = Path(__file__).parent / "migrations"
_PATIENCE = 600.0
_OLDEST = 150000
_RIGHTS = "sign in as a superuser, or as the owner of the database with the right to create roles"

# What any role may call, and no door needs: locks that others wait for, and files without an owner's limits.
_SHUT = (
    "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace"
    " AND (proname LIKE 'pg_advisory%' OR proname LIKE 'pg_try_advisory%' OR proname LIKE 'lo\\_%'"
    " OR proname IN ('lowrite', 'loread'))"
)


def make_hub(
    administrator: HubAddress,
    made: Estate,
    manager: NewDoor,
    password: str,
    keys: Sequence[HouseholdKey],
    committing: Callable[[str], object] = lambda _: None,
) -> None:
    """Make the schema, its roles and rules, the estate, and the manager's door, which signs in with ``password``.

    ``administrator`` signs in as a role that may create roles, in an empty database; it is not needed again until an
    upgrade (``upgrade_hub``). ``keys`` are the first of the manager's household. ``made.created_at`` is not used: the
    time is the hub's. All or nothing: before ``committing`` is told the transaction's number, nothing is made; after
    an error later, ``was_committed`` knows. Raises HubError if there is a hub already, or rights are missing.
    """
    owner, group = f"facesecure_owner_{made.identifier}", f"facesecure_doors_{made.identifier}"
    with _administering(administrator) as connection:
        _require_rights(connection)
        _make_owner(connection, owner)
        _shut(connection)
        connection.execute(text(f'SET LOCAL ROLE "{owner}"'))
        connection.execute(text(f'CREATE ROLE "{group}" NOLOGIN'))
        connection.execute(text(f'GRANT CONNECT ON DATABASE "{_database(connection)}" TO "{group}"'))
        migrate(connection, owner=owner, group=group)
        _fill(connection, made, manager, keys)
        verifier = scram_verifier(connection, role_of(manager.identifier), password)
        parameters = {"role": role_of(manager.identifier), "verifier": verifier}
        connection.execute(text("SELECT make_role(:role, :verifier, 'infinity')"), parameters)
        committing(str(connection.execute(text("SELECT pg_current_xact_id()::text")).scalar_one()))


def was_committed(administrator: HubAddress, transaction: str) -> bool | None:
    """Return whether the transaction with that number was committed; None if it is not over, or nobody answers."""
    query = text("SELECT pg_xact_status(CAST(:number AS xid8))")
    try:
        with _administering(administrator) as connection:
            status = connection.execute(query, {"number": transaction}).scalar()
    except HubError:
        return None
    return {"committed": True, "aborted": False}.get(str(status))


def upgrade_hub(administrator: HubAddress) -> str:
    """Migrate the schema to this version's. Return its revision. Raises HubError if a newer facesecure made it."""
    with _administering(administrator) as connection:
        owner = connection.execute(
            text("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'facesecure'")
        ).scalar()
        if owner is None:
            raise HubError(
                f"there is no hub in the database at {administrator.where}", "facesecure hub init URL makes it"
            )
        connection.execute(text(f'SET LOCAL ROLE "{owner}"'))
        migrate(connection, owner=owner, group=owner.replace("facesecure_owner_", "facesecure_doors_"))
    return HEAD


def migrate(connection: Connection, target: str = HEAD, **roles: str) -> None:
    """Bring the tables to ``target``, in the transaction of ``connection``; ``roles``: its ``owner`` and ``group``."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.util import CommandError

    now = MigrationContext.configure(connection).get_current_revision()
    if now is not None and now > HEAD:
        raise HubError(
            f"a newer facesecure made this hub (revision {now}; this one knows {HEAD})", "upgrade facesecure"
        )
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, owner=roles.get("owner", ""), doors=roles.get("group", ""))
    try:
        command.upgrade(config, target)
    except CommandError as error:
        raise HubError(f"the hub's database cannot be upgraded: {error}", "upgrade facesecure") from error


@contextmanager
def _administering(address: HubAddress) -> Iterator[Connection]:
    engine = make_engine(address, patience=_PATIENCE)
    if engine.dialect.name != "postgresql":
        raise HubError("the hub's database is not PostgreSQL", "give a postgresql+psycopg:// URL")
    try:
        with translated(address.where, administering=True), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _database(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_database()")).scalar_one()).replace('"', '""')


def _require_rights(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    if driver.info.server_version < _OLDEST:
        raise HubError("the hub's server is older than PostgreSQL 15", "upgrade it")
    if connection.execute(text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}).scalar() is not None:
        raise HubError("there is a hub in this database already", "facesecure hub invite, on its manager, adds doors")
    may = connection.execute(
        text(
            "SELECT rolsuper OR (rolcreaterole AND pg_has_role(datdba, 'MEMBER'))"
            " FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
        )
    ).scalar()
    if not may:
        raise HubRefusedError("this role may not make a hub", _RIGHTS)


def _make_owner(connection: Connection, owner: str) -> None:
    """Make the owner and its schema, and let nobody else into the database but the administrator and the doors."""
    database = _database(connection)
    for statement in (
        f'CREATE ROLE "{owner}" NOLOGIN CREATEROLE',
        f'GRANT "{owner}" TO CURRENT_USER',
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{database}" TO "{owner}" WITH GRANT OPTION',
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f'CREATE SCHEMA {SCHEMA} AUTHORIZATION "{owner}"',
    ):
        connection.execute(text(statement))


def _shut(connection: Connection) -> None:
    """Take from everybody in this database what a door could hinder others with. Only a superuser can."""
    if not connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar():
        return
    for function in connection.execute(text(_SHUT)).scalars().all():
        connection.execute(text(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"))


def _fill(connection: Connection, made: Estate, manager: NewDoor, keys: Sequence[HouseholdKey]) -> None:
    values = {"identifier": made.identifier, "authority": made.authority, "manager": made.manager}
    connection.execute(insert(estate).values(**values, created_at=text("clock_timestamp()")))
    connection.execute(insert(doors).values(**door_values(manager), joined_at=text("clock_timestamp()")))
    for key in keys:
        connection.execute(insert(household_keys).values(**without_revision(key)))
