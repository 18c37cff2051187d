import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from facesecure.app.housekeeping import ClockGuard, RetentionTask
from facesecure.config import StoreConfig
from facesecure.domain.errors import StoreError


class Shelf:
    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.failures, self.rounds, self.done = failures, 0, threading.Event()
        self.error = error or StoreError("the disk is gone")

    def prune(self, config):
        self.rounds += 1
        if self.rounds <= self.failures:
            raise self.error
        if self.rounds >= self.failures + 2:
            self.done.set()


def test_it_prunes_again_and_again_while_it_is_open():
    shelf = Shelf()
    with RetentionTask(shelf, StoreConfig(), first=0.001, interval=0.001):
        assert shelf.done.wait(60)
    rounds = shelf.rounds
    assert rounds >= 2
    assert not [thread for thread in threading.enumerate() if thread.name == "housekeeping"]


@pytest.mark.parametrize(
    "error", [StoreError("the disk is gone"), OSError(30, "Read-only file system"), KeyError("a mistake")]
)
def test_a_failure_is_said_and_the_next_round_comes_all_the_same(error, caplog):
    shelf = Shelf(1, error)
    with caplog.at_level(logging.WARNING), RetentionTask(shelf, StoreConfig(), first=0.001, interval=0.001):
        assert shelf.done.wait(60)
    assert str(error) in caplog.text


def test_closing_does_not_wait_for_the_hour_to_pass():
    with RetentionTask(Shelf(), StoreConfig()):
        pass
    assert not [thread for thread in threading.enumerate() if thread.name == "housekeeping"]


MONTH = timedelta(days=30)


class Wall:
    """A clock on which days pass, asleep or awake, and that anybody may set."""

    boot = "b"

    def __init__(self):
        self.at, self.seconds = datetime(2026, 11, 22, tzinfo=UTC), 1000.0

    def now(self):
        return self.at

    def steady(self):
        return self.seconds

    def passes(self, **time):
        self.at, self.seconds = self.at + timedelta(**time), self.seconds + timedelta(**time).total_seconds()


def test_a_clock_that_is_set_far_ahead_makes_nothing_old_until_it_went_well_for_a_day(caplog):
    wall = Wall()
    guard, seen = ClockGuard(wall), wall.at
    wall.passes(hours=1)
    assert guard.trusts(seen, MONTH)
    wall.at += timedelta(days=4000)
    assert not guard.trusts(seen, MONTH)
    assert "moved by +4000 days" in caplog.text
    wall.passes(hours=23)
    assert not guard.trusts(seen, MONTH)
    wall.passes(hours=2)
    assert guard.trusts(seen, MONTH)


def test_a_clock_that_is_put_right_is_doubted_for_a_day_too_and_only_told_of_once_a_jump(caplog):
    wall = Wall()
    guard = ClockGuard(wall)
    wall.at -= timedelta(days=40)
    assert not guard.trusts(None, MONTH)
    assert not guard.trusts(None, MONTH)
    assert caplog.text.count("moved by") == 1


def test_a_machine_that_slept_for_a_week_has_no_wrong_clock():
    wall = Wall()
    guard = ClockGuard(wall)
    wall.passes(days=7)
    assert guard.trusts(wall.at - timedelta(days=8), MONTH)


def test_at_the_start_a_clock_by_which_everything_is_too_old_is_doubted(caplog):
    wall = Wall()
    assert not ClockGuard(wall).trusts(wall.at - timedelta(days=31), MONTH)
    assert "the latest sighting is 31 days old" in caplog.text
    assert ClockGuard(wall).trusts(wall.at - timedelta(days=29), MONTH)


def test_while_the_clock_is_doubted_only_what_takes_too_much_room_goes():
    kept, done = [], threading.Event()

    class Disk:
        def prune(self, config):
            kept.append((config.keep_days, config.max_snapshot_mb))
            done.set()

    old = datetime.now(UTC) - timedelta(days=31)
    with RetentionTask(Disk(), StoreConfig(), first=0.001, newest=lambda: old):
        assert done.wait(60)
    assert kept == [(0.0, 500.0)]
