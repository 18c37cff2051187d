"""A person who shows no face raises an alert; an animal, a vehicle and a shadow go to the log."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from facesecure.config.policy import PolicyConfig
from facesecure.domain import Sighting, Subject
from facesecure.domain.mode import Mode
from support.policy import Door, rules

OTHERS = [Subject.ANIMAL, Subject.VEHICLE, Subject.NOTHING]


def moved(door: Door, subject: Subject | None) -> Sighting:
    """A sighting of movement without a face."""
    return replace(door.unidentified(), track=None, subject=subject)


def test_a_person_without_a_face_is_an_alert_of_its_own() -> None:
    door = Door()
    assert door.comes(moved(door, Subject.PERSON)) == ["A person who shows no face is at the front door"]
    assert door.alerts[-1].channels is None
    assert door.alerts[-1].speech == "A person who shows no face is at the front door"


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (Subject.ANIMAL, "An animal was at the front door"),
        (Subject.VEHICLE, "A vehicle was at the front door"),
        (Subject.NOTHING, "Somebody or something was at the front door"),
    ],
)
def test_what_is_no_person_goes_to_the_log_only(subject: Subject, words: str) -> None:
    door = Door()
    assert door.comes(moved(door, subject)) == [words]
    assert door.alerts[-1].channels == ("log",)


def test_where_nobody_looked_everything_raises_an_alert() -> None:
    door = Door()
    assert door.comes(moved(door, None)) == ["Somebody or something was at the front door"]
    assert door.alerts[-1].channels is None


def test_who_shows_a_face_that_is_not_clear_enough_is_not_said_to_show_none() -> None:
    door = Door()
    unclear = replace(door.unidentified(), subject=Subject.PERSON)
    seen = replace(unclear, verdict=replace(unclear.verdict, faces_used=1))
    assert door.comes(seen) == ["Somebody or something was at the front door"]
    assert door.alerts[-1].channels is None


def test_an_animals_unclear_face_goes_to_the_log() -> None:
    door = Door()
    door.comes(replace(door.unidentified(), subject=Subject.ANIMAL))
    assert door.alerts[-1].channels == ("log",)


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_person_mutes_no_person(other: Subject) -> None:
    door = Door()
    assert len(door.comes(moved(door, other))) == 1
    assert door.comes(moved(door, other)) == []
    assert len(door.comes(moved(door, Subject.PERSON))) == 1
    assert door.comes(moved(door, Subject.PERSON)) == []


def test_a_disarmed_household_is_told_nothing() -> None:
    door = Door(mode=Mode.OFF)
    for subject in Subject:
        assert door.comes(moved(door, subject)) == []


def test_a_rule_is_for_what_it_names() -> None:
    door = Door(rules({"when": {"subject": "animal"}, "channels": ["notify"], "say": "The cat is {where}"}))
    assert door.comes(moved(door, Subject.ANIMAL)) == ["The cat is at the front door"]
    assert door.alerts[-1].channels == ("notify",)
    door.comes(moved(door, Subject.VEHICLE))
    assert door.alerts[-1].channels == ("log",)
    assert door.comes(door.stranger()) == ["A stranger is at the front door"]


def test_a_rule_for_nothing_known_is_not_for_what_nobody_looked_at() -> None:
    door = Door(rules({"when": {"subject": ["nothing", "vehicle"]}, "channels": "none"}))
    assert door.comes(moved(door, Subject.NOTHING)) == []
    assert door.comes(moved(door, Subject.VEHICLE)) == []
    assert len(door.comes(moved(door, None))) == 1


@pytest.mark.parametrize("when", [{"verdict": "known"}, {"verdict": ["unidentified", "camera"]}, {"name": "Anna"}])
def test_only_what_shows_no_face_has_a_subject(when: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="without a usable face"):
        PolicyConfig.model_validate({"rules": [{"when": {**when, "subject": "person"}, "channels": "log"}]})


def test_an_unknown_subject_is_refused() -> None:
    with pytest.raises(ValidationError, match="subject"):
        PolicyConfig.model_validate({"rules": [{"when": {"subject": "dog"}, "channels": "log"}]})
