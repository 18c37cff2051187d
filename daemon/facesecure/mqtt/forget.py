"""Remove from the broker whatever lies there of this house."""

from __future__ import annotations

import time
from pathlib import Path

from facesecure.config import FacesecureConfig
from facesecure.domain.errors import FacesecureError
from facesecure.mqtt import topics as t
from facesecure.mqtt.connection import Connection
from facesecure.mqtt.left_behind import LeftBehind
from facesecure.mqtt.topics import Topics, words

_PATIENCE = 15.0
_LOOK_EVERY = 0.1


def forget(config: FacesecureConfig, state_dir: Path) -> list[str]:
    """Publish an empty retained message on every topic of ours, and return those topics. Raises FacesecureError.

    Home Assistant then removes the house and its cameras.
    """
    left = LeftBehind(state_dir)
    found = sorted(left.topics | known(config))
    connection = Connection(config.mqtt, lasting=False)
    connection.start()
    try:
        _wait(connection)
        for topic in found:
            connection.confirm(connection.publish(topic, b"", retain=True))
    finally:
        connection.leave()
        connection.close()
    left.remove(found)
    return found


def known(config: FacesecureConfig) -> set[str]:
    """Return the topics on which something may be retained by this configuration."""
    topics, cameras = Topics(config.mqtt), words(one.camera.name for one in config.each_camera())
    maybe = [one for one in t.TOPICS if one.retained or one in (t.FACE, t.PICTURE)]
    found = {topics.of(one, word) for one in maybe for word in (cameras if "{" in one.path else [""])}
    return found | {topic for word in ("", *cameras) if (topic := topics.discovery(word)) is not None}


def _wait(connection: Connection) -> None:
    """Wait for the connection. Raises FacesecureError with what is wrong."""
    deadline = time.monotonic() + _PATIENCE
    while not connection.online:
        trouble = connection.trouble
        if time.monotonic() >= deadline or (trouble is not None and trouble.hint):
            raise FacesecureError(trouble.message, trouble.hint) if trouble else FacesecureError("no connection")
        time.sleep(_LOOK_EVERY)
