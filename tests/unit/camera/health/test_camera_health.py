"""All of a camera's troubles together, and the thread that checks."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

import numpy as np
import pytest

from facesecure.camera.health import CameraEvent, CameraHealth, HealthMonitor, Trouble
from facesecure.camera.sources.outages import Outage
from facesecure.config.schema import HealthConfig
from facesecure.domain import Frame
from facesecure.domain.errors import SourceError
from facesecure.vision.images.frames import RgbImage
from support.camera.scenes import Plane, Sensor, looking, place

PORCH = looking(place(1))
GREY = np.full((180, 320, 3), 90, np.uint8)


class Story:
    """A camera's life in seconds; ``events`` are the reported ones."""

    def __init__(self, **settings: float) -> None:
        self.now = 0.0
        self.events: list[CameraEvent] = []
        self.health = CameraHealth(HealthConfig(**settings), self.events.append, lambda: self.now)
        self._sensor = Sensor()
        self._last: float | None = None

    def shows(self, scene: Plane, seconds: int, frozen: bool = False, every: int = 1) -> None:
        luma = self._sensor.luma(scene)
        for second in range(seconds):
            self._last = self.now  # also the frames between, which are not decoded
            if second % every == 0:
                luma = luma if frozen else self._sensor.luma(scene)
                self.health.observe(Frame(int(self.now), self.now, RgbImage(GREY, luma)))
            self._pass()

    def falls_silent(self, seconds: int, trouble: str | None = None) -> None:
        for _ in range(seconds):
            self._pass(trouble)

    @property
    def reported(self) -> list[tuple[str, bool]]:
        return [(event.trouble.value, event.over) for event in self.events]

    def _pass(self, trouble: str | None = None) -> None:
        self.now += 1
        self.health.check_offline(self._last, trouble)


def test_each_trouble_is_told_and_so_is_its_end() -> None:
    story = Story(frozen=60)
    story.shows(PORCH, 60)
    story.falls_silent(60, "nothing answers on that port")
    story.shows(PORCH, 60)
    story.shows(0 * PORCH, 40)
    story.shows(PORCH, 60)
    story.shows(PORCH, 90, frozen=True)
    story.shows(PORCH, 10)
    story.shows(looking(place(1), 40), 200)
    troubles = ("offline", "covered", "frozen")
    assert story.reported == [(each, over) for each in troubles for over in (False, True)] + [("moved", False)]
    assert story.events[0].why == "nothing answers on that port"
    assert [event.word for event in story.events[:2]] == ["offline", "back"]


def test_each_trouble_is_told_of_a_camera_of_which_only_key_frames_are_decoded() -> None:
    story = Story(frozen=60)
    story.shows(PORCH, 80, every=4)
    story.shows(0 * PORCH, 40, every=4)
    assert story.reported == [("covered", False)]
    story.shows(PORCH, 60, every=4)
    assert story.reported[1:] == [("covered", True)]
    story.shows(PORCH, 90, frozen=True, every=4)
    story.shows(PORCH, 20, every=4)
    assert story.reported[2:] == [("frozen", False), ("frozen", True)]
    story.shows(looking(place(1), 40), 200, every=4)
    assert story.reported[4:] == [("moved", False)]


def test_each_can_be_switched_off() -> None:
    story = Story(offline=0, frozen=0, covered=0, moved=0)
    story.shows(PORCH, 60)
    story.falls_silent(100)
    story.shows(0 * PORCH, 60)
    story.shows(looking(place(1), 40), 200, frozen=True)
    assert story.reported == []


def test_a_camera_is_back_only_when_nothing_ails_it() -> None:
    """Cut off while its lens is covered: being online again is not reported as "back"."""
    story = Story()
    story.shows(PORCH, 60)
    story.shows(0 * PORCH, 30)
    story.falls_silent(30)
    story.shows(0 * PORCH, 30)
    story.shows(PORCH, 30)
    assert [event.word for event in story.events] == ["covered", "offline", "covered", "back"]


def test_a_picture_is_looked_at_once_a_second_however_many_come() -> None:
    class Counted(RgbImage):
        looks = 0

        def luma(self) -> np.ndarray:
            Counted.looks += 1
            return super().luma()

    health = CameraHealth(HealthConfig(), lambda _: None)
    for number in range(300):
        health.observe(Frame(number, number / 30, Counted(GREY)))
    assert Counted.looks <= 2 * 11


def test_events_are_in_the_log_with_fields_for_the_journal(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    story = Story()
    story.falls_silent(30, "no route")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message == "camera offline: no route"
    assert (record.camera_trouble, record.camera_over) == ("offline", False)  # type: ignore[attr-defined]


class Quiet:
    """A camera that sends nothing."""

    heartbeat: float | None = None
    trouble: SourceError | None = SourceError("it refuses the password", "look it up")
    outage: Outage | None = None


def test_the_monitor_notices_silence_without_a_single_frame() -> None:
    events: list[CameraEvent] = []
    health = CameraHealth(HealthConfig(offline=0.05), events.append)
    with HealthMonitor(health, Quiet(), every=0.02):
        deadline = time.monotonic() + 60
        while not events and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [(event.trouble, event.why) for event in events] == [(Trouble.OFFLINE, "it refuses the password")]


def three_frames() -> Iterable[Frame]:
    return [Frame(number, float(number), RgbImage(GREY)) for number in range(3)]


def test_a_failing_opinion_stops_no_frame_and_is_logged_once_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: CameraEvent) -> None:
        raise OSError("disk full")

    class Sick(CameraHealth):
        def observe(self, frame: Frame) -> None:
            raise ZeroDivisionError

    monitor = HealthMonitor(Sick(HealthConfig(), fail), Quiet())
    assert len(list(monitor.watching(three_frames()))) == 3
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_what_ails_the_camera_is_its_trouble_until_it_is_over() -> None:
    class Fine(Quiet):
        trouble = None

    story = Story()
    monitor = HealthMonitor(story.health, Fine())
    story.shows(PORCH, 60)
    assert monitor.trouble is None
    story.shows(0 * PORCH, 30)
    assert "covered: the picture suddenly became dark" in str(monitor.trouble)
    assert "refuses the password" in str(HealthMonitor(story.health, Quiet()).trouble)
    story.shows(PORCH, 10)
    assert monitor.trouble is None


def test_a_recording_is_passed_on_as_it_is() -> None:
    with HealthMonitor(None, Quiet()) as monitor:
        assert [frame.index for frame in monitor.watching(three_frames())] == [0, 1, 2]
