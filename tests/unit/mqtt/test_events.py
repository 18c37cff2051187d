"""What is told of a visit: by whom it was judged last, how late, and nobody's name who was removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import MQTT
from facesecure.domain.errors import PluginError
from facesecure.mqtt.connection import Connection
from facesecure.mqtt.events import MqttPlugin
from facesecure.storage.store import Store
from support.mqtt.household import BASE, config_on
from support.store import known, sighting


class Line:
    """A connection that confirms everything, or nothing."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.confirms = True

    def wait_until_settled(self, seconds: float) -> None:
        pass

    def publish(self, topic: str, payload: str) -> Any:
        self.sent.append((topic, json.loads(payload)))
        return SimpleNamespace(is_published=lambda: self.confirms)

    def confirm(self, sent: Any) -> None:
        if not self.confirms:
            raise PluginError("the MQTT broker has not confirmed the message")


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def plugin(line: Line, tmp_path: Path) -> Iterator[MqttPlugin]:
    plugin = MqttPlugin(config_on(1883), cast(Connection, line))
    with Store.open(tmp_path) as store:
        plugin.store = store
        yield plugin


def event_of(seen: Any, age: float = 0.0) -> Alert:
    return Alert.about(seen, "somebody", channels=(MQTT,), created_at=datetime.now(UTC) - timedelta(seconds=age))


def test_a_visit_is_told_as_it_is_stored_by_now(plugin, line):
    plugin.store.record(sighting("a", known("Anna")))
    plugin.send(event_of(sighting("a", known("Anna"))))
    (topic, told), = line.sent  # fmt: skip
    assert topic == f"{BASE}/front-door/event"
    assert (told["event_type"], told["name"], told["visit"]) == ("known", "Anna", "a")


def test_a_late_visit_that_is_not_stored_any_more_names_nobody(plugin, line):
    plugin.send(event_of(sighting("a", known("Anna")), age=5))
    plugin.send(event_of(sighting("b", known("Anna")), age=5000))
    assert [(told["name"], told["event_type"]) for _, told in line.sent] == [("Anna", "known"), (None, "known")]
    assert line.sent[1][1]["age"] >= 5000


def test_drills_and_corrections_have_types_of_their_own(plugin, line):
    plugin.send(event_of(replace(sighting("a"), staged=True)))
    plugin.send(event_of(sighting("b", supersedes="a")))
    assert [told["event_type"] for _, told in line.sent] == ["drill", "corrected"]
    assert [told["kind"] for _, told in line.sent] == ["stranger", "stranger"]


def test_an_announcement_goes_to_a_topic_of_its_own(plugin, line):
    plugin.send(Alert(AlertKind.SERVICE, "The disk is full"))
    ((topic, told),) = line.sent
    assert (topic, told["text"], told["kind"], told["camera"]) == (f"{BASE}/alert", "The disk is full", "service", None)


def test_a_message_that_waits_for_its_confirmation_is_not_sent_again(plugin, line):
    line.confirms = False
    alert = event_of(sighting("a"))
    for _ in range(3):
        with pytest.raises(PluginError, match="has not confirmed"):
            plugin.send(alert)
    line.confirms = True
    plugin.send(alert)
    assert len(line.sent) == 1, "the client repeats it by itself"
    assert plugin._sent == {}


def test_a_camera_that_was_renamed_still_has_a_topic(plugin, line):
    plugin.send(event_of(replace(sighting("a"), source="Old + gate/#")))
    assert line.sent[0][0] == f"{BASE}/old-gate/event"
