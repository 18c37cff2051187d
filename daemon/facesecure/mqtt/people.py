"""What the broker says of who is at home: by topics of Home Assistant, or by ours.

Nothing of it needs a code, so it can do little: only what ``[presence]`` allows, only for people who are named there,
and only ``home`` and the words for away count. A message that lay on the broker is heard, and never disarms.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from facesecure.config import FacesecureConfig
from facesecure.config.presence import HOME, PresenceConfig
from facesecure.domain.names import camera_slugs, name_key
from facesecure.domain.presence import Whereabouts
from facesecure.mqtt import topics as t
from facesecure.mqtt.topics import Topics
from facesecure.services.presence import Presence

LARGEST = 64
"""Bytes of a state; Home Assistant's zones have names of their own."""

_log = logging.getLogger(__name__)


class PresenceTopics:
    """Passes states of people on to ``presence``, if presence is followed.

    Example::

        people = PresenceTopics(config, presence)
        people.receive("facesecure/pi1/presence/anna", b"home", retained=False)
    """

    def __init__(self, config: FacesecureConfig, presence: Presence | None) -> None:
        self._presence, self._away = presence, frozenset(config.presence.away_words)
        self._names = topics_of(config.presence, Topics(config.mqtt)) if presence is not None else {}

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of people."""
        return tuple(self._names)

    def receive(self, topic: str, payload: bytes | bytearray, *, retained: bool) -> bool:
        """Take a message, and return whether its topic is somebody's. Returns at once."""
        name = self._names.get(topic)
        if name is None or self._presence is None:
            return False
        self._presence.note(name, self._where(payload), fresh=not retained)
        return True

    def _where(self, payload: bytes | bytearray) -> Whereabouts:
        """Return what ``payload`` says: unknown, if it is nothing that is known."""
        if len(payload) > LARGEST:
            _log.warning("a state of presence of %d bytes is taken for unknown", len(payload))
            return Whereabouts.UNKNOWN
        word = payload.decode("utf-8", "replace")
        if word == HOME:
            return Whereabouts.HOME
        return Whereabouts.AWAY if word in self._away else Whereabouts.UNKNOWN


def topics_of(config: PresenceConfig, topics: Topics) -> dict[str, str]:
    """Return whose presence stands on each topic: the one that is configured, else one of ours."""
    own: Mapping[str, str] = {name_key(name): topic for name, topic in config.topics.items()}
    words = {name: word for word, name in camera_slugs(config.people).items()}
    return {own.get(name_key(name)) or topics.of(t.PRESENCE, person=words[name]): name for name in config.people}
