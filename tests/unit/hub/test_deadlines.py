"""What lasts too long is cut, once, and nothing is cut after its end."""

from __future__ import annotations

import threading
import time

import pytest

from facesecure.hub.deadlines import Deadlines


def test_a_block_that_lasts_too_long_is_cut_once_although_a_later_deadline_came_first() -> None:
    deadlines, cut = Deadlines(), threading.Semaphore(0)
    with deadlines.within(3600, lambda: pytest.fail("not yet")), deadlines.within(0.05, lambda: cut.release()):
        assert cut.acquire(timeout=60)
        assert not cut.acquire(timeout=0.2)


def test_a_block_that_ends_in_time_is_not_cut() -> None:
    deadlines, cut = Deadlines(), list[float]()
    with deadlines.within(1.0, lambda: cut.append(0)):
        pass
    with pytest.raises(KeyError), deadlines.within(1.0, lambda: cut.append(1)):
        raise KeyError
    time.sleep(1.3)
    assert not cut


def test_many_blocks_have_one_thread() -> None:
    deadlines, cut = Deadlines(), threading.Semaphore(0)
    before = own_threads()
    with deadlines.within(60, cut.release):
        threads = [threading.Thread(target=_wait_for, args=(deadlines, cut)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert own_threads() == before + 1
    assert not cut.acquire(blocking=False)


def own_threads() -> int:
    """Return how many threads watch deadlines; those of other tests end when they like."""
    return sum(thread.name == "hub-deadlines" for thread in threading.enumerate())


def _wait_for(deadlines: Deadlines, cut: threading.Semaphore) -> None:
    for _ in range(50):
        late = threading.Semaphore(0)
        with deadlines.within(0.01, late.release):
            assert late.acquire(timeout=60)
        with deadlines.within(60, cut.release):
            pass
