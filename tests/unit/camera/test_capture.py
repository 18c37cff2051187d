"""The capture thread: newest frame first, errors passed on, always left in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from facesecure.camera import capture
from facesecure.camera.capture import MOST_RENEWALS, LatestFrame
from facesecure.camera.sources import ScriptedSource
from facesecure.camera.sources.base import FrameClock
from facesecure.domain import Frame
from facesecure.domain.errors import SourceLost
from facesecure.vision.images.frames import RgbImage
from support.camera.sources import plain


class StuckSource:
    """Gives one frame, then blocks until ``release`` is set, whoever asks it to stop."""

    live = True

    def __init__(self) -> None:
        self.release = threading.Event()
        self.closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        try:
            stamper = FrameClock()
            yield stamper.live(RgbImage(plain()))
            self.release.wait(30)
            yield stamper.live(RgbImage(plain()))
        finally:
            self.closed.set()


class Bursts:
    """A live camera that gives ``size`` frames at once whenever it is told to ``go_on``, ``count`` times."""

    live = True

    def __init__(self, size: int, count: int) -> None:
        self._size, self._count = size, count
        self._told, self._given = threading.Semaphore(0), threading.Semaphore(0)

    def go_on(self) -> None:
        """Let it give the next frames, and wait until they have come."""
        self._told.release()
        assert self._given.acquire(timeout=60)

    def frames(self) -> Iterator[Frame]:
        clock = FrameClock()
        for _ in range(self._count):
            assert self._told.acquire(timeout=60)
            for _ in range(self._size):
                yield clock.live(RgbImage(plain()))
            self._given.release()


def read(source: Bursts, count: int) -> tuple[list[int], int]:
    """Return which frames a reader gets that asks once after each of ``count`` bursts, and how many it missed."""
    with LatestFrame(source) as latest:
        frames, seen = iter(latest), []
        for _ in range(count):
            source.go_on()
            seen.append(next(frames).index)
        assert list(frames) == []
    return seen, latest.dropped


def test_a_slow_reader_always_gets_the_newest_frame() -> None:
    assert read(Bursts(5, 8), 8) == ([4, 9, 14, 19, 24, 29, 34, 39], 32)


def test_a_quick_reader_misses_nothing() -> None:
    assert read(Bursts(1, 20), 20) == (list(range(20)), 0)


def test_the_sources_error_arrives_in_the_reader_after_its_last_frame() -> None:
    for live in (True, False):
        with LatestFrame(ScriptedSource([plain(), SourceLost("unplugged")], fps=50, live=live)) as latest:
            frames = iter(latest)
            next(frames)
            with pytest.raises(SourceLost, match="unplugged"):
                next(frames)


def test_leaving_a_stuck_source_gives_up_after_a_while(caplog: pytest.LogCaptureFixture) -> None:
    source = StuckSource()
    with LatestFrame(source) as latest:
        next(iter(latest))
        began = time.monotonic()
    assert time.monotonic() - began < 20, "it is stuck for 30 s"
    assert "does not stop" in caplog.text
    source.release.set()
    assert source.closed.wait(30)  # the thread left behind releases the camera as soon as it can


def test_leaving_stops_a_source_within_its_pause_and_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "JOIN_SECONDS", 60.0)  # whoever is only slow is not left behind
    source = ScriptedSource([plain(), 3600.0, plain()], fps=100, live=True)
    with LatestFrame(source) as latest:
        next(iter(latest))
    assert not latest._thread.is_alive()
    assert source.closed == 1


def test_a_recording_is_closed_when_its_reader_breaks_off() -> None:
    source = ScriptedSource([plain()] * 10)
    with LatestFrame(source) as latest:
        for _ in latest:
            break
    assert source.closed == 1
    assert len(list(source.frames())) == 10  # and can be played again


@pytest.mark.parametrize("live", [True, False])
def test_stop_ends_the_iteration(live: bool) -> None:
    seen = 0
    with LatestFrame(ScriptedSource([plain()] * 1000, fps=100, live=live)) as latest:
        for _ in latest:
            seen += 1
            if seen == 3:
                latest.stop()
    assert seen == 3


def test_stop_wakes_a_reader_that_waits() -> None:
    source = StuckSource()
    with LatestFrame(source) as latest:
        frames = iter(latest)
        next(frames)
        threading.Timer(0.1, latest.stop).start()
        assert list(frames) == []
        source.release.set()


def test_the_heartbeat_follows_the_source_and_not_the_reader() -> None:
    source, began = StuckSource(), time.monotonic()
    with LatestFrame(source) as latest:
        assert next(iter(latest)).index == 0
        beat = latest.heartbeat
        assert beat is not None
        assert began <= beat <= time.monotonic()
        time.sleep(0.05)
        assert latest.heartbeat == beat
        source.release.set()
        deadline = time.monotonic() + 30
        while latest.heartbeat == beat and time.monotonic() < deadline:
            time.sleep(0.005)
        assert latest.heartbeat != beat


def test_the_rate_is_unknown_until_two_frames_have_come_and_then_follows_them(monkeypatch):
    clock = iter([100.0 + 0.1 * step for step in range(50)])
    monkeypatch.setattr("facesecure.camera.capture.time", SimpleNamespace(monotonic=lambda: next(clock)))
    frames = LatestFrame(ScriptedSource([plain()] * 20))
    assert frames.rate is None
    for _ in frames:
        pass
    assert frames.rate == pytest.approx(10.0)


def test_a_capture_that_is_stuck_is_renewed_and_the_stuck_thread_changes_nothing_any_more() -> None:
    stuck, fresh = StuckSource(), ScriptedSource([plain()] * 3, fps=20, live=True)
    with LatestFrame(stuck, lambda: fresh) as latest:
        frames = iter(latest)
        next(frames)
        assert latest.renew()
        shown = [next(frames).index]
        stuck.release.set()
        assert stuck.closed.wait(10)
        shown += [frame.index for frame in frames]
    assert shown == sorted(shown)
    assert shown[-1] == 2, "the fresh source's own end ends the iteration"


def test_a_frame_that_comes_while_its_source_is_replaced_is_not_shown() -> None:
    stuck, fresh = StuckSource(), ScriptedSource([], fps=20, live=True)
    with LatestFrame(stuck, lambda: fresh) as latest:
        frames = iter(latest)
        next(frames)
        with latest._changed:
            stuck.release.set()
            time.sleep(0.2)  # its thread waits for the lock, or comes later: the frame is refused either way
            assert latest.renew()
        assert stuck.closed.wait(60)
        assert list(frames) == []


def test_what_cannot_be_renewed_says_so() -> None:
    with LatestFrame(ScriptedSource([plain()], fps=50, live=True)) as latest:
        assert not latest.renew()
    with LatestFrame(ScriptedSource([], fps=50, live=True), lambda: ScriptedSource([], fps=50, live=True)) as latest:
        assert [latest.renew() for _ in range(MOST_RENEWALS + 1)] == [True] * MOST_RENEWALS + [False]
        latest.stop()
        assert not latest.renew()
