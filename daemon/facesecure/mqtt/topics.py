"""Every topic: what is on it, in which direction, and whether it is retained. ``docs/mqtt-topics.md`` is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from facesecure.config.mqtt import MqttConfig
from facesecure.domain.names import camera_slugs

ONLINE, OFFLINE = "online", "offline"
_OF_THE_HOUSE = {"arm", "drill", "state", "availability", "alert", "presence", "doors"}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic below the base: ``{camera}`` stands for the word of a camera, ``{person}`` for that of a person.

    ``ours``: we publish on it.
    """

    path: str
    payload: str
    retained: bool = False
    ours: bool = True
    forgotten: bool = True
    """Whether an empty retained payload is published on it when it is removed."""


AVAILABILITY = Topic("availability", "`online`, or `offline` when facesecure has stopped or is not reachable", True)
STATE = Topic("state", "JSON: `unheard` (`ON` if the last alarm was not heard), `version`, `latest`", True)
ARM_STATE = Topic(
    "arm/state",
    "`disarmed`, `armed_home`, `armed_away`, `arming` (exit delay), `pending` (entry delay) or `triggered`",
    True,
)
ARM_SET = Topic("arm/set", "JSON: `action` (`ARM_HOME`, `ARM_AWAY`, `DISARM`) and `code`", ours=False)
DRILL_SET = Topic("drill/set", "`DRILL` begins an alarm drill, at most one a minute", ours=False)
PRESENCE = Topic(
    "presence/{person}",
    "`home` or `not_home`: whether somebody of `[presence] people` is at home; may be retained, then it never disarms",
    ours=False,
)
ALERT = Topic("alert", "JSON: an announcement: `text`, `kind`, `camera`, `at`, `alert`; delivered at least once")
DOORS = Topic(
    "doors",
    "JSON: by the identifier of each other door of the household: `name`, `trouble` (`ON`, `OFF`), `why`, `last` "
    "(`who`, `at`, `camera`); only with a hub",
    True,
)
CAMERA_AVAILABILITY = Topic("{camera}/availability", "`online` while the camera is in use", True)
CAMERA_STATE = Topic(
    "{camera}/state",
    "JSON: `somebody` (`ON`, `OFF`), `trouble` (`ON`, `OFF`), `last` (`who`, `at`, `kind`, `visit`)",
    True,
)
EVENT = Topic(
    "{camera}/event",
    "JSON: a visit: `event_type` (`known`, `stranger`, `unidentified`, `corrected`, `drill`), `kind`, `name`, "
    "`visitor`, `visit`, `at`, `age` (seconds since the visit), `camera`, `subject`, `doubt`, `alert`; delivered at "
    "least once",
)
FACE = Topic("{camera}/face", "JPEG: the last visitor; retained only with `retain_pictures`")
PICTURE = Topic("{camera}/picture", "JPEG: what the camera shows; retained only with `retain_pictures`")

TOPICS = (
    AVAILABILITY,
    STATE,
    ARM_STATE,
    ARM_SET,
    DRILL_SET,
    PRESENCE,
    ALERT,
    DOORS,
    CAMERA_AVAILABILITY,
    CAMERA_STATE,
    EVENT,
    FACE,
    PICTURE,
)


class Topics:
    """The topics of a house.

    Example::

        Topics(config.mqtt).of(EVENT, "front-door")  # "facesecure/pi1/front-door/event"
    """

    def __init__(self, config: MqttConfig) -> None:
        """Take the base and the prefix of discovery from ``config``."""
        self.base, self._discovery = config.base, config.discovery
        self.node = self.base.replace("/", "_")
        """The word for the house in identifiers."""

    def of(self, topic: Topic, camera: str = "", person: str = "") -> str:
        """Return the whole name of ``topic``, for the camera or the person with that word."""
        return f"{self.base}/{topic.path.format(camera=camera, person=person)}"

    def discovery(self, camera: str = "") -> str | None:
        """Return the topic on which the house, or one camera, is announced; None if that is off."""
        node = f"{self.node}_{camera}" if camera else self.node
        return f"{self._discovery}/device/{node}/config" if self._discovery else None

    @property
    def birth(self) -> str | None:
        """The topic on which Home Assistant says that it has started; None if discovery is off."""
        return f"{self._discovery}/status" if self._discovery else None


def words(cameras: Iterable[str]) -> dict[str, str]:
    """Return the name of each camera by its word in topics, none of which is a word of the house."""
    return {f"{slug}-camera" if slug in _OF_THE_HOUSE else slug: name for slug, name in camera_slugs(cameras).items()}


def table() -> list[tuple[str, str, str, str]]:
    """Return a row for each topic: its name, direction, whether it is retained, and its payload."""
    return [
        (
            f"`{one.path}`",
            "from facesecure" if one.ours else "to facesecure",
            "yes" if one.retained else "no",
            one.payload,
        )
        for one in TOPICS
    ]
