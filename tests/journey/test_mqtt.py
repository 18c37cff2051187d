"""Visits, states and commands over a real broker, with the whole daemon."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facesecure.app.assembly import assembled
from facesecure.config import FacesecureConfig
from facesecure.config.mqtt import MqttConfig
from facesecure.mqtt.front import MqttFront
from facesecure.services import audit
from facesecure.storage import anonymise, people
from support.mqtt.broker import Broker, Listener, listening, running_broker
from support.service.commandline import CommandLine, own_settings
from support.service.journey import config_for

BASE = "facesecure/pi1"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    with listening(broker.port) as listener:
        yield listener


def config_on(broker: Broker, clip: Path, **mqtt: object) -> FacesecureConfig:
    section = MqttConfig.model_validate(
        {"enabled": True, "host": "127.0.0.1", "port": broker.port, "topic": BASE, "disarm_code": "482915", **mqtt}
    )
    return config_for(clip).model_copy(update={"mqtt": section})


def retained(broker: Broker) -> dict[str, bytes]:
    """Return what somebody who comes now finds on the broker: all that comes before a word of their own."""
    with listening(broker.port) as late:
        assert late.subscribed.wait(60)
        late.say("late/word", "that was all")
        late.wait("late/word")
        return {one.topic: one.payload for one in late.heard if one.retained}


def test_every_visit_is_an_event_after_the_cameras_were_announced(broker, listener, door_clip, household, tmp_path):
    config = config_on(broker, door_clip)
    with assembled(config, tmp_path / "state", fronts=[MqttFront]) as daemon:
        discovered = listener.wait("/config", lambda heard: len(heard) >= 2)
        listener.wait(f"{BASE}/availability", lambda heard: heard[-1].payload == b"online")
        daemon.watch()
        events = [json.loads(one.payload) for one in listener.wait("/event", lambda heard: len(heard) >= 2, 60)]
        heard = [one.topic for one in listener.heard]
        assert heard.index(f"{BASE}/front-door/face") < heard.index(f"{BASE}/front-door/event"), "picture first"
        listener.wait("front-door/state", lambda heard: json.loads(heard[-1].payload)["last"]["visit"] is not None)
    assert {event["event_type"] for event in events} >= {"stranger"}
    assert all(event["camera"] == "front door" for event in events)
    assert {one.topic for one in discovered} == {
        "homeassistant/device/facesecure_pi1/config", "homeassistant/device/facesecure_pi1_front-door/config",
    }  # fmt: skip
    listener.wait(f"{BASE}/availability", lambda heard: heard[-1].payload == b"offline")
    faces = listener.on("front-door/face")
    assert all(one.payload[:2] == b"\xff\xd8" and not one.retained for one in faces)
    assert [topic for topic in retained(broker) if topic.endswith(("face", "picture"))] == [], "not retained"


def test_the_house_is_armed_and_disarmed_from_the_broker(broker, listener, door_clip, tmp_path):
    with assembled(config_on(broker, door_clip), tmp_path / "state", fronts=[MqttFront]) as daemon:
        listener.wait("arm/state", lambda heard: heard[-1].payload == b"armed_home")
        listener.say(f"{BASE}/arm/set", '{"action": "ARM_AWAY", "code": "None"}')
        listener.wait("arm/state", lambda heard: heard[-1].payload == b"armed_away")
        listener.say(f"{BASE}/arm/set", '{"action": "DISARM", "code": "111111"}')
        listener.say(f"{BASE}/arm/set", '{"action": "DISARM", "code": "482915"}')
        listener.wait("arm/state", lambda heard: heard[-1].payload == b"disarmed")
        assert daemon.commands.policy.mode.value == "off"
        assert daemon.commands.status({})["troubles"] == {}
        broker.stop()
        wait_until(lambda: "mqtt" in daemon.commands.status({})["troubles"])
        broker.start()
        listener.wait(f"{BASE}/availability", lambda heard: heard[-1].payload == b"online")
        wait_until(lambda: daemon.commands.status({})["troubles"] == {})
    audited = [(entry.action, entry.actor.name) for entry in audit.verify(tmp_path / "state").entries]
    assert audited == [("armed", "mqtt"), ("code-refused", "mqtt"), ("armed", "mqtt")]


def test_home_assistant_that_starts_is_told_again_and_events_wait_for_it(broker, listener, door_clip, tmp_path):
    with assembled(config_on(broker, door_clip), tmp_path / "state", fronts=[MqttFront]):
        listener.wait("/config", lambda heard: len(heard) == 2)
        listener.wait("front-door/state")
        for _ in range(20):
            listener.say("homeassistant/status", "online")
        listener.wait("/config", lambda heard: len(heard) >= 4, 60)
        time.sleep(2)
        assert len(listener.on("/config")) == 4, "asked for twenty times, it is told once"


def test_what_is_gone_is_removed_from_the_broker(broker, listener, door_clip, tmp_path, monkeypatch, capfd):
    state = own_settings(tmp_path, monkeypatch)
    two = {"cameras": [{"source": f"file:{door_clip}", "name": name} for name in ("gate", "front door")]}
    sections = {"mqtt": config_on(broker, door_clip).mqtt.model_dump(), "plugins": {"log": {"enabled": False}}}
    with assembled(FacesecureConfig.model_validate({**two, **sections}), state, fronts=[MqttFront]):
        listener.wait("front-door/state")
        listener.wait("gate/state")
    assert f"{BASE}/gate/state" in retained(broker)
    with assembled(config_on(broker, door_clip), state, fronts=[MqttFront]):
        listener.wait("_gate/config", lambda heard: heard[-1].payload == b"")
        listener.wait(f"{BASE}/arm/state", lambda heard: len(heard) > 1)
    found = retained(broker)
    assert [topic for topic in found if "gate" in topic] == []
    assert found[f"{BASE}/availability"] == b"offline"
    config = tmp_path / "facesecure.toml"
    config.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\ntopic = "{BASE}"\n')
    done = CommandLine(state, capfd)("--config", str(config), "mqtt", "forget", "--json")
    assert done.code == 0
    assert f"{BASE}/availability" in done.json["removed"]
    assert retained(broker) == {}


def test_a_retained_face_leaves_the_broker_with_its_visitor(broker, listener, door_clip, tmp_path):
    config = config_on(broker, door_clip, retain_pictures=True)
    with assembled(config, tmp_path / "state", fronts=[MqttFront]) as daemon:
        listener.wait("front-door/state")
        daemon.watch()
        listener.wait("/event", lambda heard: len(heard) >= 3, 60)
        wait_until(lambda: daemon.store.visitors.all(10))
        assert retained(broker)[f"{BASE}/front-door/face"][:2] == b"\xff\xd8"
        assert retained(broker)[f"{BASE}/front-door/picture"][:2] == b"\xff\xd8"
        with daemon.store._database.write() as session:  # as the removal of a person or a visitor does
            unlinked = anonymise.take_snapshots(session, [one.identifier for one in daemon.store.sightings()])
            people.mark_changed(session)
        assert unlinked
        listener.wait("front-door/face", lambda heard: heard[-1].payload == b"")
        listener.wait("front-door/picture", lambda heard: heard[-1].payload == b"")
    assert [topic for topic in retained(broker) if topic.endswith(("face", "picture"))] == []


def wait_until(so: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
