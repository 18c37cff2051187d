"""The household has one mode: whoever sets it at one door sets it at all, and after a quarrel the stricter holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from facesecure.alerts.policy.arming import Armed
from facesecure.domain.mode import Mode
from facesecure.hub.rows import RecordKind, Right
from facesecure.hub.sync.mode import FILE_NAME, Agreed, Found, SharedMode, Step, step
from facesecure.storage.signed_documents import SignedDocuments
from support.hub_household import SimulatedDoor, SimulatedHousehold

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=10)


@pytest.fixture
def household(tmp_path: Path) -> Iterator[SimulatedHousehold]:
    made = SimulatedHousehold(tmp_path)
    yield made
    made.close()


def sharing(door: SimulatedDoor) -> SharedMode:
    return SharedMode(door.state_dir, door, door.household)


def version(door: SimulatedDoor) -> int:
    row = door.store.records.get(RecordKind.MODE, door.household.own.household)
    return 0 if row is None else row.version


def test_a_mode_set_at_one_door_is_set_at_the_others_in_its_name(household: SimulatedHousehold) -> None:
    front, garage = household.add("front"), household.add("garage")
    ours, theirs = sharing(front), sharing(garage)
    front.arming.arm(Mode.AWAY)
    ours.follow(front.store)
    theirs.follow(garage.store)
    assert (garage.mode, garage.actors) == (Mode.AWAY, ["door front"])
    garage.arming.arm(Mode.HOME)
    theirs.follow(garage.store)
    ours.follow(front.store)
    assert (front.mode, front.actors) == (Mode.HOME, ["door garage"])


def test_a_mode_that_came_from_the_hub_is_not_pushed_again(household: SimulatedHousehold) -> None:
    front, garage = household.add("front"), household.add("garage")
    ours, theirs = sharing(front), sharing(garage)
    front.arming.arm(Mode.AWAY)
    for _ in range(5):
        ours.follow(front.store)
        theirs.follow(garage.store)
    sharing(garage).follow(garage.store)  # a restart
    assert version(front) == 1
    front.arming.arm(Mode.AWAY)  # the same again: no other door has to know
    ours.follow(front.store)
    assert version(front) == 1


@pytest.mark.parametrize(
    ("at_front", "at_garage", "both"),
    [
        (Mode.OFF, Mode.AWAY, Mode.AWAY),
        (Mode.AWAY, Mode.OFF, Mode.AWAY),
        (Mode.OFF, Mode.HOME, Mode.HOME),
        (Mode.HOME, Mode.HOME, Mode.HOME),
    ],
)
def test_of_two_modes_that_were_set_while_cut_off_the_stricter_wins(
    household: SimulatedHousehold, at_front: Mode, at_garage: Mode, both: Mode
) -> None:
    front, garage = household.add("front"), household.add("garage")
    ours, theirs = sharing(front), sharing(garage)
    ours.follow(front.store)
    front.arming.arm(at_front, lambda: NOW)
    garage.arming.arm(at_garage, lambda: EARLIER)  # its clock is wrong, which does not matter
    for _ in range(2):
        ours.follow(front.store)
        theirs.follow(garage.store)
    assert (front.mode, garage.mode) == (both, both)


def test_disarming_holds_although_the_clock_of_the_door_has_jumped_back(household: SimulatedHousehold) -> None:
    front, garage = household.add("front"), household.add("garage")
    ours, theirs = sharing(front), sharing(garage)
    front.arming.arm(Mode.AWAY, lambda: NOW)
    ours.follow(front.store)
    theirs.follow(garage.store)
    front.arming.arm(Mode.OFF, lambda: EARLIER)
    ours.follow(front.store)
    theirs.follow(garage.store)
    assert (front.mode, garage.mode) == (Mode.OFF, Mode.OFF)


def test_a_change_while_the_daemon_did_not_run_is_pushed(household: SimulatedHousehold) -> None:
    front, garage = household.add("front"), household.add("garage")
    front.arming.arm(Mode.AWAY)
    sharing(front).follow(front.store)
    front.arming.arm(Mode.HOME)
    sharing(front).follow(front.store)
    sharing(garage).follow(garage.store)
    assert garage.mode is Mode.HOME


def test_what_was_agreed_in_another_household_does_not_disarm_this_one(household: SimulatedHousehold) -> None:
    """A daemon that still runs may write it after ``hub leave``."""
    front, garage = household.add("front"), household.add("garage")
    for mode in (Mode.HOME, Mode.OFF):
        garage.arming.arm(mode)
        sharing(garage).follow(garage.store)
    with front.store.database.begin() as connection:
        connection.execute(text("DELETE FROM records"))
    front.arming.arm(Mode.AWAY)
    sharing(front).follow(front.store)
    other = household.add("side door")
    other.arming.arm(Mode.OFF)
    SignedDocuments(other.state_dir).write(FILE_NAME, SignedDocuments(garage.state_dir).read(FILE_NAME))
    for _ in range(2):
        sharing(other).follow(other.store)
        sharing(front).follow(front.store)
    assert (other.mode, front.mode) == (Mode.AWAY, Mode.AWAY)


def test_what_an_older_facesecure_agreed_on_is_still_known(household: SimulatedHousehold) -> None:
    """Otherwise the mode of before would count as set anew, and a stricter one would arm the household again."""
    front, garage = household.add("front"), household.add("garage")
    front.arming.arm(Mode.AWAY)
    for door in (front, garage):
        sharing(door).follow(door.store)
    documents = SignedDocuments(garage.state_dir)
    documents.write(FILE_NAME, {key: value for key, value in documents.read(FILE_NAME).items() if key != "door"})
    front.arming.arm(Mode.HOME)  # while the garage is upgraded
    for door in (front, garage, front):
        sharing(door).follow(door.store)
    assert (front.mode, garage.mode) == (Mode.HOME, Mode.HOME)


def test_a_door_without_the_right_does_not_change_the_households_mode(household: SimulatedHousehold) -> None:
    front, guest = household.add("front"), household.add("guest", frozenset({Right.VIEW}))
    ours, theirs = sharing(front), sharing(guest)
    front.arming.arm(Mode.AWAY)
    ours.follow(front.store)
    theirs.follow(guest.store)
    guest.arming.arm(Mode.OFF)
    theirs.follow(guest.store)
    ours.follow(front.store)
    assert (front.mode, guest.mode, version(front)) == (Mode.AWAY, Mode.OFF, 1)
    front.arming.arm(Mode.HOME)
    ours.follow(front.store)
    theirs.follow(guest.store)
    assert guest.mode is Mode.HOME


def test_a_mode_that_somebody_wrote_into_the_database_is_not_believed(
    household: SimulatedHousehold, caplog: pytest.LogCaptureFixture
) -> None:
    front = household.add("front")
    ours = sharing(front)
    front.arming.arm(Mode.AWAY)
    ours.follow(front.store)
    with front.store.database.begin() as connection:
        connection.execute(text("UPDATE records SET version = 9"))
    for _ in range(2):
        ours.follow(front.store)
    assert front.mode is Mode.AWAY
    assert caplog.text.count("not believed") == 1
    front.arming.arm(Mode.HOME)
    ours.follow(front.store)
    assert version(front) == 10


def test_the_mode_is_written_anew_where_an_older_backup_was_put_back(household: SimulatedHousehold) -> None:
    front, garage = household.add("front"), household.add("garage")
    ours, theirs = sharing(front), sharing(garage)
    front.arming.arm(Mode.AWAY)
    ours.follow(front.store)
    theirs.follow(garage.store)
    with front.store.database.begin() as connection:
        connection.execute(text("DELETE FROM records"))
    for _ in range(2):
        theirs.follow(garage.store)
        ours.follow(front.store)
    assert (front.mode, garage.mode, version(front)) == (Mode.AWAY, Mode.AWAY, 2)


@pytest.mark.parametrize(("newest", "both"), [(Mode.AWAY, Mode.AWAY), (Mode.OFF, Mode.AWAY)])
def test_of_two_modes_under_one_number_after_an_older_backup_was_put_back_the_stricter_wins(
    household: SimulatedHousehold, newest: Mode, both: Mode
) -> None:
    front, garage = household.add("front"), household.add("garage")
    ours, theirs = sharing(front), sharing(garage)
    front.arming.arm(Mode.HOME)
    ours.follow(front.store)
    agreed = Mode.AWAY if newest is Mode.OFF else Mode.OFF
    front.arming.arm(agreed)
    ours.follow(front.store)
    theirs.follow(garage.store)
    front.arming.arm(newest)
    ours.follow(front.store)  # the garage is cut off, and misses it
    with front.store.database.begin() as connection:
        connection.execute(text("DELETE FROM records"))
    theirs.follow(garage.store)
    assert version(front) == 3
    for _ in range(2):
        ours.follow(front.store)
        theirs.follow(garage.store)
    assert (front.mode, garage.mode) == (both, both)


def test_a_mode_that_a_full_disk_lost_does_not_disarm_after_a_restart() -> None:
    agreed, stale = Agreed(4, Mode.AWAY, NOW), Armed(Mode.HOME, EARLIER)
    assert step(agreed, stale, Found(4, Mode.AWAY), may_arm=True, started=True) is Step.TAKE
    assert step(agreed, Armed(Mode.HOME), Found(4, Mode.AWAY), may_arm=True) is Step.TAKE
    assert step(agreed, Armed(Mode.HOME), Found(), may_arm=True) is Step.KEEP
    assert step(agreed, Armed(Mode.AWAY, NOW), Found(4, Mode.OFF), may_arm=False) is Step.TAKE


def test_an_initial_mode_is_the_households_only_once_somebody_has_set_it(household: SimulatedHousehold) -> None:
    front = household.add("front")
    sharing(front).follow(front.store)
    assert version(front) == 0
