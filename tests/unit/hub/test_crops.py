"""A picture of a visit leaves its door only when somebody at another one asks for it, and the hub forgets it soon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update

from facesecure.domain.door_visits import DoorVisit, PictureState
from facesecure.domain.doors import OtherDoor
from facesecure.hub.rows import Right
from facesecure.hub.store import HubStore
from facesecure.hub.sync import crops_asked, crops_given, hearing
from facesecure.hub.sync.crops_asked import KEPT_FOR, PATIENCE, AskedCrops
from facesecure.hub.sync.crops_given import GivenCrops
from facesecure.hub.tables import crop_requests, sightings
from facesecure.services import audit
from support.faults.household import wait_until
from support.hub_household import SimulatedHousehold
from support.hub_visits import VisitedDoor, visited
from support.policy import FakeClock


@dataclass
class Scene:
    """The front asks for pictures of the garage, where somebody has come; ``away`` is how the front sees the garage."""

    front: VisitedDoor
    garage: VisitedDoor
    asked: AskedCrops
    given: GivenCrops
    clock: FakeClock
    silent: bool = False
    woken: list[str] = field(default_factory=list)

    @property
    def hub(self) -> HubStore:
        return self.front.door.store

    @property
    def visit(self) -> DoorVisit:
        return self.front.heard[0]

    def others(self) -> list[OtherDoor]:
        garage = self.garage.door.identity.door
        return [OtherDoor(garage, "garage", datetime.now(UTC), silent=self.silent)]

    def meet(self) -> None:
        """Let both doors do what there is to do."""
        self.asked.fetch(self.front.door.store)
        self.given.give(self.garage.door.store)
        self.asked.fetch(self.front.door.store)


@pytest.fixture(autouse=True)
def _a_round_ends_only_when_everything_was_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds other duties have their turn; on a slow machine that would come too soon for these tests."""
    monkeypatch.setattr(hearing, "_LONGEST_ROUND", 3600.0)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    household = SimulatedHousehold(tmp_path)
    front, garage = visited(household, "front", "garage")
    garage.comes("one", snapshot=True)
    garage.share()
    front.share()
    clock = FakeClock()
    made = Scene(front, garage, None, None, clock)  # type: ignore[arg-type]
    asked, given = (partial(made.woken.append, name) for name in ("asked", "given"))
    made.asked = AskedCrops(front.door.household, made.others, asked, clock.steady)
    told = garage.visits.told
    made.given = GivenCrops(garage.store, garage.door.household, told, steady=clock.steady, more=given)
    yield made
    for one in (front, garage):
        one.store.close()
    household.close()


def crops_at_hub(hub: HubStore) -> tuple[int, int]:
    """How many pictures, and how many requests, the hub has."""
    with hub.database.begin() as connection:
        found = connection.execute(select(sightings.c.crop).where(sightings.c.crop.is_not(None))).all()
        return len(found), len(connection.execute(select(crop_requests)).all())


def test_a_picture_comes_when_it_is_asked_for_and_the_hub_forgets_it(scene: Scene) -> None:
    scene.meet()
    assert scene.asked.state(scene.visit) is PictureState.POSSIBLE
    assert crops_at_hub(scene.hub) == (0, 0)
    assert scene.asked.ask(scene.visit) is PictureState.ASKED
    assert scene.asked.picture(scene.visit) is None
    scene.meet()
    assert scene.asked.state(scene.visit) is PictureState.HERE
    picture = scene.asked.picture(scene.visit)
    assert picture is not None
    assert picture.startswith(b"\xff\xd8\xff")
    assert crops_at_hub(scene.hub) == (0, 0)
    entries = audit.verify(scene.garage.door.state_dir).entries
    assert [[one.shown for one in entry.subjects] for entry in entries if entry.action == "picture-given"] == [
        ["front"]
    ]
    scene.clock.pass_time(KEPT_FOR)
    scene.asked.fetch(scene.front.door.store)
    assert scene.asked.picture(scene.visit) is None
    assert scene.asked.state(scene.visit) is PictureState.POSSIBLE


def test_what_travels_cannot_be_read_at_the_hub(scene: Scene) -> None:
    scene.asked.ask(scene.visit)
    scene.asked.fetch(scene.front.door.store)
    scene.given.give(scene.garage.door.store)
    sealed = scene.hub.crops.get(scene.visit.identifier)
    assert sealed is not None
    assert len(sealed) == 64 << 10
    scene.meet()
    picture = scene.asked.picture(scene.visit)
    assert picture is not None
    assert not [at for at in range(0, len(picture) - 8, 8) if picture[at : at + 8] in sealed]


def test_a_door_that_is_away_or_does_not_answer_is_said_to_be(scene: Scene) -> None:
    scene.silent = True
    assert scene.asked.ask(scene.visit) is PictureState.AWAY
    scene.silent = False
    assert scene.asked.ask(scene.visit) is PictureState.ASKED
    scene.asked.fetch(scene.front.door.store)
    scene.clock.pass_time(PATIENCE)
    assert scene.asked.state(scene.visit) is PictureState.UNANSWERED
    scene.silent = True
    assert scene.asked.state(scene.visit) is PictureState.AWAY
    scene.meet()  # it is back after all
    assert scene.asked.state(scene.visit) is PictureState.HERE


