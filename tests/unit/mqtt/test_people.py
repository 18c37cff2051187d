"""What the broker says of people, and what is made of it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from facesecure.config import FacesecureConfig
from facesecure.domain.presence import Whereabouts
from facesecure.mqtt.people import LARGEST, PresenceTopics
from facesecure.services.presence import Presence

HOME, AWAY, UNKNOWN = Whereabouts.HOME, Whereabouts.AWAY, Whereabouts.UNKNOWN


class Heard:
    """A presence that remembers what it is told."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, Whereabouts, bool]] = []

    def note(self, name: str, where: Whereabouts, *, fresh: bool) -> None:
        self.noted.append((name, where, fresh))


def people_of(heard: Heard | None, **presence: Any) -> PresenceTopics:
    document = {"mqtt": {"topic": "facesecure/pi1"}, "presence": {"people": ["Anna Li", "Zoë"], **presence}}
    return PresenceTopics(FacesecureConfig.model_validate(document), cast("Presence | None", heard))


def test_everybody_has_a_topic_of_ours_or_the_one_that_is_configured() -> None:
    assert people_of(Heard()).topics == ("facesecure/pi1/presence/anna-li", "facesecure/pi1/presence/zoe")
    own = people_of(Heard(), topics={"anna li": "homeassistant/person/anna/state"})
    assert own.topics == ("homeassistant/person/anna/state", "facesecure/pi1/presence/zoe")


def test_without_presence_nothing_is_subscribed_to() -> None:
    assert people_of(None).topics == ()
    assert not people_of(None).receive("facesecure/pi1/presence/zoe", b"home", retained=False)


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        (b"home", HOME), (b"not_home", AWAY), (b"away", AWAY), (b"Work", UNKNOWN), (b"unavailable", UNKNOWN),
        (b"unknown", UNKNOWN), (b"", UNKNOWN), (b"HOME", UNKNOWN), (b"home\0", UNKNOWN), (b" home", UNKNOWN),
        (b"\xff", UNKNOWN), (b'"home"', UNKNOWN), (b"home" * LARGEST, UNKNOWN), (b"None", UNKNOWN),
    ],
)  # fmt: skip
@pytest.mark.parametrize("retained", [True, False])
def test_only_what_is_exactly_home_or_away_counts(payload: bytes, where: Whereabouts, retained: bool) -> None:
    heard = Heard()
    assert people_of(heard).receive("facesecure/pi1/presence/zoe", payload, retained=retained)
    assert heard.noted == [("Zoë", where, not retained)]


def test_zones_that_the_household_names_are_away() -> None:
    heard = Heard()
    people_of(heard, away_words=["Work"]).receive("facesecure/pi1/presence/zoe", b"Work", retained=False)
    assert heard.noted == [("Zoë", AWAY, True)]


def test_other_topics_are_nobodys() -> None:
    heard = Heard()
    for topic in ("facesecure/pi1/presence/tom", "facesecure/pi1/presence", "facesecure/pi1/arm/set", ""):
        assert not people_of(heard).receive(topic, b"home", retained=False)
    assert heard.noted == []
