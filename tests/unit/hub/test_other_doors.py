"""Each door shows how the household's other doors are, whatever its clock says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facesecure.hub.sync.doors import LOOK_EVERY, SILENT_AFTER, Doors
from facesecure.hub.sync.status_document import StatusSaid, decoded, encoded, unchanged
from support.hub_household import SimulatedDoor, SimulatedHousehold
from support.policy import FakeClock

VISIT = {"verdict": "known", "camera": "yard", "name": "Anna", "subject": None, "seconds": 300.0}
FACTS: dict[str, Any] = {"version": "1.0", "lost": [], "troubles": [], "last": VISIT}


@pytest.fixture
def household(tmp_path: Path) -> Iterator[SimulatedHousehold]:
    made = SimulatedHousehold(tmp_path)
    yield made
    made.close()


class Seen:
    """A door that tells what ``facts`` say, and what it knows of the others."""

    def __init__(self, door: SimulatedDoor) -> None:
        self.door, self.facts, self.clock, self.changes = door, dict(FACTS), FakeClock(), 0
        self.doors = Doors(door.household, lambda: self.facts, self.changed, self.clock.steady)

    def changed(self) -> None:
        self.changes += 1

    def meet(self) -> None:
        """Do the duties once, some time later."""
        self.clock.pass_time(LOOK_EVERY)
        self.doors.report(self.door.store)
        self.doors.look(self.door.store)

    def shown(self, name: str = "garage") -> Any:
        return next(one for one in self.doors.others() if one.name == name)


@pytest.fixture
def both(household: SimulatedHousehold) -> tuple[Seen, Seen]:
    front, garage = Seen(household.add("front")), Seen(household.add("garage"))
    for _ in range(2):
        garage.meet()
        front.meet()
    return front, garage


def test_a_door_shows_the_last_visit_and_the_trouble_of_another(both: tuple[Seen, Seen]) -> None:
    front, garage = both
    shown = front.shown()
    assert (shown.last_visit.name, shown.last_visit.camera, shown.in_trouble) == ("Anna", "yard", False)
    assert abs(datetime.now(UTC) - timedelta(seconds=300) - shown.last_visit.at) < timedelta(seconds=60)
    before = front.changes
    garage.facts = {**FACTS, "lost": ["yard"], "troubles": ["mqtt: it does not answer"]}
    garage.meet()
    front.meet()
    assert (front.shown().lost, front.shown().in_trouble) == (("yard",), True)
    assert front.changes == before + 1
    front.meet()
    assert front.changes == before + 1


def test_a_door_that_has_said_nothing_for_minutes_is_silent(both: tuple[Seen, Seen]) -> None:
    front, _ = both
    assert not front.shown().silent
    front.clock.pass_time(SILENT_AFTER + 1)  # nor does the hub answer
    assert front.shown().silent
    assert front.shown().in_trouble


def test_doors_that_were_never_heard_of_and_the_own_one_are_told_apart(
    both: tuple[Seen, Seen], household: SimulatedHousehold
) -> None:
    front, _ = both
    household.add("shed")
    front.meet()
    assert [(one.name, one.heard_at is None) for one in front.doors.others()] == [
        ("garage", False), ("manager", True), ("shed", True),
    ]  # fmt: skip


def test_a_status_that_was_changed_at_the_hub_is_not_shown(
    both: tuple[Seen, Seen], household: SimulatedHousehold, caplog: pytest.LogCaptureFixture
) -> None:
    front, garage = both
    garage.door.store.doors.report(front.door.household.documents.status(encoded(FACTS)))
    for _ in range(2):
        front.meet()
    assert front.shown().heard_at is None
    assert caplog.text.count("left out") == 1


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b'{"lost": "yard"}',
        b'{"lost": [1]}',
        b'{"troubles": ["' + b"x" * 301 + b'"]}',
        b'{"lost": ["a","a","a","a","a","a","a","a","a"]}',
        b'{"last": {"verdict": "friend", "camera": "yard", "seconds": 1}}',
        b'{"last": {"verdict": "known", "camera": "yard", "seconds": NaN}}',
        b'{"last": {"verdict": "known", "camera": "yard", "seconds": 1e300}}',
    ],
)
def test_what_is_no_status_is_refused(said: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be understood"):
        decoded(said)


def test_a_newer_version_may_say_more() -> None:
    assert decoded(b'{"version": "9.9", "mood": "good"}') == StatusSaid(version="9.9")


def test_only_what_has_happened_is_told_at_once() -> None:
    assert unchanged(FACTS, {**FACTS, "last": {**VISIT, "seconds": 305.0}})
    assert not unchanged(FACTS, {**FACTS, "last": {**VISIT, "seconds": 1.0}})  # another visit by the same person
    assert not unchanged(FACTS, {**FACTS, "lost": ["yard"]})
    assert not unchanged(FACTS, {**FACTS, "last": None})
    assert not unchanged(None, FACTS)
