"""The capture thread: newest frame first, errors passed on, always left in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace

import pytest

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


def test_a_slow_reader_always_gets_the_newest_frame() -> None:
    source = ScriptedSource([plain()] * 40, fps=200, live=True)
    ages = []
    with LatestFrame(source) as latest:
        seen = []
        for frame in latest:
            seen.append(frame)
            time.sleep(0.025)
            ages.append(latest.dropped)
    assert len(seen) < 20
    assert len(seen) + latest.dropped == 40
    assert any(later.index - earlier.index > 2 for earlier, later in pairwise(seen))
    assert seen[-1].index == 39


def test_a_quick_reader_misses_nothing() -> None:
    with LatestFrame(ScriptedSource([plain()] * 20, fps=10, live=True)) as latest:
        seen = [frame.index for frame in latest]
    assert seen == [index for index in range(20) if index in seen]
    assert len(seen) + latest.dropped == 20  # a busy machine may not be quick; what it misses is counted
    assert len(seen) > 10


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
    assert time.monotonic() - began < 8
    assert "does not stop" in caplog.text
    source.release.set()
    assert source.closed.wait(1)  # the thread left behind releases the camera as soon as it can


def test_leaving_a_running_source_is_quick_and_closes_it() -> None:
    source = ScriptedSource([plain()] * 1000, fps=100, live=True)
    with LatestFrame(source) as latest:
        next(iter(latest))
        began = time.monotonic()
    assert time.monotonic() - began < 1.9
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
    source = StuckSource()
    with LatestFrame(source) as latest:
        assert next(iter(latest)).index == 0
        beat = latest.heartbeat
        assert beat is not None
        assert time.monotonic() - beat < 1
        time.sleep(0.05)
        assert latest.heartbeat == beat
        source.release.set()
        deadline = time.monotonic() + 2
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


def test_what_cannot_be_renewed_says_so() -> None:
    with LatestFrame(ScriptedSource([plain()], fps=50, live=True)) as latest:
        assert not latest.renew()
    with LatestFrame(ScriptedSource([], fps=50, live=True), lambda: ScriptedSource([], fps=50, live=True)) as latest:
        assert [latest.renew() for _ in range(MOST_RENEWALS + 1)] == [True] * MOST_RENEWALS + [False]
        latest.stop()
        assert not latest.renew()
