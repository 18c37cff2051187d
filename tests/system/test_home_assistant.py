"""The daemon, a real mosquitto and a real Home Assistant, which finds the house by itself, shows it, and disarms it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
import yaml  # type: ignore[import-untyped]

from facesecure import __version__
from support.faults.household import Daemon, Home, wait_until
from support.home_assistant.fake_phone import FakePhone, fake_phone
from support.home_assistant.installed import needs_home_assistant
from support.home_assistant.running import HomeAssistant
from support.mqtt.broker import Broker, Listener, listening, running_broker
from support.ports import free_port
from support.tls import Authority

ROOT = Path(__file__).resolve().parents[2]
BLUEPRINT = ROOT / "docs" / "home-assistant" / "notify-stranger.yaml"
BASE, CODE = "facesecure/pi1", "482915"
USERS = (("home-assistant", "secret-of-home-assistant"), ("facesecure", "secret-of-facesecure"))
PANEL, VISIT, FACE = "alarm_control_panel.facesecure_watch", "event.front_door_visit", "image.front_door_last_visitor"
CAMERA = "camera.front_door_picture"
ENTITIES = {
    *(PANEL, "button.facesecure_alarm_drill", "binary_sensor.facesecure_alarm_not_heard", "update.facesecure_update"),
    *(VISIT, FACE, CAMERA, "binary_sensor.front_door_somebody_there"),
    *("sensor.front_door_last_seen", "sensor.front_door_last_visit", "binary_sensor.front_door_camera_trouble"),
}
MQTT = """
[mqtt]
enabled = true
host = "127.0.0.1"
port = {port}
user = "facesecure"
password = "secret-of-facesecure"
ca = "{ca}"
topic = "facesecure/pi1"
disarm_code = "482915"
"""


@dataclass
class House:
    """What stands in a house: facesecure at the door, a broker, Home Assistant; ``listener`` hears what is said."""

    home: Home
    broker: Broker
    assistant: HomeAssistant
    listener: Listener

    @contextmanager
    def watched(self) -> Iterator[Daemon]:
        """A daemon, with which Home Assistant has got to know the house."""
        with self.home.watched() as daemon:
            self.assistant.wait(self.complete, "available entities of facesecure")
            yield daemon

    def complete(self) -> bool:
        states = self.assistant.states()
        return states.keys() >= ENTITIES and all(states[one]["state"] != "unavailable" for one in ENTITIES)

    def gone(self) -> bool:
        states = self.assistant.states()
        return all(states[one]["state"] == "unavailable" for one in ENTITIES)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(one.payload) for one in self.listener.on("front-door/event")]

    def shows(self, path: str, topic: str) -> bool:
        """Return whether Home Assistant shows the very bytes that were published last."""
        try:
            shown = self.assistant.ask("GET", f"/api/{path}", raw=True)
        except HTTPError as error:
            if error.code != HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return False  # it has no picture yet
        return bool(shown == self.listener.on(f"front-door/{topic}")[-1].payload)

    def mode(self) -> str:
        """What the daemon says of itself."""
        return str(json.loads(self.home.run("status", "--json").stdout)["mode"])


@pytest.fixture(scope="session")
def program() -> Path:
    """Home Assistant's program."""
    return needs_home_assistant()


@pytest.fixture(scope="module")
def house(
    program: Path, tmp_path_factory: pytest.TempPathFactory, household: Path, strangers_film: Path
) -> Iterator[House]:
    """A house whose broker wants passwords, and TLS of facesecure; nothing watches yet."""
    folder = tmp_path_factory.mktemp("house")
    tls, port = encrypted(folder), free_port()
    with running_broker(folder / "broker", f"listener {port} 127.0.0.1", *tls, users=USERS) as broker:
        shutil.copytree(household, folder / "state")
        (folder / "state").chmod(0o700)
        home = Home(folder, strangers_film)
        home.configure(MQTT.format(port=port, ca=folder / "root.pem"))
        assistant = HomeAssistant(program, folder / "home-assistant")
        blueprints = assistant.folder / "blueprints" / "automation" / "facesecure"
        blueprints.mkdir(parents=True)
        shutil.copy(BLUEPRINT, blueprints)
        try:
            assistant.start()
            assistant.add_broker(broker.port, *USERS[0])
            with listening(broker.port, *USERS[1]) as listener:
                yield House(home, broker, assistant, listener)
        finally:
            home.kill()
            assistant.stop()


