"""What lies on the broker: remembered in STATE_DIR/mqtt.json, signed, so that it can be removed later."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.storage.signed_documents import SignedDocuments

FILE_NAME = "mqtt.json"
_MOST = 2000

_log = logging.getLogger(__name__)


class LeftBehind:
    """The retained topics, and for each retained face the visit that it shows and the SHA-256 of the picture.

    Thread-safe; every change is on the disk when it returns. Example::

        left = LeftBehind(state_dir)
        left.add("facesecure/pi1/state")
    """

    def __init__(self, state_dir: Path) -> None:
        """Read what was written last; nothing if that cannot be read."""
        self._documents, self._lock = SignedDocuments(state_dir), threading.RLock()
        self._topics, self._faces = _read(self._documents)

    @property
    def topics(self) -> frozenset[str]:
        """The topics with a retained message."""
        with self._lock:
            return frozenset(self._topics)

    @property
    def faces(self) -> dict[str, tuple[str, str]]:
        """The visit and the hash of each retained face, by its topic."""
        with self._lock:
            return dict(self._faces)

    def add(self, *topics: str) -> None:
        """Note that a message is retained on each of ``topics``. To be called before it is published."""
        with self._lock:
            if not self._topics.issuperset(topics):
                self._topics.update(topics)
                self._write()

    def add_face(self, topic: str, visit: str, digest: str) -> None:
        """Note that the face of ``visit`` is retained on ``topic``."""
        with self._lock:
            self._topics.add(topic)
            self._faces[topic] = (visit, digest)
            self._write()

    def remove(self, topics: Iterable[str]) -> None:
        """Note that nothing is retained on ``topics`` any more."""
        with self._lock:
            self._topics.difference_update(topics)
            self._faces = {topic: face for topic, face in self._faces.items() if topic in self._topics}
            self._write()

    def _write(self) -> None:
        document = {"topics": sorted(self._topics)[:_MOST], "faces": self._faces}
        try:
            self._documents.write(FILE_NAME, document)
        except (OSError, StoreError) as error:  # it is known until the next start
            _log.warning("%s cannot be written: %s", FILE_NAME, error)


def _read(documents: SignedDocuments) -> tuple[set[str], dict[str, tuple[str, str]]]:
    try:
        found: Any = documents.read(FILE_NAME)
        topics = {topic for topic in found["topics"] if isinstance(topic, str) and is_plain(topic)}
        return topics, {topic: (str(a), str(b)) for topic, (a, b) in found["faces"].items() if topic in topics}
    except FileNotFoundError:
        return set(), {}
    except (OSError, StoreError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("%s cannot be read, so older topics stay on the broker: %s", FILE_NAME, error)
        return set(), {}


def is_plain(topic: str) -> bool:
    """Return whether a message can be published on ``topic``: it is no filter."""
    return 0 < len(topic) < 400 and topic.isprintable() and not set(topic) & set("+#$")
