"""Known people who may be a picture held up: what is written, what is spoken, and which rules are for them."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from facesecure.config.policy import PolicyConfig
from facesecure.domain import AlertKind, Sighting
from facesecure.domain.languages import OPTIONAL, SLOTS
from facesecure.domain.messages import Phrases
from support.policy import Door, rules

DOUBTED = "Anna, or a picture of them, is at the front door"
ALOUD = "A face at the front door may be a picture that is held up"
WHY = "4 faces look like a screen or a print (0.97 of 1)"


def doubted(door: Door, **others: Any) -> Sighting:
    return replace(door.known(), doubt=WHY, **others)


def test_the_name_is_written_with_the_picture_and_not_spoken() -> None:
    door = Door()
    assert door.comes(doubted(door)) == [DOUBTED]
    (alert,) = door.alerts
    assert alert.speech == ALOUD
    assert alert.kind is AlertKind.KNOWN
    assert str(alert.snapshot_path) == "picture.jpg"
    assert alert.sighting is not None
    assert not alert.sighting.proves_presence
    assert door.known().proves_presence


def test_a_person_who_came_home_mutes_no_picture_of_them() -> None:
    door = Door(PolicyConfig(known_cooldown=300))
    door.comes(door.known())
    door.wait(10)
    assert door.comes(doubted(door)) == [DOUBTED]
    door.wait(10)
    assert door.comes(doubted(door)) == [], "a cool-down of its own"
    assert door.comes(door.known()) == [], "and the person's still runs"


def test_a_doubt_that_comes_later_is_told_although_the_name_was() -> None:
    door = Door()
    first = door.known()
    door.comes(first)
    assert door.comes(doubted(door, supersedes=first.identifier)) == [DOUBTED]


def test_what_is_wanted_for_known_people_is_not_meant_for_pictures_of_them() -> None:
    door = Door(
        rules({"when": {"verdict": "known"}, "channels": "none"}, {"when": {"name": "Anna"}, "say": "Hi {name}"})
    )
    assert door.comes(door.known()) == []
    assert door.comes(doubted(door)) == [DOUBTED]


def test_a_rule_may_be_about_doubts_alone() -> None:
    door = Door(rules({"when": {"verdict": "known", "doubt": True}, "channels": "log", "say": "{name}?"}))
    assert door.comes(doubted(door)) == ["Anna?"]
    assert door.comes(door.known()) == ["Anna is at the front door"]
    assert [alert.channels for alert in door.alerts] == [("log",), None]
    assert door.alerts[0].speech == ALOUD, "a rule does not have the name spoken either"


def test_a_rule_for_every_visit_is_for_doubted_ones_too() -> None:
    door = Door(rules({"when": {"mode": "home"}, "channels": "log"}))
    door.comes(doubted(door))
    assert [alert.channels for alert in door.alerts] == [("log",)]


def test_a_picture_at_night_is_announced_as_a_stranger_is() -> None:
    door = Door(PolicyConfig(quiet=["00:00-24:00"]))
    door.comes(doubted(door))
    assert door.alerts[0].channels is None


def test_only_known_people_can_be_doubted() -> None:
    with pytest.raises(ValidationError, match="only a known person"):
        rules({"when": {"verdict": "stranger", "doubt": True}, "channels": "log"})


def test_a_language_that_a_household_wrote_before_has_words_for_it() -> None:
    written = {key: f"Satz {key}" + "".join(f" {{{slot}}}" for slot in SLOTS[key]) for key in SLOTS.keys() - OPTIONAL}
    phrases = Phrases("de", "Tür", {**written, "known": "{name} ist da", "unidentified": "Da war etwas"})
    assert phrases.doubted("Anna") == "Anna ist da (?)"
    assert phrases.doubted_aloud() == "Da war etwas"


def test_french_has_words_for_it() -> None:
    phrases = Phrases("fr", "front door")
    assert phrases.doubted("Anna") == "Anna, ou une photo de cette personne, est à la porte d'entrée"
    assert "Anna" not in phrases.doubted_aloud()