def encrypted(folder: Path) -> list[str]:
    """Return the lines of a listener with TLS, whose authority is ``root.pem`` in ``folder``."""
    authority = Authority(folder)
    authority.context("127.0.0.1")
    (pair,) = folder.glob("127.0.0.1-*.pem")
    return [f"cafile {authority.root}", f"certfile {pair}", f"keyfile {pair}"]


@pytest.fixture(scope="module")
def phone(house: House) -> Iterator[FakePhone]:
    with fake_phone(house.assistant) as phone:
        yield phone


def test_home_assistant_finds_every_entity_and_shows_what_is_so(house: House) -> None:
    assistant = house.assistant
    with house.watched():
        assistant.wait_for(PANEL, "armed_home")
        assistant.wait_for("sensor.front_door_last_seen", "stranger", 60)
        assistant.wait(lambda: assistant.state(VISIT) != "unknown", "event of a visit")
        assistant.wait_for("binary_sensor.front_door_somebody_there", "on")
        assistant.wait(lambda: house.shows(f"image_proxy/{FACE}", "face"), "face as it was published")
        assistant.wait(lambda: house.shows(f"camera_proxy/{CAMERA}", "picture"), "picture as it was published")
        states = assistant.states()
    assert datetime.fromisoformat(states["sensor.front_door_last_visit"]["state"])
    assert states["sensor.front_door_last_seen"]["attributes"]["kind"] == "stranger"
    assert states[VISIT]["attributes"]["event_type"] == "stranger"
    assert states["binary_sensor.front_door_camera_trouble"]["state"] == "off"
    assert states["binary_sensor.facesecure_alarm_not_heard"]["state"] == "off"
    assert states["update.facesecure_update"]["state"] == "off"
    assert states["update.facesecure_update"]["attributes"]["installed_version"] == __version__
    assert assistant.complaints() == []
    assistant.wait(house.gone, "entities that are unavailable after the daemon has stopped")


def test_a_stranger_sets_off_an_automation_with_a_trigger_of_the_device(house: House) -> None:
    assistant = house.assistant
    with house.watched():
        device = assistant.render(f"{{{{ device_id('{VISIT}') }}}}")
        trigger = {"trigger": "device", "domain": "mqtt", "device_id": device, "type": "stranger", "subtype": "visit"}
        count = len(house.events())
        assistant.add_automation("stranger", {"triggers": [trigger], "actions": [{"event": "somebody_came"}]})
        assistant.wait(
            lambda: assistant.states()["automation.stranger"]["attributes"]["last_triggered"],
            "automation that was set off", 60,
        )  # fmt: skip
        wait_until(lambda: len(house.events()) > count, "event that the broker was told of")
    assert assistant.complaints() == []


def test_the_right_code_disarms_the_daemon_and_a_wrong_one_does_not(house: House) -> None:
    assistant = house.assistant
    with house.watched() as daemon:
        assistant.call("alarm_control_panel.alarm_arm_away", entity_id=PANEL)
        assistant.wait_for(PANEL, "armed_away")
        assert house.mode() == "away"
        assistant.call("alarm_control_panel.alarm_disarm", entity_id=PANEL, code="000000")
        daemon.wait_for("the code is wrong")
        assert (house.mode(), assistant.state(PANEL)) == ("away", "armed_away")
        assistant.call("alarm_control_panel.alarm_disarm", entity_id=PANEL, code=CODE)
        assistant.wait_for(PANEL, "disarmed")
        assert house.mode() == "off"
        assistant.call("alarm_control_panel.alarm_arm_home", entity_id=PANEL)
        assistant.wait_for(PANEL, "armed_home")
    assert assistant.complaints() == []


