"""Each door tells its household of its visits, and shows those of the others, also while the hub is away."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from facesecure.app.changes import Topic
from facesecure.config import StoreConfig
from facesecure.domain import VerdictKind
from facesecure.domain.names import FORGOTTEN
from facesecure.domain.notices import SeenStranger
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity_file import remove_identity, write_identity
from facesecure.hub.rows import KEPT_DAYS
from facesecure.hub.sync import hearing, telling, visits, visits_state
from facesecure.hub.sync.notices import HouseholdNotices
from facesecure.hub.sync.visit_document import VisitFacts, VisitTold, decoded, encoded, identifier_of
from facesecure.hub.sync.visits import visits_elsewhere
from facesecure.hub.tables import revisions, sightings
from facesecure.storage.store import Store
from support.hub import new_id
from support.hub_household import SimulatedHousehold
from support.hub_visits import VisitedDoor, visited
from support.store import known, sighting
from support.visitors import CHOOSE

Two = tuple[VisitedDoor, VisitedDoor]
FACTS = VisitFacts(verdict="stranger", camera="yard", first=1e9, last=1e9)


@pytest.fixture(autouse=True)
def _a_round_ends_only_when_everything_was_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds other duties have their turn; on a slow machine that would come too soon for these tests."""
    monkeypatch.setattr(hearing, "_LONGEST_ROUND", 3600.0)


@pytest.fixture
def household(tmp_path: Path) -> Iterator[SimulatedHousehold]:
    made = SimulatedHousehold(tmp_path)
    yield made
    made.close()


@pytest.fixture
def two(household: SimulatedHousehold) -> Iterator[Two]:
    front, garage = visited(household, "front", "garage")
    yield front, garage
    for one in (front, garage):
        one.store.close()


def test_a_door_shows_the_visits_of_another_and_each_change(two: Two) -> None:
    front, garage = two
    garage.comes("one", ago=300)
    garage.comes("two", known("Anna"), ago=60, snapshot=True)
    garage.share()
    front.share()
    anna, stranger = front.heard
    assert (anna.name, anna.door_name, anna.camera, anna.picture) == ("Anna", "garage", "front door", True)
    assert (stranger.kind, stranger.name, stranger.picture) == (VerdictKind.STRANGER, None, False)
    assert abs(datetime.now(UTC) - timedelta(seconds=300) - stranger.first_seen) < timedelta(seconds=60)
    began = garage.store.timeline.sighting("one").first_seen
    garage.store.update(replace(sighting("one", when=began), last_seen=began + timedelta(seconds=40)))
    garage.share(Topic.VISITS)
    before = front.changes
    front.share()
    assert (front.heard[1].last_seen - front.heard[1].first_seen).total_seconds() == pytest.approx(40, abs=0.2)
    assert front.changes == before + 1
    assert garage.heard == ()


def test_nothing_is_told_twice(two: Two) -> None:
    front, garage = two
    garage.comes("one")
    garage.share()
    head = front.door.store.doors.head()
    garage.share(Topic.VISITS, Topic.PEOPLE)
    garage.restart()
    garage.share()
    front.share()
    assert front.door.store.doors.head() == head
    changes = front.changes
    front.share()
    assert front.changes == changes


def test_visits_are_shown_after_a_restart_while_the_hub_is_away(two: Two) -> None:
    front, garage = two
    garage.comes("one", known("Annalena"))
    garage.share()
    front.share()
    front.visits.close()
    front.restart()
    assert front.names == ["Annalena"]
    assert [one.name for one in visits_elsewhere(front.store, front.door.state_dir)] == ["Annalena"]
    content = (front.door.state_dir / "hub" / "visits.secret").read_bytes()
    assert b"Annalena" not in content
    assert b"front door" not in content


def test_a_week_without_the_hub_loses_nothing(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "_BATCH", 7)
    front, garage = two
    for number in range(30):
        garage.comes(f"visit-{number}", ago=number * 6 * 3600.0)
    for _ in range(5):
        garage.share()
    front.share()
    assert len(front.heard) == 30
    assert [one.identifier for one in front.heard] == [identifier_of(f"visit-{number}") for number in range(30)]


