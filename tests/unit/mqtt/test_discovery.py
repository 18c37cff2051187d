"""What Home Assistant is told: names, topics and identifiers that fit together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from facesecure.config.mqtt import MqttConfig
from facesecure.domain.doors import LastVisit, OtherDoor
from facesecure.mqtt.discovery import EVENT_TYPES, Discovery
from facesecure.mqtt.doors import doors_document
from facesecure.mqtt.topics import TOPICS, Topics, words

CONFIG = MqttConfig(topic="facesecure/pi1")


def documents(config: MqttConfig = CONFIG, *names: str) -> list[dict[str, Any]]:
    discovery = Discovery(config, Topics(config), "https://pi1.local:8443/")
    cameras = words(names or ("front door", "gate"))
    return [discovery.house(), *(discovery.camera(word, name, "Camera") for word, name in cameras.items())]


def values(document: Any, ending: str) -> Iterator[str]:
    for key, value in document.items() if isinstance(document, dict) else ():
        if key.endswith(ending) and isinstance(value, str):
            yield value
        yield from values(value, ending)


def test_every_topic_that_is_named_is_one_of_ours():
    cameras = ("front-door", "gate")
    known = {f"facesecure/pi1/{one.path.format(camera=word, person='')}" for one in TOPICS for word in cameras}
    named = {topic for one in documents() for topic in values(one, "topic")}
    assert named
    assert named <= known


def test_identifiers_are_unique_in_the_house_and_between_houses():
    other = documents(MqttConfig(topic="facesecure/pi2"))
    found = [one for document in [*documents(), *other] for one in values(document, "unique_id")]
    assert len(found) == len(set(found)) == 2 * (4 + 2 * 7)


def test_a_visit_has_a_type_and_a_trigger_for_each_kind_and_no_device_class():
    components = documents()[1]["components"]
    assert components["visit"]["event_types"] == list(EVENT_TYPES)
    assert "device_class" not in components["visit"], "a doorbell must ring"
    assert {one["payload"] for key, one in components.items() if key.startswith("t_")} == set(EVENT_TYPES)
    assert components["visit"]["default_entity_id"] == "event.front_door_visit"


def test_without_pictures_there_is_no_entity_for_them():
    components = documents(CONFIG.model_copy(update={"pictures": False}))[1]["components"]
    assert components.keys().isdisjoint({"face", "camera"})


def test_the_code_is_in_no_document():
    config = CONFIG.model_copy(update={"disarm_code": "482915", "password": "a-long-password"})
    text = json.dumps(documents(config))
    assert "482915" not in text
    assert "a-long-password" not in text


@pytest.mark.parametrize("name", ["arm", "state", "Alert", "drill", "availability"])
def test_a_camera_with_a_name_of_the_house_has_topics_of_its_own(name):
    (word,) = words([name])
    assert word == f"{name.lower()}-camera"


def test_names_that_are_hostile_make_no_topic():
    for word in words(["front/door", "+", "#", "$SYS", "../../homeassistant", "Ä\0", "дверь"]):
        assert set(word) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_the_households_other_doors_have_their_trouble_and_their_last_visitor():
    garage, shed = "a" * 32, "b" * 32
    components = Discovery(CONFIG, Topics(CONFIG), "").house({garage: "garage", shed: "shed"})["components"]
    assert components[f"door_{garage}"]["name"] == "Trouble at the door garage"
    assert components[f"last_{shed}"]["value_template"] == f"{{{{ value_json['{shed}'].last.who }}}}"
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    doors = [OtherDoor(garage, "garage", at, last_visit=LastVisit("known", at, "yard", "Anna")),
             OtherDoor(shed, "shed", at, silent=True, lost=("path",))]  # fmt: skip
    told = json.loads(doors_document(doors))
    assert (told[garage]["trouble"], told[garage]["last"]["who"]) == ("OFF", "Anna")
    assert (told[shed]["trouble"], told[shed]["why"]) == ("ON", "not heard of; no image from the path")
