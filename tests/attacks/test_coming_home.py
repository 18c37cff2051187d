"""Somebody who is not of the household tries to be taken for one who comes home, while it is armed away."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import Daemon, assembled
from facesecure.camera.sources import open_source
from facesecure.camera.synthetic.clip import make_clip
from facesecure.config import FacesecureConfig
from facesecure.domain import AlertKind, Frame
from facesecure.domain.mode import Mode
from facesecure.mqtt.front import MqttFront
from facesecure.services import audit
from support.builders import frame_at
from support.faults.household import wait_until
from support.faults.table import attack
from support.held_up import enrol_anna
from support.mqtt.broker import Listener, listening, running_broker
from support.mqtt.household import BASE
from support.service.commandline import CommandLine, own_settings
from support.service.journey import config_for

pytestmark = pytest.mark.slow
Saw = Callable[[str], None]
CODE = "482915"
REAL = {"file_speed": "real"}
ARM, PANEL, ANNA = f"{BASE}/arm/set", f"{BASE}/arm/state", f"{BASE}/presence/anna"


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's clip, to a household that knows nobody."""
    path = tmp_path_factory.mktemp("clip") / "door.mp4"
    make_clip(path)
    return path


def house_on(clip: Path, port: int | None = None, **sections: Any) -> FacesecureConfig:
    """A household with an entry delay; with ``port``, it is connected to the broker there."""
    broker = {"enabled": True, "host": "127.0.0.1", "port": port, "topic": BASE, "disarm_code": CODE}
    mqtt = broker | sections.pop("mqtt", {}) if port else {}
    return config_for(clip, mqtt=mqtt, **sections)


def panel(listener: Listener, state: bytes) -> None:
    """Wait until the alarm panel has shown ``state``."""
    listener.wait("arm/state", lambda heard: state in [one.payload for one in heard], 90)


def then_nobody(config: FacesecureConfig) -> Iterator[Frame]:
    """The frames of the film, and six seconds in which nobody is there."""
    last = None
    for last in open_source(config.camera.source, config.camera).frames():
        yield last
    assert last is not None
    empty = np.full_like(last.image, 90)
    for number in range(1, 61):
        yield replace(frame_at(last.taken_at + number / 10, last.index + number, empty))


@attack(
    "a family member's film on a screen, to disarm",
    how="a replayed film of somebody on the list of `known_disarms`, then the person; and that person without networks",
)
def test_a_film_of_somebody_disarms_nothing_and_the_person_does(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], saw: Saw
) -> None:
    facesecure = CommandLine(own_settings(tmp_path, monkeypatch), capfd)
    enrol_anna(facesecure, shared_data)
    armed = shutil.copytree(facesecure.state, tmp_path / "armed")
    assert comes(armed, shared_data / "spoof" / "a-replay.mp4")[0] is Mode.AWAY
    assert comes(armed, shared_data / "spoof" / "a-live.mp4")[0] is Mode.AWAY, "the picture's alarm still waits"
    mode, told = comes(facesecure.state, shared_data / "spoof" / "a-live.mp4")
    assert mode is Mode.HOME
    assert "Anna came home: disarmed by face" in told
    done = [(one.action, [each.shown for each in one.subjects]) for one in audit.verify(facesecure.state).entries]
    assert ("disarmed-by-face", ["Anna"]) in done
    for card in (facesecure.state / "models").glob("*.json"):
        card.unlink()
    assert comes(facesecure.state, shared_data / "spoof" / "a-live.mp4")[0] is Mode.AWAY
    saw("only the person disarmed, which was told and audited; not while the film's alarm waited, nor without networks")


def comes(state: Path, film: Path) -> tuple[Mode, list[str]]:
    """Return the mode after the film was shown to an armed house, and what was told."""
    recorder = RecordingPlugin()
    config = house_on(film, policy={"entry_delay": 120, "known_disarms": ["Anna"]})
    with assembled(config, state, {"recording": recorder}) as daemon:
        daemon.commands.set_mode(Mode.AWAY, at_once=True)
        daemon.cameras[0].pipeline.run(then_nobody(config))
        mode = daemon.commands.policy.mode
    return mode, [alert.text for alert in recorder.alerts]


