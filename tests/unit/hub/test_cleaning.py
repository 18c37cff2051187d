"""What the hub need not keep any more is removed a few times a day."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from facesecure.hub.sync.cleaning import EVERY, Cleaning
from support.hub import new_id
from support.hub_household import SimulatedHousehold
from support.policy import FakeClock


def test_visits_of_more_than_two_weeks_ago_are_removed(tmp_path: Path) -> None:
    household, clock = SimulatedHousehold(tmp_path), FakeClock()
    door = household.add("front")
    cleaning = Cleaning(clock.steady)

    def add(when: str) -> None:
        door.store.sightings.add([door.household.documents.sighting(new_id(), b"{}")])
        with door.store.database.begin() as connection:
            connection.execute(text("UPDATE sightings SET at = :at WHERE at > '2026-01-01'"), {"at": when})

    def left() -> int:
        cleaning.clean(door.store)
        cleaning.clean(door.store)
        return len(door.store.sightings.after(0))

    add("2020-01-01 00:00:00.000000")
    door.store.sightings.add([door.household.documents.sighting(new_id(), b"{}")])
    assert left() == 1
    add("2020-01-01 00:00:00.000000")
    assert left() == 2, "they were removed a moment ago"
    clock.pass_time(EVERY)
    assert left() == 0
    household.close()
