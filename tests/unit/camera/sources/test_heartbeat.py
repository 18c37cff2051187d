"""A long pause is not a hang; a read that never returns is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import SimpleNamespace

import pytest

from facesecure.camera.capture import LatestFrame
from facesecure.camera.sources import base
from facesecure.camera.sources.base import Heartbeat
from facesecure.camera.sources.live import LiveSource
from facesecure.domain.errors import SourceError, SourceLost


@pytest.fixture(autouse=True)
def _short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_BEAT_INTERVAL", 0.02)


def comes(true: Callable[[], bool]) -> bool:
    """Return whether it comes true."""
    deadline = time.monotonic() + 30
    while not true() and time.monotonic() < deadline:
        time.sleep(0.005)
    return true()


class Unset(threading.Event):
    """An event that nobody sets: whoever waits for it lets a clock's time pass, and notes the ``signs`` of life."""

    def __init__(self, sign: Heartbeat, clock: SimpleNamespace) -> None:
        super().__init__()
        self.signs = list[float]()
        self._sign, self._clock = sign, clock

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.signs.append(self._sign.at)
        self._clock.now += timeout
        return False


def test_while_it_waits_there_are_signs_and_in_the_end_it_says_that_nobody_stopped_it(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(base, "time", clock)
    sign = Heartbeat()
    stopped = Unset(sign, clock)
    assert not sign.wait(stopped, 0.5)
    assert clock.now == pytest.approx(100.5)
    assert stopped.signs[0] == 100.0
    assert max(later - earlier for earlier, later in pairwise([*stopped.signs, clock.now])) <= 0.02 + 1e-9


def test_a_wait_that_nobody_stops_lets_the_time_pass():
    began = time.monotonic()
    assert not Heartbeat().wait(threading.Event(), 0.1)
    assert time.monotonic() - began >= 0.1


def test_a_wait_ends_when_it_is_told_to():
    stopped = threading.Event()
    stopped.set()
    assert Heartbeat().wait(stopped, 60)


class Unplugged:
    """A camera that is not connected."""

    def __str__(self) -> str:
        return "unplugged"

    def images(self, stopped: threading.Event) -> Iterator[object]:
        raise SourceLost("nothing is plugged in")
        yield

    def probe(self) -> object:
        raise SourceError("nothing is plugged in")


class Stuck(Unplugged):
    """A driver that never returns."""

    def __init__(self) -> None:
        self.entered = threading.Event()

    def images(self, stopped: threading.Event) -> Iterator[object]:
        self.entered.set()
        stopped.wait()
        return
        yield


def test_an_unplugged_camera_shows_signs_of_life():
    with LatestFrame(LiveSource(Unplugged(), reconnect_max=3600.0, patient=True)) as frames:
        began = time.monotonic()
        assert comes(lambda: frames.alive_at > began + 0.05)
        assert comes(lambda: frames.trouble is not None)


def test_a_stuck_camera_shows_none():
    stuck = Stuck()
    with LatestFrame(LiveSource(stuck, reconnect_max=3600.0, patient=True)) as frames:
        assert stuck.entered.wait(30)
        before = frames.alive_at
        time.sleep(0.12)
        assert frames.alive_at == before
        assert frames.trouble is None