@attack(
    "presence that is not true",
    how="on a real mosquitto: a retained `home`, another's name, other words, 100 KB, a flood; then a fresh `home`",
)
def test_presence_that_lay_on_the_broker_or_is_none_disarms_nobody(strangers: Path, tmp_path: Path, saw: Saw) -> None:
    with running_broker(tmp_path / "broker") as broker, listening(broker.port) as attacker:
        config = house_on(strangers, broker.port, presence={"people": ["Anna"], "arm": True, "disarm": True})
        config = config.model_copy(update={"presence": config.presence.model_copy(update={"leave_delay": 0.5})})
        recorder = RecordingPlugin()
        with assembled(config, tmp_path / "state", {"recording": recorder}, fronts=[MqttFront]) as daemon:
            panel(attacker, b"armed_home")
            attacker.say(ANNA, "not_home", retain=True)
            panel(attacker, b"armed_away")
        attacker.say(ANNA, "home", retain=True)
        with assembled(config, tmp_path / "state", {"recording": recorder}, fronts=[MqttFront]) as daemon:
            wait_until(lambda: where(daemon) == "home", "presence that lay on the broker")
            assert daemon.commands.policy.mode is Mode.AWAY
            attacker.say(f"{BASE}/presence/tom", "home")
            for word in (b"HOME", b'"home"', b"home ", b"", b"\xff\xfe", b"home" * 25_000):
                attacker.say(ANNA, word)
            for _ in range(1000):
                attacker.client.publish(ANNA, b"unavailable", 0)
            wait_until(lambda: where(daemon) == "unknown", "state that is none")
            assert daemon.commands.policy.mode is Mode.AWAY, "it was not certain that nobody was there"
            attacker.say(ANNA, "not_home")
            wait_until(lambda: where(daemon) == "away", "departure")
            wait_until(lambda: daemon.commands.presence_document()["arms_in"] is None, "certainty that nobody is there")
            attacker.say(ANNA, "home")
            wait_until(lambda: daemon.commands.policy.mode is Mode.HOME, "mode by presence")
            wait_until(lambda: len(recorder.alerts) > 0, "alert that it was disarmed")
    told = [alert.text for alert in recorder.alerts]
    assert told.count("Anna came home: disarmed by presence") == 1
    done = [(one.action, one.actor.origin) for one in audit.verify(tmp_path / "state").entries]
    assert done == [("armed", "presence"), ("armed", "presence"), ("disarmed-by-presence", "presence")]
    saw("none disarmed; a fresh `home`, which `disarm = true` allows, did, and everybody was told")


def where(daemon: Daemon) -> str:
    return str(daemon.commands.presence_document()["presence"][0]["where"])


@attack(
    "presence and commands of a client without rights",
    how="a user whom mosquitto's access list gives nothing to write says `home`, and disarms with the right code",
)
def test_the_brokers_access_list_keeps_others_from_presence(strangers: Path, tmp_path: Path, saw: Saw) -> None:
    rules = tmp_path / "rules"
    rules.write_text(
        f"user facesecure\ntopic readwrite {BASE}/#\ntopic write homeassistant/device/#\n"
        f"user home-assistant\ntopic readwrite {BASE}/#\nuser guest\ntopic read {BASE}/#\n"
    )
    rules.chmod(0o644)
    tmp_path.chmod(0o755)
    users = (("facesecure", "f" * 12), ("home-assistant", "h" * 12), ("guest", "g" * 12))
    with running_broker(tmp_path / "broker", f"acl_file {rules}", users=users) as broker:
        presence = {"people": ["Anna"], "arm": True, "disarm": True}
        login = {"user": "facesecure", "password": "f" * 12, "discovery": None}
        config = house_on(strangers, broker.port, presence=presence, mqtt=login)
        config = config.model_copy(update={"presence": config.presence.model_copy(update={"leave_delay": 0.5})})
        with (
            listening(broker.port, *users[1]) as assistant,
            listening(broker.port, *users[2]) as guest,
            assembled(config, tmp_path / "state", fronts=[MqttFront]) as daemon,
        ):
            panel(assistant, b"armed_home")
            assistant.say(ANNA, "not_home")
            wait_until(lambda: daemon.commands.policy.mode is Mode.AWAY, "mode by presence")
            guest.say(ANNA, "home")
            guest.say(ARM, json.dumps({"action": "DISARM", "code": CODE}))
            time.sleep(2)
            assert (where(daemon), daemon.commands.policy.mode) == ("away", Mode.AWAY)
            assistant.say(ANNA, "home")
            wait_until(lambda: daemon.commands.policy.mode is Mode.HOME, "mode by presence")
    saw("the broker passed nothing on; the household's own Home Assistant is heard")


@attack(
    "an alarm put off while it waits",
    how="a stranger is there; 200 wrong codes, and ARM_HOME and ARM_AWAY without one, come during the entry delay",
)
def test_no_flood_of_codes_puts_an_alarm_off(strangers: Path, tmp_path: Path, saw: Saw) -> None:
    with running_broker(tmp_path / "broker") as broker, listening(broker.port) as attacker:
        config = house_on(
            strangers, broker.port, policy={"mode": "away", "entry_delay": 12, "exit_delay": 60}, camera=REAL
        )
        recorder = RecordingPlugin()
        with assembled(config, tmp_path / "state", {"recording": recorder}, fronts=[MqttFront]) as daemon:
            panel(attacker, b"armed_away")
            watching = threading.Thread(target=daemon.watch, name="watching", daemon=True)
            watching.start()
            panel(attacker, b"pending")
            for number in range(200):
                attacker.client.publish(ARM, json.dumps({"action": "DISARM", "code": f"{number:06}"}), 0)
                for action in ("ARM_HOME", "ARM_AWAY"):
                    attacker.client.publish(ARM, json.dumps({"action": action, "code": "None"}), 0)
            panel(attacker, b"triggered")
            wait_until(lambda: AlertKind.STRANGER in [alert.kind for alert in recorder.alerts], "alarm")
            assert daemon.commands.policy.mode is Mode.AWAY
            watching.join(300)
    saw("the alarm came when it would have come without them, and the mode did not change")
