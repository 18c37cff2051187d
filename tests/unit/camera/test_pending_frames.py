"""Frames between capture and reader: the newest of the live ones, and every kept one in order, within bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from facesecure.camera import pending_frames
from facesecure.camera.capture import LatestFrame
from facesecure.camera.pending_frames import KEPT, PATIENCE, PendingFrames
from facesecure.camera.sources.base import FrameClock, LateImage
from facesecure.domain import Frame
from facesecure.vision.images.frames import RgbImage
from support.camera.sources import plain


class Replaying:
    """A live source that gives ``count`` kept frames at once, and then one more live frame."""

    live = True

    def __init__(self, count: int) -> None:
        self.replaying = True
        self._count = count

    def frames(self) -> Iterator[Frame]:
        clock, now = FrameClock(), time.monotonic()
        for number in range(self._count):
            yield clock.live(LateImage(RgbImage(plain()), now - 5 + number / 10))
        self.replaying = False
        yield clock.live(RgbImage(plain()))


@pytest.fixture
def _endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A capture waits for its reader however slow the machine is."""
    monkeypatch.setattr(pending_frames, "PATIENCE", 3600.0)


@pytest.mark.usefixtures("_endless_patience")
def test_a_slow_reader_gets_every_kept_frame_in_order_and_with_its_own_time() -> None:
    seen = []
    with LatestFrame(Replaying(12)) as latest:
        for frame in latest:
            seen.append(frame)
            time.sleep(0.02)
    assert [frame.index for frame in seen] == list(range(13))
    steps = [later.taken_at - earlier.taken_at for earlier, later in pairwise(seen[:12])]
    assert all(abs(step - 0.1) < 1e-3 for step in steps)
    assert all(
        abs((later.wall_time - earlier.wall_time).total_seconds() - 0.1) < 0.05
        for earlier, later in pairwise(seen[:12])
    )
    assert latest.dropped == 0


def test_a_live_frame_that_waits_comes_before_the_kept_ones_that_follow_it() -> None:
    changed, clock = threading.Condition(), FrameClock()
    pending = PendingFrames(changed)
    frames = [clock.live(RgbImage(plain())) for _ in range(3)]
    with changed:
        pending.put(frames[0], replaying=False)
        pending.put(frames[1], replaying=True)
        pending.put(frames[2], replaying=False)
        assert [pending.take(), pending.take(), pending.take(), pending.take()] == [*frames, None]


def test_a_reader_that_takes_nothing_holds_a_capture_up_only_for_a_while() -> None:
    changed, clock = threading.Condition(), FrameClock()
    pending = PendingFrames(changed)
    began = time.monotonic()
    with changed:
        for _ in range(30):
            pending.put(clock.live(RgbImage(plain())), replaying=True)
        kept = 0
        while pending.take():
            kept += 1
    assert time.monotonic() - began < PATIENCE + 8
    assert kept == KEPT
    assert pending.dropped == 30 - KEPT


@pytest.mark.usefixtures("_endless_patience")
def test_leaving_wakes_a_capture_that_waits_for_the_reader() -> None:
    with LatestFrame(Replaying(100)) as latest:
        next(iter(latest))
    latest._thread.join(30)
    assert not latest._thread.is_alive()
