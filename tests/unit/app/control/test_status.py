"""The line that systemctl status shows."""

from datetime import timedelta

import pytest

from facesecure.app.control.status_words import LastSeen, ago, status_line
from facesecure.domain import Subject, VerdictKind
from facesecure.domain.mode import Mode
from support.builders import NOON


def seen(minutes: float, kind: VerdictKind = VerdictKind.KNOWN, name: str | None = "Anna") -> LastSeen:
    return LastSeen(kind, name, NOON - timedelta(minutes=minutes))


def test_it_says_what_a_person_wants_to_know():
    assert status_line(Mode.AWAY, 4, seen(12), NOON) == "watching, armed away, 4 people, last seen Anna 12 min ago"


def test_before_anybody_was_enrolled_or_seen_it_says_that():
    assert status_line(Mode.HOME, 0, None, NOON) == "watching, armed home, no one enrolled, no one seen yet"


def test_one_person_is_not_one_people():
    assert "1 person," in status_line(Mode.HOME, 1, None, NOON)


def test_somebody_without_a_name_is_told_by_what_is_known_of_them():
    assert status_line(Mode.HOME, 2, seen(3, VerdictKind.STRANGER, None), NOON).endswith("a stranger 3 min ago")
    assert status_line(Mode.HOME, 2, seen(3, VerdictKind.UNIDENTIFIED, None), NOON).endswith(
        "an unidentified visitor 3 min ago"
    )


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (Subject.PERSON, "an unidentified person"),
        (Subject.ANIMAL, "an animal"),
        (Subject.VEHICLE, "a vehicle"),
        (Subject.NOTHING, "an unidentified visitor"),
    ],
)
def test_what_showed_no_face_is_told_by_what_it_was(subject, words):
    last = LastSeen(VerdictKind.UNIDENTIFIED, None, NOON, subject)
    assert status_line(Mode.HOME, 2, last, NOON).endswith(f"last seen {words} just now")


def test_a_camera_in_trouble_and_quiet_hours_are_said():
    line = status_line(Mode.OFF, 2, None, NOON, camera="camera offline", quiet=True)
    assert line.startswith("camera offline, disarmed (quiet hours), ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3600, "just now"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86399, "23 h ago"),
        (86400, "yesterday"),
        (3 * 86400, "3 days ago"),
    ],
)
def test_a_time_is_told_as_people_tell_it(seconds, words):
    assert ago(NOON - timedelta(seconds=seconds), NOON) == words
