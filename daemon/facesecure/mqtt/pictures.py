"""Pictures on the broker: of the last visitor and of what a camera shows; removed when they may not be kept."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping

from facesecure.config.mqtt import MqttConfig
from facesecure.domain.errors import UsageError
from facesecure.domain.records import StoredSighting
from facesecure.mqtt import topics as t
from facesecure.mqtt.connection import Connection
from facesecure.mqtt.left_behind import LeftBehind
from facesecure.mqtt.topics import Topics
from facesecure.pipeline.latest_view import LatestView
from facesecure.services.thumbnails import portrait
from facesecure.storage.store import Store

_WIDTH = 640
_EVERY = 10.0
"""Seconds between two pictures of a camera while somebody is there."""

_log = logging.getLogger(__name__)


class Pictures:
    """The pictures of the cameras whose views are given by their words.

    Example::

        pictures.visit("front-door", sighting)
        pictures.follow_removals()
    """

    def __init__(
        self,
        config: MqttConfig,
        connection: Connection,
        store: Store,
        views: Mapping[str, LatestView],
        left: LeftBehind,
    ) -> None:
        self._config, self._connection, self._store, self._views = config, connection, store, views
        self._topics, self._left = Topics(config), left
        self._due: dict[str, float] = {}

    def visit(self, word: str, seen: StoredSighting) -> None:
        """Publish the face of ``seen`` and what its camera shows. Raises PluginError or StoreError."""
        if not self._config.pictures:
            return
        if (jpeg := portrait(self._store, seen)) is not None:
            self._face(word, seen.identifier, jpeg)
        self.camera(word)

    def _face(self, word: str, visit: str, jpeg: bytes) -> None:
        topic = self._topics.of(t.FACE, word)
        if self._config.retain_pictures:
            self._left.add_face(topic, visit, _digest(jpeg))
        self._connection.publish(topic, jpeg, retain=self._config.retain_pictures)

    def camera(self, word: str) -> None:
        """Publish what the camera shows now, if it shows something. Raises PluginError."""
        if not self._config.pictures or (view := self._views.get(word)) is None:
            return
        self._due[word] = time.monotonic() + _EVERY
        try:
            picture = view.picture(_WIDTH)
        except ValueError as error:
            _log.warning("a picture could not be made: %s", error)
            return
        if picture is not None:
            topic = self._topics.of(t.PICTURE, word)
            if self._config.retain_pictures:
                self._left.add(topic)
            self._connection.publish(topic, picture.jpeg, retain=self._config.retain_pictures)

    def camera_if_due(self, word: str) -> None:
        """Publish what the camera shows, unless that was a moment ago."""
        if time.monotonic() >= self._due.get(word, 0.0):
            self.camera(word)

    def follow_removals(self) -> None:
        """Remove retained pictures whose snapshot was removed, with a person, a visitor or by its age.

        One that was drawn anew, so that it does not show somebody any more, is published anew. Raises PluginError or
        StoreError.
        """
        for word in self._views:
            topic = self._topics.of(t.FACE, word)
            if (face := self._left.faces.get(topic)) is None:
                continue
            visit, digest = face
            jpeg = self._now(visit)
            if jpeg is None:
                self._wipe(topic, self._topics.of(t.PICTURE, word))
            elif _digest(jpeg) != digest:
                self._face(word, visit, jpeg)
                self.camera(word)

    def _now(self, visit: str) -> bytes | None:
        try:
            return portrait(self._store, self._store.sighting(visit))
        except UsageError:
            return None

    def _wipe(self, *topics: str) -> None:
        for topic in topics:
            self._connection.confirm(self._connection.publish(topic, b"", retain=True))
        self._left.remove(topics)


def _digest(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()
