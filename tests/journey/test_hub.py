"""Doors make a hub, join it and leave it, by the commands that a household types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.hub.codes import JoinCode
from facesecure.storage.keys import KEY_NAME
from facesecure.storage.secret_files import SecretFiles
from support.postgres.server import ADMINISTRATOR, Server, made_server
from support.service.commandline import CommandLine, own_settings, started

pytestmark = pytest.mark.slow
CODE = JoinCode.made("ab" * 16, "postgresql+psycopg://hub.lan/doors", b"").text


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with made_server() as running:
        yield running


@pytest.fixture
def facesecure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> CommandLine:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    return CommandLine(own_settings(tmp_path, monkeypatch), capfd)


def test_doors_join_are_renamed_removed_and_leave(
    server: Server, facesecure: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front, garage = tmp_path / "front", tmp_path / "garage"
    database, root = server.new_database(), server.authority.root
    url = f"postgresql://{ADMINISTRATOR}@127.0.0.1:{server.port}/{database}"

    def at(state: Path, *words: object) -> tuple[object, ...]:
        return ("--state-dir", state, *words)

    wrong = facesecure(*at(front, "hub", "init", url.replace("@", ":wrong@"), "--ca", root))
    assert (wrong.code, "password" in wrong.err, "wrong" in wrong.err) == (1, True, False)
    monkeypatch.setenv("PGPASSWORD", server.password)
    assert "certificate" in facesecure(*at(front, "hub", "init", url)).err
    made = facesecure(*at(front, "hub", "init", url, "--ca", root, "--household", "Villa"))
    assert made.out == f'[hub]\ndatabase = "postgresql+psycopg://127.0.0.1:{server.port}/{database}"\n'
    assert "already" in facesecure(*at(front, "hub", "init", url, "--ca", root)).err
    assert "already" in facesecure(*at(garage, "hub", "init", url, "--ca", root)).err
    monkeypatch.delenv("PGPASSWORD")

    with started(*at(front, "hub", "invite", "garage", "--rights", "arm", "--wait"), state=front) as inviting:
        assert inviting.stdout is not None
        code = inviting.stdout.readline().strip()
        joined = facesecure(*at(garage, "hub", "join", code, "--json"))
        inviting.communicate(timeout=120)
    assert (joined.code, joined.json["door"], joined.json["rights"]) == (0, "garage", ["arm"])
    assert inviting.returncode == 0
    assert facesecure(*at(garage, "hub", "join", code)).code == 0  # it has joined: nothing is left to do
    assert facesecure(*at(tmp_path / "thief", "hub", "join", code, "--minutes", "0")).code == 1

    doors = facesecure(*at(front, "hub", "doors", "--json")).json["doors"]
    assert [(door["name"], door["household"], door["manager"]) for door in doors] == [
        ("front door", "Villa", True),
        ("garage", "Villa", False),
    ]
    assert facesecure(*at(garage, "hub", "status", "--json")).json["doors"] == 2
    assert facesecure(*at(front, "hub", "doors", "rename", "garage", "Garage")).code == 0
    assert facesecure(*at(front, "hub", "doors", "rename", "GARAGE ", "side door")).code == 0
    assert "side door" in facesecure(*at(garage, "hub", "status")).out
    assert "not the manager" in facesecure(*at(garage, "hub", "doors", "remove", "front door", "--yes")).err
    assert "not the manager" in facesecure(*at(garage, "hub", "invite", "shed")).err
    unsure = facesecure(*at(front, "hub", "doors", "remove", "side door"))
    assert (unsure.code, "--yes" in unsure.err) == (2, True)
    assert facesecure(*at(front, "hub", "doors", "remove", "side door", "--yes", "--json")).json["removed"]
    assert facesecure(*at(garage, "hub", "status")).code == 1
    assert len(facesecure(*at(front, "hub", "doors", "--json")).json["doors"]) == 1
    assert facesecure(*at(garage, "hub", "leave", "--yes", "--json")).json == {"left": True, "manager": False}
    assert "belongs to no hub" in facesecure(*at(garage, "hub", "doors")).err

    actions = [entry["action"] for entry in facesecure(*at(front, "audit", "list", "--json")).json["entries"]]
    for action in ("hub-made", "hub-invited", "hub-door-joined", "hub-door-renamed", "hub-door-removed"):
        assert action in actions


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("join", "HELLO"), "not the code of an invitation"),
        (("init", "mysql://root@hub.lan/facesecure"), "not the address of a PostgreSQL database"),
        (("init", "http://hub.lan/facesecure"), "write postgresql://HOST/DATABASE"),
        (("init", "postgresql://root@hub.lan/facesecure", "--name", "a/b"), "cannot be the name of a door"),
        (("init", "postgresql://root@hub.lan/facesecure", "--household", ""), "cannot be the name of a household"),
        (("init", "postgresql://root@hub.lan/facesecure?sslmode=disable"), "options"),
        (("init", "postgresql://root@hub.lan/facesecure", "--ca", "/nonexistent"), "cannot be used"),
        (("status",), "belongs to no hub"),
        (("invite", "garage"), "belongs to no hub"),
        (("upgrade", "postgresql://root@hub.lan/facesecure"), "belongs to no hub"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_tried(
    facesecure: CommandLine, words: tuple[str, ...], said: str
) -> None:
    outcome = facesecure("hub", *words)
    assert outcome.code != 0
    assert said in outcome.err


def test_a_door_whose_key_is_lost_can_leave_the_hub(facesecure: CommandLine, tmp_path: Path) -> None:
    SecretFiles(tmp_path).write("identity", b"{}")
    (tmp_path / KEY_NAME).unlink()
    for words in (("hub", "join", CODE), ("hub", "leave")):
        assert facesecure("--state-dir", tmp_path, *words).code != 0
    left = facesecure("--state-dir", tmp_path, "hub", "leave", "--yes", "--json")
    assert (left.json, "key" in left.err) == ({"left": True, "manager": None}, True)
    assert "belongs to no hub" in facesecure("--state-dir", tmp_path, "hub", "status").err


def test_without_the_driver_it_is_said_how_to_install_it(
    facesecure: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facesecure.hub.driver.find_spec", lambda _: None)
    outcome = facesecure("hub", "doors")
    assert (outcome.code, "EXTRAS=hub" in outcome.err) == (1, True)
