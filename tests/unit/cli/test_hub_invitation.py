"""``facesecure hub invite --wait``: until the door has joined, whoever let it in."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from facesecure.cli.hub_invitation import wait_for
from facesecure.domain.errors import HubError
from facesecure.hub.codes import JoinCode
from facesecure.hub.identity import Certificate, DoorKeys
from facesecure.hub.managing import VALID, Joined, Manager

CODE = JoinCode.made("e" * 32, "postgresql+psycopg://hub.lan/doors", b"")


def door(identifier: str, name: str) -> Certificate:
    keys = DoorKeys.made()
    return Certificate("e" * 32, identifier, name, "f" * 32, frozenset(), keys.box_key, keys.sign_key)


class Hub:
    """A manager at a hub: ``here`` joins by this command, ``elsewhere`` by the daemon, each at the third look."""

    def __init__(self, here: tuple[Joined, ...] = (), elsewhere: tuple[Certificate, ...] = ()) -> None:
        self.here, self.elsewhere, self.looks = here, elsewhere, 0

    def answer(self) -> list[Joined]:
        self.looks += 1
        return list(self.here) if self.looks == 3 else []

    def doors(self) -> list[Certificate]:
        return [door("a" * 32, "front"), *(self.elsewhere if self.looks >= 3 else ())]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that passed; nobody waits for them."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: passed[0])
    monkeypatch.setattr(time, "sleep", sleep)
    return passed


@pytest.mark.parametrize(
    "hub",
    [
        Hub(here=(Joined(CODE.invitation, "garage"),)),
        Hub(elsewhere=(door(CODE.invitation, "garage"),)),
        Hub(here=(Joined(CODE.invitation, "garage"),), elsewhere=(door(CODE.invitation, "garage"),)),
    ],
    ids=["by this command", "by the daemon", "seen in both ways"],
)
def test_it_ends_when_the_door_has_joined(hub: Hub, capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    wait_for(cast("Manager", cast("Any", hub)), CODE)
    assert capsys.readouterr().err.count("garage has joined") == 1
    assert clock[0] < 10


def test_it_fails_if_only_others_have_joined_within_the_hour(
    capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    hub = Hub(here=(Joined("b" * 32, "gate"),), elsewhere=(door("c" * 32, "shed"),))
    with pytest.raises(HubError, match="has not joined"):
        wait_for(cast("Manager", cast("Any", hub)), CODE)
    told = capsys.readouterr().err
    assert ("gate has joined" in told, "shed" in told) == (True, False)
    assert clock[0] >= VALID.total_seconds()
