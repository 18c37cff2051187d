"""What is so now: published when it changes, and everything again when the broker or Home Assistant has come back."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from facesecure import __version__
from facesecure.alerts.policy.entry_delay import EntryPhase
from facesecure.app.assembly import Daemon
from facesecure.app.control.commands import Commands
from facesecure.app.watching import WatchedCamera
from facesecure.app.web_api.outside_changes import outside_changes
from facesecure.config.mqtt import MqttConfig
from facesecure.domain.deliveries import MQTT, DeliveryState
from facesecure.domain.errors import FacesecureError
from facesecure.domain.mode import Mode
from facesecure.mqtt import topics as t
from facesecure.mqtt.connection import Connection
from facesecure.mqtt.discovery import Discovery
from facesecure.mqtt.doors import doors_document, others
from facesecure.mqtt.left_behind import LeftBehind
from facesecure.mqtt.pictures import Pictures
from facesecure.mqtt.presence import HOLDS, SomebodyThere
from facesecure.mqtt.topics import Topics, words
from facesecure.services.page_address import page_address

_LOOK_EVERY = 1.0
_PAUSE = 20.0
"""Seconds between two times that everything is published because somebody asks for it."""
_JOIN = 3.0
_LATEST_ALERTS = 20
_MODES = {Mode.OFF: "disarmed", Mode.HOME: "armed_home", Mode.AWAY: "armed_away"}
_UNHEARD = {DeliveryState.EXPIRED, DeliveryState.FAILED}

_log = logging.getLogger(__name__)


class States:
    """A thread that keeps the retained topics of ``daemon`` as they should be.

    Example::

        with States(config.mqtt, connection, daemon, pictures, left):
            ...
    """

    def __init__(
        self, config: MqttConfig, connection: Connection, daemon: Daemon, pictures: Pictures, left: LeftBehind
    ) -> None:
        self._connection, self._daemon, self._pictures, self._left = connection, daemon, pictures, left
        self._config, self._topics = config, Topics(config)
        self._discovery = Discovery(config, self._topics, page_address(daemon.context.config.web))
        self._cameras = by_word(daemon)
        self._there = {word: SomebodyThere(camera) for word, camera in self._cameras.items()}
        self._published: dict[str, str] = {}
        self._doors: dict[str, str] = {}
        self._again_at = 0.0
        self._again, self._stopping = threading.Event(), threading.Event()
        self._outside = outside_changes(daemon.store, daemon.context.changes)
        self._thread = threading.Thread(target=self._work, name="mqtt-states", daemon=True)

    def publish_all(self) -> None:
        """Publish everything, within a second: the broker has just taken us. Returns at once."""
        self._again_at = 0.0
        self._again.set()

    def publish_again(self) -> None:
        """Publish everything anew, soon: whoever listens says to have forgotten it. Returns at once.

        Events wait for that, so whoever says it again and again must not hold them up.
        """
        self._again.set()

    def __enter__(self) -> States:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stopping.set()
        self._thread.join(_JOIN)

    def _work(self) -> None:
        feed = self._daemon.context.changes
        seen, changed = feed.numbers(), True
        while not self._stopping.is_set():
            if self._connection.online:
                try:
                    self._publish(changed=changed)
                    changed = False
                except FacesecureError as error:
                    _log.info("states are published later: %s", error)
                except Exception:  # noqa: BLE001 - the states that follow must not be lost with this one
                    _log.exception("an error in the states for MQTT; please report it")
            else:
                self._stopping.wait(_LOOK_EVERY / 4)
            self._connection.revive()
            self._outside.look()
            now = feed.wait(seen, _LOOK_EVERY)
            changed, seen = changed or now != seen, now

    def _publish(self, *, changed: bool) -> None:
        again = self._again.is_set() and time.monotonic() >= self._again_at
        if again:
            self._again.clear()
            self._again_at = time.monotonic() + _PAUSE
            self._published.clear()
            self._announce()
        if again or changed:
            self._pictures.follow_removals()
            self._retain(self._topics.of(t.ARM_STATE), _panel(self._daemon.commands))
            self._retain(self._topics.of(t.STATE), self._house())
            self._retain_doors()
        for word, camera in self._cameras.items():
            self._retain(self._topics.of(t.CAMERA_STATE, word), self._state(word, camera, fresh=again or changed))
            if again:
                self._pictures.camera(word)
            elif self._there[word].somebody:
                self._pictures.camera_if_due(word)

    def _announce(self) -> None:
        """Publish discovery and availability, and remove what is not there any more."""
        wanted: dict[str, str] = {}
        if (topic := self._topics.discovery()) is not None:
            wanted[topic] = json.dumps(self._discovery.house(self._doors))
            for word, camera in self._cameras.items():
                document = self._discovery.camera(word, camera.name, "Camera")
                wanted[self._topics.discovery(word) or ""] = json.dumps(document)
        wanted[self._topics.of(t.AVAILABILITY)] = t.ONLINE
        wanted |= {self._topics.of(t.CAMERA_AVAILABILITY, word): t.ONLINE for word in self._cameras}
        self._remove_gone(set(wanted))
        self._left.add(*wanted)
        for topic, payload in wanted.items():
            self._retain(topic, payload)
        self._connection.settle()
        self._daemon.dispatcher.retry_now(MQTT)

    def _remove_gone(self, wanted: set[str]) -> None:
        """Remove from the broker what an earlier configuration left there. Raises PluginError."""
        pictures = self._config.pictures and self._config.retain_pictures
        stay = wanted | {self._topics.of(one) for one in t.TOPICS if one.retained}
        of_cameras = (t.CAMERA_STATE, *((t.FACE, t.PICTURE) if pictures else ()))
        stay |= {self._topics.of(one, word) for one in of_cameras for word in self._cameras}
        gone = self._left.topics - stay
        for topic in gone:
            self._connection.confirm(self._connection.publish(topic, b"", retain=True))
        if gone:
            self._left.remove(gone)

    def _retain(self, topic: str, payload: str) -> None:
        """Publish ``payload`` unless it is there already."""
        if self._published.get(topic) == payload:
            return
        self._left.add(topic)
        self._connection.publish(topic, payload, retain=True)
        self._published[topic] = payload

    def _retain_doors(self) -> None:
        """Publish how the household's other doors are; announce them anew if there are others."""
        doors = others(self._daemon.commands)
        names = {door.identifier: door.name for door in doors}
        if names != self._doors:
            self._doors = names
            if (topic := self._topics.discovery()) is not None:
                self._retain(topic, json.dumps(self._discovery.house(names)))
        if doors or self._topics.of(t.DOORS) in self._published:
            self._retain(self._topics.of(t.DOORS), doors_document(doors))

    def _house(self) -> str:
        known = self._daemon.context.updates()
        latest = (known and known.newer) or __version__
        return json.dumps({"unheard": _switch(self._unheard()), "version": __version__, "latest": latest})

    def _unheard(self) -> bool:
        """Return whether no plugin has spoken the latest alert that was to be spoken."""
        aloud = self._daemon.context.config.policy.aloud
        with suppress(FacesecureError):
            for one in self._daemon.store.outbox.history(_LATEST_ALERTS):
                states = {each.status.state for each in one.deliveries if each.channel in aloud}
                if DeliveryState.DELIVERED in states:
                    return False
                if states & _UNHEARD:
                    return True
        return False

    def _state(self, word: str, camera: WatchedCamera, *, fresh: bool) -> str:
        before = self._published.get(self._topics.of(t.CAMERA_STATE, word))
        last = self._last(word, camera.name) if fresh or before is None else json.loads(before)["last"]
        trouble = camera.camera.monitor.trouble is not None
        somebody = self._there[word].look()
        return json.dumps(
            {"somebody": _switch(somebody), "trouble": _switch(trouble), "last": last}, ensure_ascii=False
        )

    def _last(self, word: str, camera: str) -> Mapping[str, Any]:
        found = self._daemon.store.sightings(1, latest_only=True, cameras=[camera])
        if not found:
            return {"who": None, "at": None, "kind": None, "visit": None}
        seen = found[0]
        if datetime.now(UTC) - seen.last_seen < timedelta(seconds=HOLDS):
            self._there[word].note()
        return {
            "who": seen.name or seen.kind.value,
            "at": seen.last_seen.isoformat(),
            "kind": seen.kind.value,
            "visit": seen.identifier,
        }


def by_word(daemon: Daemon) -> dict[str, WatchedCamera]:
    """Return the cameras by their words in topics."""
    return dict(zip(words(one.name for one in daemon.cameras), daemon.cameras, strict=True))


def _panel(commands: Commands) -> str:
    """Return the state of an alarm panel, in Home Assistant's words."""
    phase = commands.entry().phase
    if phase is not EntryPhase.QUIET:
        return phase.value
    return "arming" if commands.arming.leaving is not None else _MODES[commands.policy.mode]


def _switch(on: bool) -> str:
    return "ON" if on else "OFF"
