"""Pictures on the broker: of the last visitor and of what a camera shows; removed when they may not be kept."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from facesecure.config.mqtt import MqttConfig
from facesecure.domain.errors import FacesecureError
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
        pictures.wipe_removed()
    """

    def __init__(
        self,
        config: MqttConfig,
        connection: Connection,
        store: Store,
        views: Mapping[str, LatestView],
        left: LeftBehind,
        state_dir: Path,
    ) -> None:
        self._config, self._connection, self._store, self._views = config, connection, store, views
        self._topics, self._left, self._state_dir = Topics(config), left, state_dir
        self._due: dict[str, float] = {}

    def visit(self, word: str, seen: StoredSighting) -> None:
        """Publish the face of ``seen`` and what its camera shows. Raises PluginError or StoreError."""
        if not self._config.pictures:
            return
        if (jpeg := portrait(self._store, seen)) is not None:
            topic = self._topics.of(t.FACE, word)
            if self._config.retain_pictures:
                self._left.faces[topic] = (seen.identifier, _whose(seen))
                self._remember(topic)
            self._publish(topic, jpeg)
        self.camera(word)

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
                self._remember(topic)
            self._publish(topic, picture.jpeg)

    def camera_if_due(self, word: str) -> None:
        """Publish what the camera shows, unless that was a moment ago."""
        if time.monotonic() >= self._due.get(word, 0.0):
            self.camera(word)

    def wipe_removed(self) -> None:
        """Remove retained pictures of visits that were removed, or are somebody else's since. Raises PluginError.

        All of them, where pictures are not to be retained any more. The camera's picture may show the same person.
        """
        for topic, (visit, whose) in list(self._left.faces.items()):
            if not (self._config.retain_pictures and self._config.pictures and self._is_kept(visit, whose)):
                shown = topic.rpartition("/")[0] + "/" + t.PICTURE.path.rpartition("/")[2]
                self._wipe(topic, shown)
                del self._left.faces[topic]
                self._left.write(self._state_dir)

    def _wipe(self, *topics: str) -> None:
        for topic in topics:
            self._connection.confirm(self._connection.publish(topic, b"", retain=True))
            self._left.topics.discard(topic)

    def _is_kept(self, visit: str, whose: str) -> bool:
        try:
            seen = self._store.sighting(visit)
        except FacesecureError:
            return False
        return seen.snapshot is not None and _whose(seen) == whose

    def _remember(self, topic: str) -> None:
        self._left.topics.add(topic)
        self._left.write(self._state_dir)

    def _publish(self, topic: str, jpeg: bytes) -> None:
        self._connection.publish(topic, jpeg, retain=self._config.retain_pictures)


def _whose(seen: StoredSighting) -> str:
    """Return a hash of whom the visit is taken for: the state directory holds no plain name."""
    return hashlib.sha256(f"{seen.identifier} {seen.name} {seen.visitor}".encode()).hexdigest()[:32]
