"""The address of the hub's database, and how a door connects to it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from facesecure.config.hub import HubConfig
from facesecure.domain.errors import HubConflictError, HubError, HubFullError, HubRefusedError, HubUnreachableError
from facesecure.hub import access, connecting
from facesecure.hub.connecting import HubAddress, make_engine
from facesecure.hub.database import HubDatabase
from facesecure.hub.failures import translated
from facesecure.hub.store import HubStore

URL = "postgresql+psycopg://door@hub.example:5433/hub"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hub.example",
        "postgresql://door@hub.example/hub",
        "mysql://door@hub.example/hub",
        "postgresql+psycopg://door@hub.example",
        "postgresql+psycopg://door:secret@hub.example/hub",
        "postgresql+psycopg://door@hub.example:port/hub",
        "postgresql+psycopg://door@hub.example/hub?sslmode=disable",
        "postgresql+psycopg://door@hub.example/hub?password=secret",
        "postgresql+psycopg://door@hub.example/hub?options=-csearch_path%3Dpublic",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(HubError) as caught:
        HubDatabase(HubAddress(url))
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def arguments(address: HubAddress) -> dict[str, object]:
    return connecting._arguments(address, address.parsed(), 10.0)


def test_a_door_insists_on_tls_a_certificate_of_that_name_and_a_password_that_is_not_sent() -> None:
    used = arguments(HubAddress(URL, "secret", Path("/etc/hub.pem")))
    assert (used["sslmode"], used["sslrootcert"]) == ("verify-full", "/etc/hub.pem")
    assert used["require_auth"] == "scram-sha-256"
    assert used["password"] == "secret"
    assert arguments(HubAddress(URL))["sslrootcert"] == "system"


def test_a_door_shows_its_own_certificate_if_it_has_one_and_never_another() -> None:
    used = arguments(HubAddress(URL, certificate=Path("door.pem"), key=Path("door.key")))
    assert (used["sslcert"], used["sslkey"]) == ("door.pem", "door.key")
    assert not Path(str(arguments(HubAddress(URL))["sslcert"])).exists()


def test_a_socket_of_this_machine_needs_no_tls() -> None:
    used = arguments(HubAddress("postgresql+psycopg://door@/hub?host=/run/postgresql"))
    assert "sslmode" not in used


def test_every_wait_has_a_limit() -> None:
    used = arguments(HubAddress(URL))
    assert used["connect_timeout"] == 5
    assert used["tcp_user_timeout"] == 15_000
    for name in ("statement_timeout=10000", "lock_timeout=8000", "idle_in_transaction_session_timeout=30000"):
        assert name in str(used["options"])


def test_where_the_hub_is_names_no_user() -> None:
    assert HubAddress(URL).where == "hub.example:5433/hub"
    make_engine(HubAddress(URL)).dispose()


def test_nobody_there_is_told_with_what_to_do() -> None:
    database = HubDatabase(HubAddress("postgresql+psycopg://door@127.0.0.1:1/hub", "x"))
    with pytest.raises(HubUnreachableError, match="no connection") as caught:
        database.wait(1)
    assert "check that the server runs" in str(caught.value)
    with pytest.raises(HubUnreachableError), database.begin(connect=False):
        pass
    database.close()


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", HubFullError),
        ("53300", HubUnreachableError),
        ("53400", HubFullError),
        ("57P01", HubUnreachableError),
        ("57014", HubUnreachableError),
        ("55P03", HubUnreachableError),
        ("08006", HubUnreachableError),
        ("42501", HubRefusedError),
        ("23514", HubRefusedError),
        ("23505", HubConflictError),
        ("FS001", HubConflictError),
        ("FS003", HubRefusedError),
        ("XX000", HubError),
    ],
)
def test_each_error_of_the_server_becomes_one_with_a_hint(state: str, kind: type[HubError]) -> None:
    error = psycopg.OperationalError("what the server said")
    error.sqlstate = state
    with pytest.raises(kind, match="what the server said") as caught, translated("hub.example/hub"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.hint


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('FATAL:  no pg_hba.conf entry for host "192.168.1.7", user "admin"', "let the administrator"),
        ("Connection refused", "there is no connection"),
        ("could not write: No space left on device", "disk is full"),
    ],
)
def test_an_administrator_is_neither_called_a_door_nor_told_that_it_is_tried_again(said: str, told: str) -> None:
    with pytest.raises(HubError, match=told) as caught, translated("hub.example/doors", administering=True):
        raise psycopg.OperationalError(said)
    assert "this door in" not in str(caught.value)
    assert "tries again" not in (caught.value.hint or "")


@pytest.mark.parametrize("state", ["08006", "53100", "FS001"])
def test_whoever_gives_a_command_is_told_to_give_it_again(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = HubStore(HubDatabase(HubAddress(f"sqlite:///{tmp_path}/hub.db")), "d" * 32, "e" * 32)
    monkeypatch.setattr(access, "store_of", lambda *_: store)
    monkeypatch.setattr(access, "require_fitting", lambda _: None)
    error = psycopg.OperationalError("what the server said")
    error.sqlstate = state
    with (
        pytest.raises(HubError) as caught,
        access.opened(None, HubConfig(), tmp_path),  # type: ignore[arg-type]
        translated("hub.example/hub"),
    ):
        raise error
    assert "give the command again" in (caught.value.hint or "")
    assert "facesecure" not in (caught.value.hint or "")
