"""Visits, states and commands over a real broker, with the whole daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.app.assembly import assembled
from facesecure.config import FacesecureConfig
from facesecure.config.mqtt import MqttConfig
from facesecure.mqtt.front import MqttFront
from support.mqtt.broker import Broker, Listener, listening, running_broker
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
    assert listener.wait(f"{BASE}/availability")[-1].payload == b"offline"
    faces = listener.on("front-door/face")
    assert all(one.payload[:2] == b"\xff\xd8" and not one.retained for one in faces)
    with listening(broker.port) as late:
        late.wait(f"{BASE}/availability")
        assert late.on("/face") + late.on("/picture") == [], "pictures are not retained"
