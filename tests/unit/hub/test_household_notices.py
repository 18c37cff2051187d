"""Of the doors that see one stranger within a minute, one notifies; in every doubt, both do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from facesecure.domain.notices import Claim, SeenStranger
from facesecure.hub.store import notices as hub_notices
from facesecure.hub.sync.notices import HouseholdNotices
from facesecure.hub.sync.sighting_document import decoded, encoded
from support.hub import new_id
from support.hub_household import SimulatedDoor, SimulatedHousehold
from support.store import MODEL, OTHER_MODEL
from support.visitors import CHOOSE, looks


@pytest.fixture
def household(tmp_path: Path) -> Iterator[SimulatedHousehold]:
    made = SimulatedHousehold(tmp_path)
    yield made
    made.close()


def board(door: SimulatedDoor) -> HouseholdNotices:
    return HouseholdNotices(door.store, door.household, CHOOSE)


def stranger(person: int, look: int = 0, model: str = MODEL) -> SeenStranger:
    return SeenStranger(new_id(), "front door", looks(person, look), 0.9, model)


def test_two_doors_that_see_one_stranger_notify_once(household: SimulatedHousehold) -> None:
    front, garage = board(household.add("front")), board(household.add("garage"))
    seen, began = stranger(3), time.monotonic()
    assert front.claim(seen).is_ours
    promised = garage.claim(stranger(3, 1))
    passed = time.monotonic() - began
    assert promised.told_by == "front"
    assert promised.again_in is not None
    assert 29 - passed < promised.again_in < 31
    front.confirm(seen.identifier)
    front.report(household.doors[0].store)
    assert garage.claim(stranger(3, 2)) == Claim("front")


def test_strangers_who_cannot_be_compared_or_are_others_are_each_announced(household: SimulatedHousehold) -> None:
    front, garage = board(household.add("front")), board(household.add("garage"))
    assert front.claim(stranger(3)).is_ours
    assert garage.claim(stranger(4)).is_ours
    assert garage.claim(stranger(3, 1, OTHER_MODEL)).is_ours
    assert garage.claim(SeenStranger(new_id(), "yard")).is_ours


def test_a_claim_that_is_not_confirmed_lapses(household: SimulatedHousehold, monkeypatch: pytest.MonkeyPatch) -> None:
    front, garage = board(household.add("front")), board(household.add("garage"))
    monkeypatch.setattr(hub_notices.Turn.claim, "__defaults__", (timedelta(seconds=-1),))
    seen, again = stranger(3), stranger(3, 1)
    assert front.claim(seen).is_ours
    assert garage.claim(again).is_ours
    assert garage.claim(again).is_ours  # asked a second time, after a restart


def test_a_door_that_was_restarted_decides_by_what_it_had_handed_in(household: SimulatedHousehold) -> None:
    front, garage = board(household.add("front")), board(household.add("garage"))
    assert front.claim(stranger(3)).is_ours
    waiting = stranger(3, 1)
    assert garage.claim(waiting).told_by == "front"
    assert garage.claim(SeenStranger(waiting.identifier)).told_by == "front"


def test_of_doors_that_decide_at_the_same_time_one_notifies(household: SimulatedHousehold) -> None:
    boards = [board(household.add(f"door {number}")) for number in range(4)]
    begin, claims = threading.Barrier(len(boards)), list[Claim]()

    def claim(number: int) -> None:
        begin.wait()
        claims.append(boards[number].claim(stranger(3, number)))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(len(boards))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.is_ours for one in claims) == 1


def test_every_door_notifies_while_the_hub_is_gone(household: SimulatedHousehold) -> None:
    front, garage = household.add("front"), household.add("garage")
    for door in (front, garage):
        door.store.database.close()
    assert board(front).claim(stranger(3)).is_ours
    assert board(garage).claim(stranger(3, 1)).is_ours


def test_a_sighting_that_somebody_wrote_into_the_database_silences_nobody(
    household: SimulatedHousehold, caplog: pytest.LogCaptureFixture
) -> None:
    front, garage = household.add("front"), household.add("garage")
    assert board(front).claim(stranger(3)).is_ours
    with front.store.database.begin() as connection:
        connection.execute(text("UPDATE sightings SET signature = zeroblob(64)"))
    assert board(garage).claim(stranger(3, 1)).is_ours
    assert "left out" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "known"},
        {"camera": 3},
        {"camera": "x" * 1000},
        {"embedding": "nonsense"},
        {"embedding": 3},
        {"embedding": ""},
        {"embedding": "AAAAAA=="},
        {"embedding": "AADAfwAAAAA="},
        {"clarity": "high"},
        {"clarity": 7},
        {"model": None},
    ],
)
def test_what_is_no_sighting_is_refused(changes: dict[str, object]) -> None:
    plain = json.dumps({**json.loads(encoded(stranger(3))), **changes}).encode()
    with pytest.raises(ValueError, match="not"):
        decoded(new_id(), plain)


def test_a_sighting_is_read_as_it_was_written() -> None:
    seen = stranger(3)
    read = decoded(seen.identifier, encoded(seen))
    assert (read.camera, read.clarity, read.model_sha256) == (seen.camera, seen.clarity, seen.model_sha256)
    assert (read.embedding == seen.embedding).all()  # type: ignore[union-attr]
