"""A newer version, as the daemon, its commands and Home Assistant show it; and a house that does not ask."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from facesecure import __version__
from facesecure.app.assembly import assembled
from facesecure.config.mqtt import MqttConfig
from facesecure.config.updates import UpdatesConfig
from facesecure.mqtt.front import MqttFront
from facesecure.services.updates import Updates, look
from support.mqtt.broker import listening, running_broker
from support.service.journey import config_for
from support.store import run_python

UPDATES = UpdatesConfig(check=True, url="https://updates.invalid/releases.json")
QUIET = """
import sys
from pathlib import Path
from facesecure.app.assembly import assembled
from support.service.journey import config_for

with assembled(config_for(Path(sys.argv[1])), Path(sys.argv[2])) as daemon:
    assert daemon.commands.status({})["update"] is None
    print(sorted(name for name in sys.modules if "update_check" in name or name == "facesecure.services.updates"))
"""


def test_a_newer_version_is_shown_by_status_and_by_home_assistant(door_clip, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    look(UPDATES, state, Updates(), datetime.now(UTC), lambda _: "99.0")  # so that this daemon does not ask
    with running_broker(tmp_path / "broker") as broker, listening(broker.port) as listener:
        mqtt = MqttConfig(enabled=True, host="127.0.0.1", port=broker.port, topic="facesecure/pi1")
        config = config_for(door_clip).model_copy(update={"mqtt": mqtt, "updates": UPDATES})
        with assembled(config, state, fronts=[MqttFront]) as daemon:
            update = daemon.commands.status({})["update"]
            heard = listener.wait("pi1/state")
    assert (update["installed"], update["newer"], update["problem"]) == (__version__, "99.0", None)
    house = json.loads(heard[-1].payload)
    assert (house["version"], house["latest"]) == (__version__, "99.0")


def test_a_house_that_does_not_ask_imports_nothing_for_it(door_clip, tmp_path: Path):
    done = run_python(QUIET, door_clip, tmp_path / "state")
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
