"""Live sources, with cameras that fail as fast as possible."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator

import numpy as np
import pytest

from facesecure.camera.sources.base import ProbeResult
from facesecure.camera.sources.live import LiveSource
from facesecure.domain import FrameImage
from facesecure.domain.errors import SourceError, SourceLost
from facesecure.vision.images.frames import RgbImage

PICTURE = RgbImage(np.zeros((90, 160, 3), np.uint8))


class Failing:
    """A camera that gives ``pictures`` at once and then fails with ``error``, or just ends."""

    def __init__(self, pictures: int = 0, error: SourceError | None = None) -> None:
        self.opened = 0
        self._pictures = pictures
        self._error = error

    def __str__(self) -> str:
        return "failing:0"

    def images(self, stopped: threading.Event) -> Generator[FrameImage]:
        self.opened += 1
        for _ in range(self._pictures):
            yield PICTURE
        if self._error is not None:
            raise self._error

    def probe(self) -> ProbeResult:
        raise SourceError("never works")


def frames_within(source: LiveSource, seconds: float) -> int:
    threading.Timer(seconds, source.stop).start()
    return sum(1 for _ in source.frames())


@pytest.mark.parametrize(
    "camera",
    [Failing(0, SourceError("refused")), Failing(0), Failing(1, SourceLost("cut")), Failing(1)],
    ids=["refuses", "ends at once", "breaks after a picture", "ends after a picture"],
)
def test_a_camera_that_fails_at_once_and_for_ever_is_never_asked_in_a_busy_loop(camera: Failing) -> None:
    source = LiveSource(camera, reconnect_max=5.0, patient=True)
    frames_within(source, 1.6)
    assert 2 <= camera.opened <= 1 + 1.6 / (0.5 * 2 / 3)  # half a second, shortened by a third at most


def test_each_attempt_of_a_camera_that_stays_away_waits_longer_up_to_the_limit() -> None:
    camera = Failing(0, SourceError("refused"))
    frames_within(LiveSource(camera, reconnect_max=0.2, patient=True), 1.2)
    assert 5 <= camera.opened <= 10
    camera = Failing(0, SourceError("refused"))
    frames_within(LiveSource(camera, reconnect_max=60.0, patient=True), 2.0)
    assert 2 <= camera.opened <= 3


def test_stopping_does_not_wait_for_the_pause_to_end() -> None:
    source = LiveSource(Failing(0, SourceError("refused")), reconnect_max=3600.0, patient=True)
    threading.Timer(0.1, source.stop).start()
    assert list(source.frames()) == []


def test_the_first_picture_is_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert frames_within(LiveSource(Failing(3, SourceLost("cut")), reconnect_max=0.05, patient=True), 0.3) > 5
    assert caplog.text.count("failing:0 delivers images of 160x90") == 1
