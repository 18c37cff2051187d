"""The link to the hub does every duty, whatever became of the one before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facesecure.domain.errors import HubRefusedError, HubUnreachableError, StoreError
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.link import Concerned, Duty, Link
from facesecure.hub.store import HubStore
from support.hub_household import SimulatedDoor, SimulatedHousehold


@pytest.fixture
def door(tmp_path: Path) -> Iterator[SimulatedDoor]:
    household = SimulatedHousehold(tmp_path)
    yield household.add("front")
    household.close()


def wait_for(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"not seen: {what}"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "error",
    [
        RecursionError("maximum recursion depth exceeded"),
        NotGenuineError("it is another's"),
        StoreError("it cannot be stored", "a hint"),
        HubRefusedError("the hub does not allow it", "a hint"),
        HubUnreachableError("two doors wrote the same at once", "a hint"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_duty_that_fails_keeps_no_other_from_its_turn(
    door: SimulatedDoor, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    fails, tries, done = threading.Event(), [0], threading.Semaphore(0)
    fails.set()

    def failing(_: HubStore) -> None:
        tries[0] += 1
        if fails.is_set():
            raise error

    with Link(door.store, [failing, lambda _: done.release()]) as link:
        for _ in range(2):
            assert done.acquire(timeout=60)
        wait_for(lambda: link.trouble, "what is wrong")
        fails.clear()
        link.wake()
        wait_for(lambda: not link.trouble, "that it can be done again")
    assert tries[0] >= 3
    told = [one for one in caplog.records if one.name == "facesecure.hub.link" and one.levelname != "INFO"]
    assert len(told) == 1, "once, as long as it lasts"
    assert ("this is a bug" in told[0].getMessage()) is isinstance(error, RecursionError)


def test_without_a_connection_the_duties_after_the_one_that_lost_it_wait(door: SimulatedDoor) -> None:
    turns, lost = list[str](), threading.Event()

    def losing(store: HubStore) -> None:
        turns.append("first")
        if len(turns) == 1:
            store.database._connected = False
            raise HubUnreachableError("the connection to the hub was lost", "a hint")
        lost.wait(60)  # until its trouble was seen

    with Link(door.store, [losing, lambda _: turns.append("after")]) as link:
        wait_for(lambda: link.trouble, "that the hub is gone")
        lost.set()
        wait_for(lambda: "after" in turns and not link.trouble, "that the hub is back")
    assert turns[:3] == ["first", "first", "after"]


def test_the_end_of_the_daemon_does_not_wait_for_a_hub_that_does_not_answer(door: SimulatedDoor) -> None:
    begun, over = threading.Event(), threading.Event()

    def waiting(store: HubStore) -> None:
        with store.database.begin(reading=True):
            begun.set()
            over.wait(20)

    with Link(door.store, [waiting]):
        assert begun.wait(60)
        began = time.monotonic()
    assert time.monotonic() - began < 15
    over.set()


def test_once_this_door_has_left_the_hub_nothing_is_done_there_any_more(door: SimulatedDoor) -> None:
    left, done = threading.Event(), threading.Semaphore(0)

    def require() -> None:
        if left.is_set():
            raise HubRefusedError("this door has left the hub", "a hint")

    with Link(door.store, [lambda _: done.release()], require) as link:
        for _ in range(2):
            assert done.acquire(timeout=60)
        left.set()
        link.wake()
        wait_for(lambda: link.trouble, "why nothing is done")
        assert not door.store.database.is_connected, "a notice would still ask the hub"
        while done.acquire(blocking=False):  # what was done before it left, some seconds after the last time
            pass
        assert not done.acquire(timeout=1)


def test_of_those_that_are_concerned_only_the_ones_that_the_news_are_about_have_their_turn(door: SimulatedDoor) -> None:
    done, turns = list[str](), threading.Semaphore(0)
    duties: list[Duty] = [
        lambda _: done.append("always"),
        Concerned(lambda _: done.append("visits"), frozenset({"visits", "sightings"})),
        Concerned(lambda _: done.append("mode"), frozenset({"mode"})),
        lambda _: turns.release(),
    ]

    def round_of(*about: str) -> list[str]:
        done.clear()
        link.wake(*about)
        assert turns.acquire(timeout=60)
        return list(done)

    with Link(door.store, duties) as link:
        for _ in range(2):  # after connecting, and as a new connection may have missed something
            assert turns.acquire(timeout=60)
        assert round_of("visits") == ["always", "visits"]
        assert round_of("mode", "visits") == ["always", "visits", "mode"]
        assert round_of("something else") == ["always"]
        assert round_of() == ["always", "visits", "mode"]
        done.clear()
        assert turns.acquire(timeout=60)  # some seconds later, although nothing has changed
        assert done == ["always", "visits", "mode"]


def test_after_a_duty_that_failed_all_are_done_again(door: SimulatedDoor) -> None:
    fails, done, turns = threading.Event(), list[str](), threading.Semaphore(0)

    def failing(_: HubStore) -> None:
        if fails.is_set():
            fails.clear()
            raise HubRefusedError("the hub does not allow it", "a hint")
        done.append("mode")

    duties = [Concerned(failing, frozenset({"mode"})), lambda _: turns.release()]
    with Link(door.store, duties) as link:
        for _ in range(2):
            assert turns.acquire(timeout=60)
        fails.set()
        link.wake("mode")
        assert turns.acquire(timeout=60)
        done.clear()
        wait_for(lambda: done, "that it was done again")
