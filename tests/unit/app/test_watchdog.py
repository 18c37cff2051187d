"""Stories over time: what must trip the watchdog, and what must not."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from facesecure.app.watchdog import OPENING_SPARE, Deadline, EachProgress, Progress, Watchdog, watchdog_seconds
from facesecure.domain import Frame
from facesecure.vision.images.frames import RgbImage

PATIENCE = 30.0
TIMEOUT = 5.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Camera:
    """A capture whose signs of life a story gives."""

    def __init__(self, clock: Clock, *, live: bool = True) -> None:
        self.live = live
        self.alive_at = clock()
        self.renewable = 0

    def renew(self) -> bool:
        self.renewable -= 1
        return self.renewable >= 0

    def __iter__(self) -> Iterator[Frame]:
        for number in range(1000):
            yield Frame(number, float(number), RgbImage(np.zeros((8, 8, 3), np.uint8)), datetime.now(UTC))


class Story:
    """A clock, a camera, and a pipeline that asks it for frames."""

    def __init__(self, *, live: bool = True, timeout: float = TIMEOUT) -> None:
        self.clock = Clock()
        self.camera = Camera(self.clock, live=live)
        self.progress = Progress(self.camera, timeout, PATIENCE, self.clock)
        self.frames = self.progress.frames()

    def passes(self, seconds: float, *, camera_alive: bool = True) -> str | None:
        """That much time, second by second; returns what the watchdog says at the end."""
        for _ in range(int(seconds)):
            self.clock.now += 1
            if camera_alive:
                self.camera.alive_at = self.clock()
        return self.progress.stalled()


@pytest.fixture
def story() -> Story:
    return Story()


def test_frames_that_come_and_are_finished_are_progress(story):
    for _ in range(20):
        next(story.frames)
        assert story.passes(10) is None
    assert story.progress.finished == 19


def test_a_frame_that_is_never_finished_trips_it(story):
    next(story.frames)
    assert story.passes(PATIENCE) is None, "a slow Pi may take that long"
    assert story.passes(1) == "no frame was finished for 31 s"


def test_a_frame_that_took_long_is_forgiven_once_it_is_finished(story):
    next(story.frames)
    story.passes(PATIENCE)
    next(story.frames)
    assert story.passes(PATIENCE) is None


def test_an_unplugged_camera_is_waited_for_for_days(story):
    """Its source goes on giving signs of life between attempts."""
    assert story.passes(3 * 86400) is None


def test_before_the_first_frame_there_is_time_to_start(story):
    assert story.passes(PATIENCE, camera_alive=False) is None


def test_a_capture_thread_that_hangs_before_its_first_frame_trips_it(story):
    assert story.passes(PATIENCE + 1, camera_alive=False) == "the camera's thread gave no sign of life for 31 s"


def test_a_capture_thread_that_hangs_after_a_frame_trips_it_though_the_pipeline_only_waits(story):
    camera = story.camera = FallsSilent(story.clock)
    story.progress = Progress(camera, TIMEOUT, PATIENCE, story.clock)
    pipeline = threading.Thread(target=lambda: list(story.progress.frames()))
    pipeline.start()
    assert camera.asked_again.wait(10)
    assert story.passes(PATIENCE + 1) is None, "a camera that is alive may have nothing to show"
    assert story.passes(PATIENCE + 1, camera_alive=False) == "the camera's thread gave no sign of life for 31 s"
    camera.released.set()
    pipeline.join()


def test_a_capture_that_can_be_renewed_trips_it_only_when_that_is_over():
    story = Story()
    story.camera.renewable = 1
    assert story.passes(2 * TIMEOUT + OPENING_SPARE + PATIENCE, camera_alive=False) is None
    assert story.passes(1, camera_alive=False) is not None


def test_of_several_cameras_the_one_that_hangs_is_reported():
    good, bad = Story(), Story()
    both = EachProgress([good.progress, bad.progress])
    assert both.stalled() is None
    bad.passes(2 * TIMEOUT + OPENING_SPARE + PATIENCE, camera_alive=False)
    assert both.stalled() is not None
    assert len(both.frames()) == 2


def test_a_camera_with_long_timeouts_gets_as_much_silence():
    story = Story(timeout=60.0)
    assert story.passes(2 * 60 + OPENING_SPARE, camera_alive=False) is None
    assert story.passes(1, camera_alive=False) is not None


def test_a_recording_that_cannot_be_read_trips_it():
    """There is no thread of the camera's: waiting for a frame is the pipeline's own work."""
    story = Story(live=False)
    assert story.passes(1000, camera_alive=False) is None, "nobody has asked for a frame"
    next(story.frames)
    assert story.passes(PATIENCE + 1, camera_alive=False) is not None


def test_once_the_frames_have_ended_nothing_can_hang(story):
    next(story.frames)
    story.frames.close()
    assert story.passes(86400, camera_alive=False) is None


class FallsSilent(Camera):
    """Gives one frame, and then hangs until it is let go."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.asked_again, self.released = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        yield next(super().__iter__())
        self.asked_again.set()
        self.released.wait(10)


def test_a_start_that_takes_too_long_is_a_hang():
    clock = Clock()
    starting = Deadline("starting", 300.0, clock)
    clock.now += 300
    assert starting.stalled() is None
    clock.now += 1
    assert starting.stalled() == "starting takes 301 s"


def eventually(come_true):
    deadline = time.monotonic() + 10
    while not come_true() and time.monotonic() < deadline:
        time.sleep(0.005)


class Stuck:
    def stalled(self) -> str | None:
        return "no frame was finished for 31 s"


def test_it_says_that_all_is_well_several_times_in_the_time_it_has():
    said: list[tuple[str, ...]] = []
    with Watchdog(0.2, lambda *states: said.append(states)):
        eventually(lambda: len(said) >= 4)
    assert set(said) == {("WATCHDOG=1",)}
    assert len(said) >= 4


def test_a_hang_is_said_and_the_service_manager_is_asked_to_act_at_once(caplog):
    said: list[tuple[str, ...]] = []
    watchdog = Watchdog(0.1, lambda *states: said.append(states))
    watchdog.watch(Stuck())
    with caplog.at_level(logging.CRITICAL), watchdog:
        eventually(lambda: said)
    assert said == [("STATUS=hanging: no frame was finished for 31 s", "WATCHDOG=trigger")]
    assert "no frame was finished for 31 s" in caplog.text


@pytest.mark.parametrize(
    ("microseconds", "process", "seconds"),
    [
        ("30000000", None, 30.0),
        ("30000000", str(os.getpid()), 30.0),
        ("30000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
    ids=["of the whole service", "ours", "another's", "none", "no number", "not set"],
)
def test_only_a_watchdog_that_is_meant_for_this_process_counts(monkeypatch, microseconds, process, seconds):
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", process)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert watchdog_seconds() == seconds


def test_where_nobody_asks_for_a_watchdog_there_is_no_thread(monkeypatch):
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    before = threading.active_count()
    with Watchdog(send=lambda *_: pytest.fail("nobody asked")):
        assert threading.active_count() == before