def test_a_door_that_lost_its_memory_learns_from_the_hub_what_it_has_told(two: Two) -> None:
    front, garage = two
    garage.knows("Anna", new_id())
    garage.comes("one", known("Anna"))
    garage.share()
    front.share()
    (garage.door.state_dir / "hub" / "visits.secret").unlink()
    garage.restart()
    garage.store.timeline.review("one")
    head = front.door.store.doors.head()
    garage.share()
    assert front.door.store.doors.head() == head
    garage.store.rename_person("Anna", "Anne")
    garage.share(Topic.PEOPLE)
    front.share()
    assert front.names == ["Anne"]


def test_a_person_who_is_removed_is_forgotten_at_every_door(two: Two) -> None:
    front, garage = two
    anna = new_id()
    for one in two:
        one.knows("Anna", anna)
    garage.comes("one", known("Anna"), snapshot=True)
    garage.share()
    front.share()
    assert front.names == ["Anna"]
    front.store.remove_person("Anna")  # the hub is away
    front.visits.people_changed()
    assert (front.names, front.heard[0].picture) == ([FORGOTTEN], False)
    front.restart()
    assert front.names == [FORGOTTEN]
    garage.store.remove_person("Anna")
    garage.share(Topic.PEOPLE)
    (front.door.state_dir / "hub" / "visits.secret").unlink()
    front.restart()
    front.share()
    assert front.names == [FORGOTTEN]


def test_a_visit_that_its_door_has_no_more_is_no_more_anywhere(two: Two) -> None:
    front, garage = two
    garage.comes("one")
    garage.comes("two", ago=90)
    garage.share()
    front.share()
    garage.store.record(replace(sighting("three", known("Tom"), when=datetime.now(UTC)), supersedes="one"))
    garage.share(Topic.VISITS)
    front.share()
    assert [(one.identifier, one.name) for one in front.heard] == [
        (identifier_of("three"), "Tom"), (identifier_of("two"), None),
    ]  # fmt: skip


def test_visits_stay_at_the_other_doors_when_a_database_is_lost_and_go_with_retention(two: Two, tmp_path: Path) -> None:
    front, garage = two
    garage.comes("old", ago=40 * 3600)
    garage.comes("new")
    garage.share()
    front.share()
    assert len(front.heard) == 2
    whole = garage.store
    with Store.open(tmp_path / "empty") as garage.store:
        garage.restart()
        garage.share()
        front.share()
    assert len(front.heard) == 2
    garage.store = whole
    garage.keep_days = 1
    garage.store.prune(StoreConfig(keep_days=1))
    garage.restart()
    garage.share()
    front.share()
    assert [one.identifier for one in front.heard] == [identifier_of("new")]


