"""How a hub is made: what interrupts it loses no authority of a hub that exists, and its errors are an administrator's.

On a real PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect

from facesecure.domain.errors import HubError, HubRefusedError, UsageError
from facesecure.hub import making
from facesecure.hub.access import opened
from facesecure.hub.connecting import HubAddress
from facesecure.hub.identity import Identity
from facesecure.hub.identity_file import find_identity, read_identity
from facesecure.hub.making import administrator_at, make
from facesecure.hub.roles import upgrade_hub, was_committed
from support.hub_estate import CONFIG
from support.postgres.server import ADMINISTRATOR, Server

pytest_plugins = ["support.postgres.fixtures"]
slow = pytest.mark.slow
LOST = psycopg.OperationalError("server closed the connection unexpectedly")


@pytest.fixture
def administrator(postgres: Server) -> HubAddress:
    return HubAddress(postgres.url(ADMINISTRATOR, postgres.new_database()), postgres.password, postgres.authority.root)


@pytest.fixture
def made(postgres: Server, administrator: HubAddress, tmp_path: Path) -> Callable[[], Identity]:
    return lambda: make(tmp_path, administrator, "front", "home", postgres.authority.root.read_text())


def fail(patch: pytest.MonkeyPatch, owner: type, name: str, error: BaseException, *, done: bool) -> None:
    """Let ``owner.name`` raise ``error`` the first time, after it was ``done`` or in its place."""
    original, errors = getattr(owner, name), [error]

    def failing(*given: Any, **named: Any) -> Any:
        if done or not errors:
            original(*given, **named)
        if errors:
            raise errors.pop()

    patch.setattr(owner, name, failing)


@slow
@pytest.mark.parametrize(
    ("owner", "name", "error"),
    [
        (Engine, "dispose", KeyboardInterrupt()),
        (DefaultDialect, "do_commit", KeyboardInterrupt()),
        (DefaultDialect, "do_commit", LOST),
    ],
    ids=["Ctrl-C at the end", "Ctrl-C at the commit", "no answer to the commit"],
)
def test_what_comes_after_the_commit_leaves_the_manager_with_its_hub(
    made: Callable[[], Identity], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, name: str,
    error: BaseException,
) -> None:  # fmt: skip
    fail(monkeypatch, owner, name, error, done=True)
    assert made().door == read_identity(tmp_path).door
    with opened(read_identity(tmp_path), CONFIG, tmp_path) as store:
        assert [door.name for door in store.doors.all()] == ["front"]


@slow
@pytest.mark.parametrize(("error", "kind"), [(KeyboardInterrupt(), KeyboardInterrupt), (LOST, HubError)])
def test_what_comes_before_the_commit_leaves_nothing_behind(
    made: Callable[[], Identity], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException,
    kind: type[BaseException],
) -> None:  # fmt: skip
    fail(monkeypatch, DefaultDialect, "do_commit", error, done=False)
    with pytest.raises(kind):
        made()
    assert find_identity(tmp_path) is None
    assert made().door == read_identity(tmp_path).door, "it can be tried again"


@slow
def test_where_nobody_answers_whether_the_hub_was_made_the_authority_is_kept(
    made: Callable[[], Identity], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "was_committed", lambda *_: None)
    fail(monkeypatch, DefaultDialect, "do_commit", LOST, done=True)
    with pytest.raises(HubError, match="nobody answers whether the hub") as caught:
        made()
    assert "hub leave" in str(caught.value.hint)
    identity = read_identity(tmp_path)
    assert identity.is_manager
    with opened(identity, CONFIG, tmp_path) as store:
        assert store.doors.estate().manager == identity.door


@slow
def test_whether_a_transaction_was_committed_is_known_afterwards(postgres: Server, administrator: HubAddress) -> None:
    def begun() -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=postgres.port, dbname=administrator.parsed().database, user=ADMINISTRATOR,
            password=postgres.password, sslmode="verify-full", sslrootcert=str(postgres.authority.root),
        )  # fmt: skip

    for end, known in ((psycopg.Connection.commit, True), (psycopg.Connection.rollback, False)):
        with begun() as connection:
            ((number,),) = connection.execute("SELECT pg_current_xact_id()::text").fetchall()
            assert was_committed(administrator, number) is None
            end(connection)
            assert was_committed(administrator, number) is known
    assert was_committed(replace(administrator, password="wrong"), number) is None


@slow
def test_a_wrong_password_of_the_administrator_is_not_called_the_doors(
    postgres: Server, administrator: HubAddress, made: Callable[[], Identity], tmp_path: Path
) -> None:
    made()
    wrong = replace(administrator, password="mistaken")
    for sign_in in (
        lambda: upgrade_hub(wrong),
        lambda: make(tmp_path / "other", wrong, "front", "home", postgres.authority.root.read_text()),
    ):
        with pytest.raises(HubRefusedError, match="the administrator's name or password") as caught:
            sign_in()
        told = str(caught.value)
        assert ("invitation" in told, "this door" in told, "mistaken" in told) == (False, False, False)
    assert find_identity(tmp_path / "other") is None


@pytest.mark.parametrize(
    "address", ["http://x/y", "hub.lan", "postgresql://x", "mysql://root@hub.lan/doors", "postgresql://[::1/doors"]
)
def test_what_is_no_address_is_refused_with_a_hint_that_can_be_read(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        administrator_at(address, HubAddress(""), lambda: None)
    assert "postgresql://HOST/DATABASE" in str(caught.value.hint)
    assert "***" not in str(caught.value)
    assert "Invalid" not in str(caught.value), "those are another's words"
