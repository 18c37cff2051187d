"""Whoever may publish on the broker tries to disarm the house, and to make trouble by commands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from facesecure.alerts.policy.arming import Arming
from facesecure.app.assembly import Daemon
from facesecure.app.control.commands import Commands
from facesecure.domain.mode import Mode
from facesecure.mqtt.commands import CODE_LIMIT, LARGEST, RemoteCommands
from facesecure.services import audit
from facesecure.storage.store import Store
from support.faults.table import attack
from support.mqtt.broker import listening, running_broker
from support.mqtt.household import BASE, config_on

CODE = "482915"
ARM, DRILL = f"{BASE}/arm/set", f"{BASE}/drill/set"
Saw = Callable[[str], None]


@dataclass
class House:
    """An armed house whose commands come over MQTT; the clock is moved by hand."""

    state_dir: Path
    store: Store
    code: str | None = CODE
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    drills: int = 0

    def __post_init__(self) -> None:
        self.arming = Arming(self.state_dir, Mode.AWAY)
        policy = cast(Any, _Policy(self.arming))
        nothing = cast(Any, None)
        self.commands = Commands([], self.arming, policy, nothing, nothing, record=self._record, drills=cast(Any, self))
        daemon = cast(Daemon, SimpleNamespace(commands=self.commands, store=self.store))
        config = config_on(1883, disarm_code=self.code).mqtt
        self.remote = RemoteCommands(config, daemon, self.now.timestamp, lambda: self.now)

    def _record(self, action: str, *subjects: object) -> None:
        audit.record(self.state_dir, action, *subjects)

    def handlers(self) -> dict[str, Any]:
        return {"drill": self._begin}

    def _begin(self, _: object) -> dict[str, Any]:
        self.drills += 1
        return {}

    @property
    def mode(self) -> Mode:
        return self.arming.armed.mode

    def say(self, payload: bytes | dict[str, Any], topic: str = ARM) -> Mode:
        self.remote.carry_out(topic, payload if isinstance(payload, bytes) else json.dumps(payload).encode())
        return self.mode

    def disarm(self, code: object = CODE) -> bool:
        return self.say({"action": "DISARM", "code": code}) is Mode.OFF

    def audited(self) -> list[tuple[str, str, str]]:
        entries = audit.verify(self.state_dir).entries
        return [(one.action, one.actor.name, one.actor.origin) for one in entries]


class _Policy:
    def __init__(self, arming: Arming) -> None:
        self._arming = arming

    @property
    def mode(self) -> Mode:
        return self._arming.armed.mode


@contextmanager
def house_in(state_dir: Path, code: str | None = CODE, now: datetime | None = None) -> Iterator[House]:
    with Store.open(state_dir) as store:
        yield House(state_dir, store, code, now or datetime.now(UTC))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_in(tmp_path / "state") as house:
        yield house


@attack(
    "codes guessed over MQTT", how="1,000 wrong codes in an hour, the daemon restarted in between, then the right one"
)
def test_guessing_codes_takes_longer_each_time_and_over_restarts(tmp_path: Path, saw: Saw) -> None:
    now, state = datetime.now(UTC), tmp_path / "state"
    began = now
    looked_at = 0
    for _ in range(10):
        with house_in(state, now=now) as house:
            for number in range(100):
                before = house.store.page.attempts
                assert before is not None
                assert not house.disarm(f"{number:06}")
                house.now += timedelta(seconds=3.6)
            now = house.now
            looked_at = sum(action == "code-refused" for action, _, _ in house.audited())
            waiting = house.remote._limits.take([CODE_LIMIT])
            assert waiting > 0
            assert not house.disarm(), "the right one waits as well"
    assert looked_at <= 20, looked_at
    with house_in(state, now=now + timedelta(hours=3)) as house:
        assert house.disarm(), "the household's own code works after some time"
        assert ("armed", "mqtt", "MQTT broker") in house.audited()
        assert ("code-refused", "mqtt", "MQTT broker") in house.audited()
    minutes = (now - began).total_seconds() / 60
    saw(f"{looked_at} of 1,000 codes were looked at in {minutes:.0f} minutes, and audited")


@attack(
    "commands that are none", how="codes None, null, numbers, lists; no JSON, other keys, deep nesting, other actions"
)
def test_what_is_not_exactly_a_command_does_nothing(house: House, saw: Saw) -> None:
    for code in ("None", None, "", 482915, [CODE], {"code": CODE}, CODE + " ", " " + CODE, CODE[:-1], CODE + "\0"):
        assert not house.disarm(code), code
        house.now += timedelta(hours=1)
    payloads = [
        b"", b"DISARM", b"null", b"[]", b"\xff\xfe", b'{"action": "DISARM"}', b'{"action": "DISARM", "code": "482915"',
        b'{"action": "disarm", "code": "482915"}', b'{"action": ["DISARM"], "code": "482915"}', b"[" * 250,
        b'{"action": "DISARM", "code": "482915", "mode": "off"}', b'{"action": "TRIGGER", "code": "482915"}', b"NaN",
        b'{"action": "ARM_NIGHT", "code": "482915"}', b"1e999", b"9" * 250,
    ]  # fmt: skip
    for payload in payloads:
        assert house.say(payload) is Mode.AWAY, payload
    assert house.say(b"drill", DRILL) is Mode.AWAY
    assert house.drills == 0
    saw(f"{len(payloads) + 11} refused, none did anything; the daemon goes on")
    assert house.disarm()


@attack("arming lowered without a code", how="ARM_HOME where it is armed away, and disarming a house that set no code")
def test_what_lowers_the_guard_needs_the_code_and_what_raises_it_does_not(tmp_path: Path, saw: Saw) -> None:
    with house_in(tmp_path / "state", code=None) as house:
        assert not house.disarm()
        assert not house.disarm("None")
        assert house.say({"action": "ARM_HOME", "code": "None"}) is Mode.AWAY
    with house_in(tmp_path / "state") as house:
        assert house.say({"action": "ARM_HOME", "code": "None"}) is Mode.AWAY
        assert house.say({"action": "ARM_HOME", "code": CODE}) is Mode.HOME
        assert house.say({"action": "ARM_AWAY", "code": "None"}) is Mode.AWAY
        assert house.say({"action": "ARM_AWAY"}) is Mode.AWAY
    with house_in(tmp_path / "state") as house:
        house.arming.arm(Mode.HOME)
        leaving = Arming(house.state_dir, Mode.HOME, exit_delay=60)
        object.__setattr__(house.commands, "arming", leaving)
        house.say({"action": "ARM_AWAY"})
        house.say({"action": "ARM_HOME", "code": "None"})
        assert (leaving.armed.mode, leaving.intended) == (Mode.HOME, Mode.AWAY), "an exit delay was called off"
    saw("refused; without `disarm_code` nothing that comes over MQTT disarms")


@attack("drills without end", how="1,000 drills asked for at once")
def test_drills_are_begun_once_a_minute(house: House, saw: Saw) -> None:
    for _ in range(1000):
        house.say(b"DRILL", DRILL)
    assert house.drills == 1
    saw("one was begun; the next may be a minute later")


@attack(
    "commands left on the broker",
    how="a right command retained, one sent while we are away, one of 100 KB, and 2,000 at once, on a real mosquitto",
)
def test_commands_that_are_old_large_or_too_many_are_not_carried_out(
    house: House, tmp_path: Path, saw: Saw, caplog: pytest.LogCaptureFixture
) -> None:
    right = json.dumps({"action": "DISARM", "code": CODE})
    with running_broker(tmp_path / "broker") as broker, listening(broker.port) as attacker:
        attacker.say(ARM, right, retain=True)
        with connected(house, broker.port) as connection:
            time.sleep(1.0)
            assert house.mode is Mode.AWAY, "it was retained"
            attacker.say(ARM, b"", retain=True)
            attacker.say(ARM, json.dumps({"action": "DISARM", "code": CODE, "x": "y" * 100_000}))
            attacker.say(ARM, right + " " * LARGEST)
            time.sleep(1.0)
            assert house.mode is Mode.AWAY, "it was too large"
            for _ in range(2000):
                attacker.client.publish(ARM, b"{}", 0)
            attacker.say(f"{BASE}/else", b"")
            assert connection.online
        attacker.say(ARM, right)
        with connected(house, broker.port):
            time.sleep(1.0)
            assert house.mode is Mode.AWAY, "it was sent while we were away"
            attacker.say(ARM, right)
            deadline = time.monotonic() + 60
            while house.mode.value != "off":
                assert time.monotonic() < deadline
                time.sleep(0.05)
    assert CODE not in caplog.text
    saw("none was carried out; the next right one was; no log line holds the code")


@contextmanager
def connected(house: House, port: int) -> Iterator[Any]:
    """Connect the house's commands to the broker, as the front does."""
    from facesecure.mqtt.connection import Connection

    connection = Connection(config_on(port).mqtt)
    daemon = cast(Daemon, SimpleNamespace(commands=house.commands, store=house.store))
    commands = RemoteCommands(config_on(port, disarm_code=CODE).mqtt, daemon)
    connection.subscribed = commands.topics
    connection.on_message = lambda one: commands.receive(one.topic, one.payload, retained=one.retain)
    with commands:
        connection.start()
        connection.wait_until_settled(15)
        yield connection
        connection.close()