def test_what_was_told_before_cannot_be_put_back(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    front, garage = two
    garage.knows("Anna", new_id())
    garage.comes("one", known("Anna"))
    garage.share()
    front.share()
    (before,) = front.door.store.sightings.after(0)
    garage.store.rename_person("Anna", "Anne")
    garage.share(Topic.PEOPLE)
    front.share()
    older = {"document": before.document, "signature": before.signature}
    with front.door.store.database.begin() as connection:
        connection.execute(update(sightings).values(**older))
    for _ in range(2):
        front.share()
    assert front.names == ["Anne"]
    assert caplog.text.count("an older word of a visit was put back") == 1
    garage.share()
    garage.share()
    (repaired,) = front.door.store.sightings.after(0)
    told = decoded(front.door.household.documents.open_sighting(repaired))
    assert told is not None
    assert told.facts is not None
    assert told.facts.name == "Anne"


@pytest.mark.parametrize("grown", [0, 1000])
def test_visits_at_the_hub_are_told_again_after_an_old_backup_was_put_back(two: Two, grown: int) -> None:
    front, garage = two
    garage.comes("one")
    garage.share()
    garage.share()
    front.share()
    with front.door.store.database.begin() as connection:
        connection.execute(delete(sightings))
        connection.execute(update(revisions).values(value=grown))
    if grown:  # it was away meanwhile, and only what is on its disk tells
        garage.visits.close()
        garage.restart()
    garage.share()
    garage.share(Topic.PEOPLE)
    assert [one.author for one in front.door.store.sightings.after(0)] == [garage.door.identity.door]
    front.share()
    assert len(front.heard) == 1


def test_what_is_told_of_strangers_for_one_alert_is_no_visit(two: Two) -> None:
    front, garage = two
    HouseholdNotices(garage.door.store, garage.door.household, CHOOSE).claim(SeenStranger("a" * 32, "yard"))
    front.share()
    assert front.heard == ()
    assert front.visits._state.problems == {}


def tell(liar: VisitedDoor, plain: bytes, identifier: str = "") -> None:
    """Hand in what a door that lies has signed."""
    documents = liar.door.household.documents
    liar.door.store.sightings.put([documents.sighting(identifier or new_id(), plain)])


IMPOSSIBLE: tuple[dict[str, Any], ...] = (
    {"verdict": "friend"},
    {"name": "Anna"},
    {"verdict": "known", "name": None},
    {"verdict": "known", "name": "x" * 65},
    {"verdict": "known", "name": "An\x1b[2Jna"},
    {"verdict": "known", "name": "An\u202ena"},
    {"verdict": "known", "name": ""},
    {"camera": "x" * 101},
    {"camera": 7},
    {"person": "somebody"},
    {"subject": "dragon"},
    {"first": -1},
    {"last": 1e300},
    {"picture": "yes"},
)


def impossible(now: float) -> Iterator[dict[str, Any]]:
    """What cannot be told of a visit at ``now``: an hour after this module was loaded it could be."""
    yield from IMPOSSIBLE
    yield {"first": now, "last": now - 5}
    yield {"first": now - 16 * 86400, "last": now - 16 * 86400}
    yield {"first": now, "last": now + 3600}
    yield {"first": now - 3 * 86400, "last": now}


def test_a_visit_that_cannot_be_is_refused_and_told(two: Two) -> None:
    front, garage = two
    now = time.time()
    for changes in impossible(now):
        facts = {"verdict": "stranger", "camera": "yard", "first": now - 60, "last": now - 50, **changes}
        tell(garage, json.dumps({"kind": "visit", "edition": 1, "facts": facts}).encode())
        front.share()
        assert front.heard == (), changes
        assert ["garage" in problem for problem in front.visits._state.problems] == [True], changes
        front.visits._state.problems.clear()


@pytest.mark.parametrize(
    "plain", [b"", b"nonsense", b"[" * 5000, b'{"kind": "visit"}', b'{"kind":"visit","edition":0}']
)
def test_what_is_no_visit_is_refused(plain: bytes) -> None:
    with pytest.raises(NotGenuineError):
        decoded(plain)


def test_a_door_cannot_speak_of_the_visit_of_another(two: Two) -> None:
    front, garage = two
    garage.comes("one", known("Anna"))
    garage.share()
    front.share()
    with front.door.store.database.begin() as connection:
        connection.execute(delete(sightings))
    tell(front, encoded(VisitTold(edition=9)), identifier_of("one"))
    with front.door.store.database.begin() as connection:
        connection.execute(update(sightings).values(author=garage.door.identity.door))
    front.share()
    assert front.names == ["Anna"]
    assert front.visits._state.problems


def test_what_a_door_tells_is_heard_as_soon_as_it_is_trusted_and_nothing_is_complained_of(
    two: Two, household: SimulatedHousehold
) -> None:
    front, _ = two
    (shed,) = visited(household, "shed")
    shed.comes("one", known("Tom"))
    shed.share()
    view, own = front.door.household, front.door.identity.door
    view._make(view._keys, {own: front.door.known.trusted.encoded()[own]})
    front.visits.share(front.door.store)
    assert front.heard == ()
    assert front.visits._state.problems == {}
    front.share()
    assert front.names == ["Tom"]
    shed.store.close()


def test_a_door_that_tells_without_end_takes_nobody_elses_place(
    household: SimulatedHousehold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits_state, "MOST", 20)
    monkeypatch.setattr(visits_state, "_LEAST_SHARE", 10)
    front, garage, liar = visited(household, "front", "garage", "liar")
    garage.comes("one", known("Anna"), ago=3000)
    garage.share()
    now = time.time()
    for number in range(40):
        facts = FACTS.model_copy(update={"first": now - number, "last": now - number})
        tell(liar, encoded(VisitTold(edition=1, facts=facts)))
    front.share()
    assert len(front.heard) == 11
    assert front.names[-1] == "Anna"
    for one in (front, garage, liar):
        one.store.close()


def test_visits_of_a_door_that_is_not_trusted_any_more_go(two: Two, household: SimulatedHousehold) -> None:
    front, garage = two
    garage.comes("one")
    garage.share()
    front.share()
    assert len(front.heard) == 1
    with front.door.store.database.begin() as connection:
        connection.execute(text("UPDATE sightings SET signature = zeroblob(64)"))
    front.visits._state.prune([], datetime.now(UTC))
    front.visits._show()
    assert front.heard == ()


def test_what_is_older_than_two_weeks_goes(two: Two) -> None:
    front, garage = two
    garage.comes("old", ago=(KEPT_DAYS - 0.01) * 86400)
    garage.comes("older", ago=(KEPT_DAYS + 0.01) * 86400)
    garage.share()
    front.share()
    assert [one.identifier for one in front.heard] == [identifier_of("old")]
    front.visits._state.prune([garage.door.identity.door], datetime.now(UTC) + timedelta(hours=1))
    front.visits._show()
    assert front.heard == ()


def test_a_visit_that_the_hub_refuses_does_not_hold_up_the_others(two: Two) -> None:
    front, garage = two
    tell(front, b"squatted", identifier_of("two"))
    for one in ("one", "two", "three"):
        garage.comes(one)
    garage.share()
    front.share()
    assert {one.identifier for one in front.heard} == {identifier_of("one"), identifier_of("three")}


def test_a_memory_that_was_damaged_is_read_from_the_hub_again(two: Two) -> None:
    front, garage = two
    garage.comes("one")
    garage.share()
    front.share()
    front.visits.close()
    path = front.door.state_dir / "hub" / "visits.secret"
    path.write_bytes(b"damaged")
    front.restart()
    assert front.heard == ()
    front.share()
    assert len(front.heard) == 1


def test_a_door_that_has_left_its_hub_keeps_nothing_of_it(two: Two) -> None:
    front, garage = two
    garage.comes("one")
    garage.share()
    front.share()
    garage.comes("two")
    garage.share()
    front.visits.share(front.door.store)  # not kept yet
    remove_identity(front.door.state_dir)
    front.visits.close()
    assert list((front.door.state_dir / "hub").iterdir()) == []
    write_identity(front.door.state_dir, garage.door.identity)  # it has joined again, as another door
    front.visits.close()
    assert [one.name for one in (front.door.state_dir / "hub").iterdir()] == ["identity.secret"]


def test_a_clock_that_was_a_month_ahead_for_a_while_loses_no_visit(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    front, garage = two
    for identifier in ("one", "two"):
        garage.comes(identifier)
    garage.share()
    front.share()

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=30)

    with monkeypatch.context() as patch:
        patch.setattr(visits, "datetime", Ahead)
        front.share()
        assert front.heard == ()
        front.visits.close()
    front.restart()
    for _ in range(2):
        front.share()
    assert len(front.heard) == 2
    assert front.visits._state.problems == {}


def test_a_clock_that_is_wrong_moves_no_visit(two: Two) -> None:
    _, garage = two
    told = FACTS.model_copy(update={"first": 1000.0, "last": 1010.0})
    clocks = hearing.Clocks(hub=2000.0, own=2600.0)
    garage.visits.told._due["a" * 32] = 0.0, told.model_copy(update={"first": 1600.0, "last": 1610.0})
    assert garage.visits.told._told("a" * 32, clocks).facts == told


def test_a_visit_that_changes_twice_within_a_second_is_told_again_a_second_later(two: Two) -> None:
    front, garage = two
    garage.share()
    garage.clock.pass_time(2)
    hub = garage.door.store
    hub.database.news.take()  # before the timer is set, which may be over by the end of the loop
    for identifier in ("one", "two"):
        garage.comes(identifier)
        garage.visits.changed([Topic.VISITS])
        garage.visits.share(hub)
    deadline = time.monotonic() + 60
    while not (news := hub.database.news.take()):
        assert time.monotonic() < deadline, "it was not woken"
        time.sleep(0.05)
    assert news == {Topic.VISITS}
    garage.clock.pass_time(1)
    garage.visits.share(hub)
    front.share()
    assert len(front.heard) == 2