def test_the_blueprint_sends_the_picture_to_a_phone_whose_button_disarms(house: House, phone: FakePhone) -> None:
    assistant = house.assistant
    with house.watched() as daemon:
        inputs = {"visit": VISIT, "face": FACE, "watch": PANEL, "phone": phone.device}
        use = {"path": "facesecure/notify-stranger.yaml", "input": inputs}
        assistant.add_automation("notified", {"use_blueprint": use})
        assistant.wait(lambda: phone.notified, "notification", 60)
        told = phone.notified[0]
        assert (told["title"], told["message"]) == ("A stranger", "Somebody unknown is at the front door")
        sent = assistant.ask("GET", told["data"]["image"], raw=True)
        wait_until(lambda: sent in [one.payload for one in house.listener.on("front-door/face")], "face that was sent")
        wait_until(lambda: told["data"]["tag"] in [event["visit"] for event in house.events()], "event of the visit")
        (button,) = told["data"]["actions"]
        assert (button["title"], button["behavior"]) == ("Disarm", "textInput")
        phone.press(button["action"], "111111")
        daemon.wait_for("the code is wrong")
        assert house.mode() == "home"
        phone.press(button["action"], CODE)
        assistant.wait_for(PANEL, "disarmed")
        assert house.mode() == "off"
        assistant.call("alarm_control_panel.alarm_arm_home", entity_id=PANEL)
        assistant.wait_for(PANEL, "armed_home")
    assistant.wait(house.gone, "entities that are unavailable after the daemon has stopped")
    with house.watched():
        count = len(phone.notified)
        assistant.wait(lambda: len(phone.notified) > count, "notification of the next visit", 60)
    visits = [told["data"]["tag"] for told in phone.notified]
    assert len(visits) == len(set(visits)), "a visit from before the restart was not told again"
    assert assistant.complaints() == []


def test_a_daemon_that_was_killed_is_unavailable_until_it_is_back(house: House) -> None:
    daemon = house.home.begin()
    house.assistant.wait(house.complete, "available entities of facesecure", 60)
    daemon.kill()
    house.assistant.wait(house.gone, "entities that are unavailable")
    with house.watched():
        house.assistant.wait_for(PANEL, "armed_home")


def test_everything_is_shown_again_after_home_assistant_and_the_broker_were_restarted(house: House) -> None:
    assistant = house.assistant
    with house.watched():
        assistant.stop()
        assistant.start()
        assistant.wait(house.complete, "entities after a restart of Home Assistant", 60)
        assistant.wait_for(PANEL, "armed_home")
        assert assistant.complaints() == []
        house.broker.stop()
        assistant.wait(house.gone, "entities that are unavailable without a broker", 60)
        house.broker.start()
        assistant.wait(house.complete, "entities after a restart of the broker", 60)
        count = len(house.events())
        wait_until(lambda: len(house.events()) > count, "visit that the broker was told of", 60)
        before = assistant.state(VISIT)
        assistant.wait(lambda: assistant.state(VISIT) != before, "visit after all that", 60)


def test_the_panel_shows_the_delays_and_people_who_leave_and_come_arm_and_disarm(house: House) -> None:
    assistant, before = house.assistant, house.home.config.read_text()
    said = assistant.complaints()  # of the broker's restart
    presence = '[presence]\npeople = ["Anna", "Tom"]\narm = true\ndisarm = true\nleave_delay = 10\n'
    house.home.config.write_text(
        before.replace("[policy]\n", "[policy]\nexit_delay = 10\nentry_delay = 20\n") + presence
    )
    try:
        with house.watched():
            people(assistant, "home")
            assistant.add_automation("presence", documented("Tell facesecure who is at home"))
            assistant.call("alarm_control_panel.alarm_arm_away", entity_id=PANEL)
            for state in ("arming", "pending", "triggered"):
                assistant.wait_for(PANEL, state, 60)
            assistant.call("alarm_control_panel.alarm_disarm", entity_id=PANEL, code=CODE)
            assistant.wait_for(PANEL, "disarmed")
            assistant.call("alarm_control_panel.alarm_arm_home", entity_id=PANEL)
            assistant.wait_for(PANEL, "armed_home")
            people(assistant, "not_home")
            wait_until(lambda: house.mode() == "away", "mode away since everybody has left", 60, every=1)
            assistant.post("/api/states/person.anna", {"state": "home"})
            wait_until(lambda: house.mode() == "home", "mode home since Anna has come", 60, every=1)
            wait_until(lambda: "disarmed by presence" in house.home.log.read_text(), "message that it was disarmed")
    finally:
        house.home.config.write_text(before)
    late = "Task exception was never retrieved"  # which Python finds some time after that restart
    assert [line for line in assistant.complaints() if line not in said and late not in line] == []


def people(assistant: HomeAssistant, state: str) -> None:
    """Let Home Assistant know where both are."""
    for name in ("anna", "tom"):
        assistant.post(f"/api/states/person.{name}", {"state": state})


def documented(alias: str) -> dict[str, Any]:
    """Return the automation of the page about Home Assistant with that alias, without the alias."""
    page = (ROOT / "docs" / "home-assistant.md").read_text(encoding="utf-8")
    (found,) = [text for block in page.split("```yaml\n")[1:] if f"alias: {alias}" in (text := block.split("```")[0])]
    return {key: value for key, value in yaml.safe_load(found).items() if key != "alias"}
