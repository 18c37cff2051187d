"""The Pi's camera through the real picamera2: beyond what the fake can show. See `make test-picamera`."""

from __future__ import annotations

import gc
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facesecure.camera.sources import open_source, probe
from facesecure.camera.sources.picamera import PicameraConnection
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError, SourceLost
from support.camera.real_picamera import WANTED, unavailable
from support.camera.sources import first


@pytest.fixture(autouse=True)
def _real_picamera2() -> None:
    if reason := unavailable():
        pytest.skip(reason)


def open_descriptors() -> int:
    gc.collect()  # picamera2 leaves its selectors to it
    return len(list(Path("/proc/self/fd").iterdir()))


def test_real_picamera2_gives_red_green_and_blue_in_that_order() -> None:
    frame = first(open_source("picamera2:0", WANTED), 1)[0]
    colours = {tuple(int(channel > 127) for channel in pixel) for pixel in frame.image[10]}
    # All eight bars: an exchange of red and blue would show them too, so the order is checked against brightness.
    assert len(colours) == 8
    luma = np.repeat(frame.luma[5], 2).astype(int)
    red = (frame.image[10] > 200) == (True, False, False)
    blue = (frame.image[10] > 200) == (False, False, True)
    assert luma[red.all(axis=1)].mean() > luma[blue.all(axis=1)].mean() + 20


def test_real_picamera2_without_such_a_camera_says_so() -> None:
    with pytest.raises(SourceError, match="has no camera 7") as caught:
        probe("picamera2:7", WANTED)
    assert "ribbon" in str(caught.value.hint)


def test_real_picamera2_in_use_says_so() -> None:
    with closing(open_source("picamera2:0", WANTED).frames()) as frames:
        next(frames)
        with pytest.raises(SourceError, match="busy") as caught:
            probe("picamera2:0", WANTED)
    assert "another program" in str(caught.value.hint)
    assert probe("picamera2:0", WANTED).width == 640


def test_real_picamera2_that_falls_silent_is_a_loss_and_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    import libcamera

    impatient = CameraConfig(width=640, height=360, fps=30, timeout=0.5)
    connection = PicameraConnection(0, impatient)
    with closing(connection.images(threading.Event())) as pictures:
        next(pictures)
        monkeypatch.setattr(libcamera.Camera, "queue_request", lambda *_: None)  # buffers no longer reach the sensor
        began = time.monotonic()
        with pytest.raises(SourceLost, match=r"gave no image for 0\.5 s"):
            list(pictures)
        assert time.monotonic() - began < 5
    monkeypatch.undo()
    assert connection.probe().width == 640


def test_real_picamera2_opened_twenty_times_leaves_nothing_open() -> None:
    probe("picamera2:0", WANTED)
    before, threads = open_descriptors(), threading.active_count()
    for _ in range(20):
        probe("picamera2:0", WANTED)
    assert open_descriptors() <= before
    assert threading.active_count() <= threads


def test_real_picamera2_that_cannot_be_opened_twenty_times_leaves_nothing_more_open() -> None:
    def fail() -> None:
        with pytest.raises(SourceError):
            probe("picamera2:7", WANTED)

    fail()  # libcamera's manager stays open from here on
    before = open_descriptors()
    for _ in range(20):
        fail()
    assert open_descriptors() <= before
