"""Live sources, with cameras that fail as fast as possible."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator
from contextlib import closing
from itertools import pairwise

import numpy as np
import pytest

from facesecure.camera.sources.base import Heartbeat, ProbeResult
from facesecure.camera.sources.live import LiveSource
from facesecure.domain import FrameImage
from facesecure.domain.errors import SourceError, SourceLost
from facesecure.vision.images.frames import RgbImage

PICTURE = RgbImage(np.zeros((90, 160, 3), np.uint8))


class Failing:
    """A camera that gives ``pictures`` at once and then fails with ``error``, or just ends."""

    def __init__(self, pictures: int = 0, error: SourceError | None = None) -> None:
        self.opened = 0
        self.pictures = pictures
        self._error = error

    def __str__(self) -> str:
        return "failing:0"

    def images(self, stopped: threading.Event) -> Generator[FrameImage]:
        self.opened += 1
        for _ in range(self.pictures):
            yield PICTURE
        if self._error is not None:
            raise self._error

    def probe(self) -> ProbeResult:
        raise SourceError("never works")


def pauses(monkeypatch: pytest.MonkeyPatch, camera: Failing, attempts: int, reconnect_max: float) -> list[float]:
    """Return how long the source of ``camera`` waits after each of its attempts, of which it may make so many."""
    waited = list[float]()

    def wait(_: Heartbeat, stopped: threading.Event, seconds: float) -> bool:
        waited.append(seconds)
        if len(waited) == attempts:
            stopped.set()
        return stopped.is_set()

    monkeypatch.setattr(Heartbeat, "wait", wait)
    frames = sum(1 for _ in LiveSource(camera, reconnect_max, patient=True).frames())
    assert frames == attempts * camera.pictures
    return waited


@pytest.mark.parametrize(
    "camera",
    [Failing(0, SourceError("refused")), Failing(0), Failing(1, SourceLost("cut")), Failing(1)],
    ids=["refuses", "ends at once", "breaks after a picture", "ends after a picture"],
)
def test_a_camera_that_fails_at_once_and_for_ever_is_never_asked_in_a_busy_loop(
    camera: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = pauses(monkeypatch, camera, attempts=20, reconnect_max=5.0)
    assert camera.opened == 20
    assert min(waited) >= 0.5 * 2 / 3  # half a second, shortened by a third at most
    assert max(waited) <= 5


def test_each_attempt_of_a_camera_that_stays_away_waits_longer_up_to_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = pauses(monkeypatch, Failing(0, SourceError("refused")), attempts=10, reconnect_max=0.2)
    assert all(0.2 * 2 / 3 <= pause <= 0.2 for pause in short)
    long = pauses(monkeypatch, Failing(0, SourceError("refused")), attempts=10, reconnect_max=60.0)
    assert all(later > earlier for earlier, later in pairwise(long[:6]))  # doubled, and shortened by less than half
    assert all(60 * 2 / 3 <= pause <= 60 for pause in long[7:])


def test_stopping_does_not_wait_for_the_pause_to_end() -> None:
    source = LiveSource(Failing(0, SourceError("refused")), reconnect_max=3600.0, patient=True)
    threading.Timer(0.1, source.stop).start()
    assert list(source.frames()) == []


def test_a_source_that_waits_really_lets_the_time_pass() -> None:
    camera, began = Failing(1, SourceLost("cut")), time.monotonic()
    with closing(LiveSource(camera, reconnect_max=0.3, patient=True).frames()) as frames:
        assert [next(frames).index for _ in range(3)] == [0, 1, 2]
    assert time.monotonic() - began >= 2 * 0.3 * 2 / 3


def test_the_first_picture_is_in_the_log_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    pauses(monkeypatch, Failing(3, SourceLost("cut")), attempts=4, reconnect_max=0.05)
    assert caplog.text.count("failing:0 delivers images of 160x90") == 1
