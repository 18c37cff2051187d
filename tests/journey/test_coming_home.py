"""Somebody comes while it is armed away, and disarms in time, or does not."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import assembled
from facesecure.domain.deliveries import ENTRY_DELAY, DeliveryState
from facesecure.mqtt.front import MqttFront
from support.faults.household import wait_until
from support.mqtt.broker import listening, running_broker
from support.service.journey import config_for

pytestmark = pytest.mark.slow
BASE, CODE = "facesecure/pi1", "482915"


def test_who_disarms_at_the_panel_in_time_is_told_to_nobody_and_who_comes_later_is(
    door_clip: Path, tmp_path: Path
) -> None:
    recorder = RecordingPlugin()
    with running_broker(tmp_path / "broker") as broker, listening(broker.port) as panel:
        mqtt = {"enabled": True, "host": "127.0.0.1", "port": broker.port, "topic": BASE, "disarm_code": CODE}
        config = config_for(door_clip, mqtt=mqtt, policy={"entry_delay": 200, "exit_delay": 2})
        with assembled(config, tmp_path / "state", {"recording": recorder}, fronts=[MqttFront]) as daemon:
            panel.wait("arm/state", lambda heard: heard[-1].payload == b"armed_home")
            panel.say(f"{BASE}/arm/set", json.dumps({"action": "ARM_AWAY", "code": "None"}))
            panel.wait("arm/state", lambda heard: [one.payload for one in heard][-2:] == [b"arming", b"armed_away"])
            watching = threading.Thread(target=daemon.watch, name="watching", daemon=True)
            watching.start()
            panel.wait("arm/state", lambda heard: heard[-1].payload == b"pending", 90)
            panel.say(f"{BASE}/arm/set", json.dumps({"action": "DISARM", "code": CODE}))
            panel.wait("arm/state", lambda heard: heard[-1].payload == b"disarmed")
            watching.join(120)
            assert recorder.alerts == [], "nobody is announced while it is disarmed"
            events = [json.loads(one.payload)["event_type"] for one in panel.wait("/event")]
            assert "stranger" in events, "Home Assistant is told of each visit"
            kept = [each for one in daemon.store.outbox.history() for each in one.deliveries]
            assert {each.status.state for each in kept if each.channel == ENTRY_DELAY} == {DeliveryState.WITHDRAWN}
        with assembled(config, tmp_path / "state", {"recording": recorder}, fronts=[MqttFront]) as daemon:
            assert daemon.commands.policy.mode.value == "off"
            assert daemon.commands.entry_document() == {"alarm": "quiet", "alarm_seconds": None}
            daemon.commands.arm({"mode": "home"})
            daemon.watch()
            wait_until(lambda: recorder.alerts, "alert of somebody who comes while it is armed home", 90)
