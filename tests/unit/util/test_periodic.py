"""A thread that does one thing again and again: when it begins, and how it ends."""

from __future__ import annotations

import threading
import time

from facesecure.util.periodic import PeriodicTask


def _running(name: str) -> bool:
    return name in {thread.name for thread in threading.enumerate()}


def test_its_turn_comes_again_and_again_until_it_ends():
    turns, enough = [], threading.Event()

    def run() -> None:
        turns.append(1)
        if len(turns) >= 3:
            enough.set()

    task = PeriodicTask("rounds", run, interval=0.001)
    task.start()
    assert enough.wait(60)
    task.stop()
    taken = len(turns)
    assert not _running("rounds")
    time.sleep(0.02)
    assert len(turns) == taken


def test_the_first_turn_may_come_sooner_than_the_rest():
    turned = threading.Event()
    task = PeriodicTask("rounds", turned.set, interval=3600.0, first=0.0)
    task.start()
    assert turned.wait(60)
    task.stop()
    assert not _running("rounds"), "the end does not wait for the hour to pass"


def test_no_turn_is_taken_before_the_first_is_due():
    turned = threading.Event()
    task = PeriodicTask("rounds", turned.set, interval=3600.0)
    task.start()
    task.stop()
    assert not turned.is_set()


def test_a_turn_may_be_the_last_by_its_own_word():
    turns = []

    def run() -> None:
        turns.append(1)
        task.stop()

    task = PeriodicTask("rounds", run, interval=0.001)
    task.start()
    deadline = time.monotonic() + 60
    while _running("rounds") and time.monotonic() < deadline:
        time.sleep(0.001)
    assert turns == [1]


def test_a_turn_that_hangs_is_left_behind():
    begun, released = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        released.wait(120)

    task = PeriodicTask("rounds", run, interval=0.001, join_timeout=0.01)
    task.start()
    assert begun.wait(60)
    before = time.monotonic()
    task.stop()
    assert time.monotonic() - before < 60
    assert _running("rounds")
    released.set()


def test_what_was_never_started_ends_at_once():
    turns: list[int] = []
    task = PeriodicTask("never started", lambda: turns.append(1), interval=0.001, join_timeout=60.0)
    before = time.monotonic()
    task.stop()
    assert time.monotonic() - before < 30
    assert not _running("never started")
    task.start()  # asked to end before it began: there is no first turn
    task.stop()
    assert turns == []
