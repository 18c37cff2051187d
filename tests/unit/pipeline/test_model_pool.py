"""The pool of models: one thread at a time, the unsure camera first, and no camera starves."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import cast

import pytest

from facesecure.pipeline import model_pool
from facesecure.pipeline.model_pool import PATIENCE, ModelPool, workers
from facesecure.recognition.identify import Identifier


def models(*names: str) -> list[Identifier]:
    """Stand-ins that are told apart by their names: the pool looks at none of their parts."""
    return [cast("Identifier", name) for name in names]


class Queue:
    """Cameras that wait, in threads, for the one set of a pool that is lent already; they leave in ``served``."""

    def __init__(self) -> None:
        self.now = 100.0
        self.served: list[str] = []
        self.pool = ModelPool(models("only"), clock=lambda: self.now)
        self._first = self.pool.lend("first")
        self._first.__enter__()
        self._threads: list[threading.Thread] = []

    def waits(self, camera: str, *, urgent: bool = False) -> None:
        """Have ``camera`` wait, a moment after those before."""
        self.now += 0.001
        thread = threading.Thread(target=self._work, args=(camera, urgent), daemon=True)
        thread.start()
        self._threads.append(thread)
        while len(self.pool._requests) < len(self._threads):
            time.sleep(0.001)

    def goes_on(self) -> list[str]:
        """Give the set back, and return in which order the cameras got it."""
        self._first.__exit__(None, None, None)
        for thread in self._threads:
            thread.join(10)
        return self.served

    def _work(self, camera: str, urgent: bool) -> None:
        with self.pool.lend(camera, urgent=urgent):
            self.served.append(camera)
            self.now += 0.001


def test_a_camera_with_an_unsure_track_goes_first() -> None:
    queue = Queue()
    queue.waits("gate")
    queue.waits("door", urgent=True)
    assert queue.goes_on() == ["door", "gate"]


def test_the_others_take_turns_by_when_they_were_served() -> None:
    queue = Queue()
    queue.waits("first")
    queue.waits("gate")
    queue.waits("yard")
    assert queue.goes_on() == ["gate", "yard", "first"]


def test_who_has_waited_for_long_is_not_behind_an_unsure_track_any_more() -> None:
    queue = Queue()
    queue.waits("gate")
    queue.now += 2 * PATIENCE
    queue.waits("first", urgent=True)
    assert queue.goes_on() == ["gate", "first"]


def test_no_set_is_lent_twice_and_an_error_gives_it_back() -> None:
    pool = ModelPool(models("one", "two"))
    with pool.lend("gate") as first, pool.lend("door") as second:
        assert {first, second} == set(models("one", "two"))
    with pytest.raises(ZeroDivisionError), pool.lend("gate"):
        raise ZeroDivisionError
    with pool.lend("gate"), pool.lend("door"):
        pass


def test_three_quiet_cameras_are_served_beside_one_that_is_always_unsure() -> None:
    """It hangs where each of those who wait asks for itself who is first: the answer changes from one to the next."""
    pool, served, at_work, ended = ModelPool(models("only")), Counter[str](), threading.Event(), threading.Event()

    def busy() -> None:
        while not ended.is_set():
            with pool.lend("door", urgent=True):
                at_work.set()
                time.sleep(0.002)
                served["door"] += 1

    def quiet(camera: str) -> None:
        for _ in range(20):
            with pool.lend(camera):
                served[camera] += 1

    never_done = [threading.Thread(target=busy, daemon=True) for _ in range(2)]  # one always waits while one works
    cameras = [threading.Thread(target=quiet, args=(name,), daemon=True) for name in ("gate", "yard", "shed")]
    for thread in never_done:
        thread.start()
    assert at_work.wait(60)
    for thread in cameras:
        thread.start()
    for thread in cameras:
        thread.join(60)
    ended.set()
    for thread in never_done:
        thread.join(60)
    assert [served[name] for name in ("gate", "yard", "shed")] == [20, 20, 20]
    assert served["door"] > 0


@pytest.mark.parametrize(("cores", "cameras", "sets"), [(1, 4, 1), (2, 4, 1), (4, 4, 3), (4, 2, 2), (4, 1, 1)])
def test_one_core_is_left_to_capture(monkeypatch: pytest.MonkeyPatch, cores: int, cameras: int, sets: int) -> None:
    monkeypatch.setattr(model_pool, "sched_getaffinity", lambda _: set(range(cores)))
    assert workers(cameras) == sets