def test_what_became_of_a_request_is_looked_at_again_and_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops_asked, "_AGAIN_AFTER", 0.01)
    scene.asked.ask(scene.visit)
    for looks in (1, 2, 3):
        assert scene.woken == ["asked"] * looks
        scene.asked.fetch(scene.front.door.store)
        wait_until(lambda looks=looks: len(scene.woken) > looks, "another look")  # type: ignore[misc]
    scene.meet()
    wait_until(lambda: len(scene.woken) == 5, "the look that was due before the picture came")
    scene.woken.clear()
    scene.asked.fetch(scene.front.door.store)
    time.sleep(0.1)
    assert not scene.woken, "the picture is here"


def test_more_requests_than_are_answered_at_once_are_answered_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crops_given, "_MOST_AT_ONCE", 1)
    scene.garage.comes("two", snapshot=True)
    scene.garage.share()
    scene.front.share()
    for visit in scene.front.heard:
        scene.hub.crops.request(visit.identifier)
    scene.given.give(scene.garage.door.store)
    assert (crops_at_hub(scene.hub)[0], scene.woken) == (1, ["given"])
    scene.given.give(scene.garage.door.store)
    assert (crops_at_hub(scene.hub)[0], scene.woken) == (2, ["given"])


def test_a_picture_that_nobody_fetches_is_taken_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops_given, "KEPT_AT_HUB", timedelta(0))
    scene.hub.crops.request(scene.visit.identifier)
    scene.given.give(scene.garage.door.store)
    assert crops_at_hub(scene.hub) == (0, 0)


def test_a_picture_that_is_gone_or_shown_to_nobody_is_refused(scene: Scene) -> None:
    secretive = GivenCrops(
        scene.garage.store, scene.garage.door.household, scene.garage.visits.told, "never", scene.clock.steady
    )
    scene.asked.ask(scene.visit)
    scene.asked.fetch(scene.front.door.store)
    secretive.give(scene.garage.door.store)
    scene.asked.fetch(scene.front.door.store)
    assert scene.asked.state(scene.visit) is PictureState.REFUSED
    snapshot = scene.garage.store.timeline.sighting("one").snapshot
    assert snapshot is not None
    snapshot.unlink()
    assert scene.asked.ask(scene.visit) is PictureState.ASKED
    scene.meet()
    assert scene.asked.state(scene.visit) is PictureState.REFUSED
    assert crops_at_hub(scene.hub) == (0, 0)


def test_requests_that_the_database_makes_up_get_nothing(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.hub.crops.request(scene.visit.identifier)
    with scene.hub.database.begin() as connection:
        connection.execute(update(crop_requests).values(door="c" * 32))
    scene.given.give(scene.garage.door.store)
    assert crops_at_hub(scene.hub) == (0, 0)
    assert "not trusted" in caplog.text


def test_a_picture_that_another_hand_put_there_is_not_shown(scene: Scene) -> None:
    scene.asked.ask(scene.visit)
    scene.asked.fetch(scene.front.door.store)
    forged = scene.front.door.household.documents.crop(scene.visit.identifier, b"\xff\xd8\xff forged")
    with scene.hub.database.begin() as connection:
        connection.execute(update(sightings).values(crop=forged))
    scene.asked.fetch(scene.front.door.store)
    assert scene.asked.state(scene.visit) is PictureState.REFUSED


def test_what_is_no_picture_is_not_shown(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.asked.ask(scene.visit)
    scene.asked.fetch(scene.front.door.store)
    lie = scene.garage.door.household.documents.crop(scene.visit.identifier, b"\xff\xd8\xff<script>")
    scene.garage.door.store.crops.put(scene.visit.identifier, lie)
    scene.asked.fetch(scene.front.door.store)
    assert scene.asked.picture(scene.visit) is None
    assert scene.asked.state(scene.visit) is PictureState.REFUSED
    assert "cannot be shown" in caplog.text


def test_a_door_without_the_right_view_neither_asks_nor_gets(tmp_path: Path) -> None:
    household = SimulatedHousehold(tmp_path)
    (garage,) = visited(household, "garage")
    blind = VisitedDoor(household.add("blind", rights=frozenset({Right.ENROL})), garage.store)
    garage.comes("one", snapshot=True)
    for one in (garage, blind):
        one.share()
    seen = OtherDoor(garage.door.identity.door, "garage", datetime.now(UTC))
    asked = AskedCrops(blind.door.household, lambda: [seen])
    assert asked.ask(blind.heard[0]) is PictureState.FORBIDDEN
    blind.door.store.crops.request(blind.heard[0].identifier)  # it lies
    GivenCrops(garage.store, garage.door.household, garage.visits.told).give(garage.door.store)
    assert crops_at_hub(blind.door.store) == (0, 0)
    garage.store.close()
    household.close()


def test_no_door_gets_pictures_without_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops_given, "_MOST_AN_HOUR", 1)
    garage = scene.garage
    given = GivenCrops(garage.store, garage.door.household, garage.visits.told, "on-request", scene.clock.steady)
    given._given.append(scene.clock.steady())
    scene.hub.crops.request(scene.visit.identifier)
    given.give(garage.door.store)
    assert crops_at_hub(scene.hub) == (0, 0)
    scene.clock.pass_time(3601)
    scene.hub.crops.request(scene.visit.identifier)
    given.give(garage.door.store)
    assert crops_at_hub(scene.hub) == (1, 1)


def test_a_visit_without_a_picture_has_none_to_ask_for(scene: Scene) -> None:
    assert scene.asked.ask(replace(scene.visit, picture=False)) is PictureState.NONE
