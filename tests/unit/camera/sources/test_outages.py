"""Outages of a live source: what is logged, and when they are over."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from facesecure.camera.capture import LatestFrame
from facesecure.camera.health import CameraEvent, CameraHealth, HealthMonitor, Trouble
from facesecure.camera.sources.factory import open_source
from facesecure.camera.sources.outages import OutageLog
from facesecure.config import CameraConfig, HealthConfig
from facesecure.domain.errors import SourceError, SourceLost
from support.camera.relay import CuttingRelay
from support.camera.rtsp import RtspCamera, unavailable

LOST = SourceLost("rtsp://porch ended its stream")


class Story:
    """A camera whose time is told; it gives four frames a second."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.changes: list[SourceError | None] = []
        self.outages = OutageLog("rtsp://porch", self.changes.append, lambda: self.now)

    def works(self, seconds: float) -> None:
        for _ in range(round(4 * seconds)):
            self.now += 0.25
            self.outages.frame_came()

    def fails(self, seconds: float, error: SourceError = LOST) -> None:
        self.outages.failed(error)
        self.now += seconds


@pytest.fixture
def story(caplog: pytest.LogCaptureFixture) -> Story:
    caplog.set_level(logging.INFO)
    return Story()


def test_a_loss_is_over_when_the_stream_has_held_for_some_seconds(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    story.works(3600)
    story.fails(60)
    story.works(4)
    assert story.outages.current is None
    assert story.outages.outage is not None
    story.works(2)
    assert story.outages.outage is None
    assert [record.message for record in caplog.records] == [
        "rtsp://porch ended its stream (no hint)",
        "rtsp://porch is back after 60 s",
    ]
    assert story.changes == [LOST, None]


@pytest.mark.parametrize("lasts", [1, 3, 8, 15, 25, 40])
def test_an_hour_of_a_stream_that_drops_every_few_seconds_takes_a_few_lines(
    story: Story, caplog: pytest.LogCaptureFixture, lasts: int
) -> None:
    while story.now < 4600:
        story.works(lasts)
        story.fails(1)
    assert len(caplog.records) <= 6
    assert sum("porch drops again and again: lost" in record.message for record in caplog.records) == 1
    assert sum("still drops again and again" in record.message for record in caplog.records) in (1, 2)
    assert story.outages.outage is not None
    assert story.outages.outage.dropping
    story.works(61)
    assert story.outages.outage is None
    assert "times meanwhile" in caplog.records[-1].message
    assert story.changes[-1] is None


def test_errors_that_take_turns_are_logged_once_each(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    story.works(10)
    for number in range(200):
        story.fails(1, (LOST, SourceError("no route to host"), SourceError("refused"))[number % 3])
    assert len(caplog.records) == 3


def test_errors_that_are_worded_anew_each_time_do_not_fill_the_log(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1000):
        story.fails(1, SourceError(f"answer {number}"))
    assert len(caplog.records) < 10


def test_a_camera_that_is_off_for_long_does_not_drop(story: Story) -> None:
    story.works(3600)
    for _ in range(100):
        story.fails(30)
    assert story.outages.outage is not None
    assert (story.outages.outage.losses, story.outages.outage.dropping) == (1, False)


def test_losses_of_long_ago_do_not_make_the_next_one_last(story: Story) -> None:
    for _ in range(20):
        story.works(1200)
        story.fails(1)
        story.works(6)
        assert story.outages.outage is None


@pytest.mark.slow
@pytest.mark.rtsp
def test_a_camera_whose_connection_is_cut_every_two_seconds_is_one_alert_and_its_end_is_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    if why := unavailable():
        pytest.skip(why)
    caplog.set_level(logging.INFO)
    events: list[CameraEvent] = []
    with RtspCamera() as camera, CuttingRelay(camera.port, 2.0) as relay:
        source = open_source(camera.url.replace(f":{camera.port}", f":{relay.port}"), CameraConfig(timeout=10.0))
        health = CameraHealth(HealthConfig(offline=15.0), events.append)
        with LatestFrame(source) as latest, HealthMonitor(health, latest):
            frames = iter(latest)
            _until(frames, lambda: relay.cuts >= 4 and len(events) > 0)
            again = relay.cuts + 3
            _until(frames, lambda: relay.cuts >= again)
            assert [(event.trouble, event.over) for event in events] == [(Trouble.OFFLINE, False)]
            assert "the connection drops again and again" in events[0].why
            relay.seconds = None
            _until(frames, lambda: len(events) > 1)
    assert [event.over for event in events] == [False, True]
    own = [record for record in caplog.records if record.name.startswith("facesecure")]
    assert len(own) <= 10
    assert sum("drops again and again: lost 3 times" in record.message for record in own) == 1


def _until(frames: Iterator[object], done: object) -> None:
    """Read frames until ``done``; a machine that is slow gets its time."""
    deadline = time.monotonic() + 150
    while not done():  # type: ignore[operator]
        next(frames)
        assert time.monotonic() < deadline
