"""The plugin that delivers visits and announcements: delivered means that the broker has confirmed them.

The outbox keeps what the broker has not taken, over restarts of either, and gives it up after ``expires_days``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.config import FacesecureConfig
from facesecure.domain import Alert, Sighting
from facesecure.domain.deliveries import MQTT
from facesecure.domain.errors import FacesecureError
from facesecure.domain.names import camera_key, camera_slugs
from facesecure.domain.records import StoredSighting
from facesecure.mqtt import topics as t
from facesecure.mqtt.connection import Connection, Sent
from facesecure.mqtt.pictures import Pictures
from facesecure.mqtt.topics import Topics, words
from facesecure.storage.store import Store

_WAIT = 12.0
"""Seconds that an event waits for the connection, and for Home Assistant to subscribe."""
_OPEN = 50
_FRESH = 60.0

_log = logging.getLogger(__name__)


class MqttPlugin:
    """Delivers alerts to the broker: those for MQTT alone are events of visits, the others are announcements.

    Example::

        plugin = MqttPlugin(config, connection)
        plugin.send(alert)  # returns when the broker has confirmed it
    """

    def __init__(self, config: FacesecureConfig, connection: Connection) -> None:
        """Use ``connection``, which is closed with the plugin."""
        self.config = PluginConfig(expires=config.mqtt.expires_days * 86400.0)
        self._connection, self._topics = connection, Topics(config.mqtt)
        self._words = {camera_key(name): word for word, name in words(_names(config)).items()}
        self.store: Store | None = None
        self.pictures: Pictures | None = None
        self._sent: dict[str, Sent] = {}
        """Messages that paho sends again by itself, by the identifiers of their alerts."""

    def send(self, alert: Alert) -> None:
        """Deliver ``alert``. Raises PluginError."""
        self._connection.wait_until_settled(_WAIT)
        sent = self._sent.pop(alert.identifier, None)
        if sent is None:
            sent = self._publish(alert)
        try:
            self._connection.confirm(sent)
        except FacesecureError:
            if not sent.is_published():
                self._sent = {**dict(list(self._sent.items())[-_OPEN:]), alert.identifier: sent}
            raise

    def close(self) -> None:
        """Leave the broker."""
        self._connection.close()

    def _publish(self, alert: Alert) -> Sent:
        seen = alert.sighting
        if alert.channels != (MQTT,) or seen is None:
            return self._connection.publish(self._topics.of(t.ALERT), _json(announcement(alert)))
        stored, word = self._stored(seen), self._word(seen.source)
        if stored is not None and self.pictures is not None:
            self.pictures.visit(word, stored)
        return self._connection.publish(self._topics.of(t.EVENT, word), _json(event(alert, seen, stored)))

    def _word(self, camera: str) -> str:
        """Return the word of ``camera``, which may have been in an earlier configuration only."""
        return self._words.get(camera_key(camera)) or next(iter(camera_slugs([camera])))

    def _stored(self, seen: Sighting) -> StoredSighting | None:
        if self.store is None or seen.staged:
            return None
        try:
            return self.store.sighting(seen.identifier)
        except FacesecureError:
            return None  # removed since, or it could not be written


def event(alert: Alert, seen: Sighting, stored: StoredSighting | None) -> Mapping[str, Any]:
    """Return the event of a visit. Who it was is as it is stored by now: a person may have been renamed or removed."""
    kind = (stored or seen.verdict).kind.value
    age = (datetime.now(UTC) - alert.created_at).total_seconds()
    fresh = seen.verdict.name if age < _FRESH else None  # a late one is perhaps not stored because it was removed
    return {
        "event_type": "drill" if seen.staged else "corrected" if seen.supersedes else kind,
        "kind": kind,
        "name": stored.name if stored else fresh,
        "visitor": stored.visitor if stored else None,
        "visit": seen.identifier,
        "at": seen.first_seen.isoformat(),
        "age": round(max(0.0, age), 1),
        "camera": seen.source,
        "subject": seen.subject,
        "doubt": bool(seen.doubt),
        "alert": alert.identifier,
    }


def announcement(alert: Alert) -> Mapping[str, Any]:
    """Return what facesecure announces."""
    return {
        "text": alert.text,
        "kind": alert.kind.value,
        "camera": alert.sighting.source if alert.sighting else None,
        "at": alert.created_at.isoformat(),
        "alert": alert.identifier,
    }


def _names(config: FacesecureConfig) -> list[str]:
    return [one.camera.name for one in config.each_camera()]


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)
