"""A camera that sends no frames, detected by the clock alone."""

from __future__ import annotations

import pytest

from facesecure.camera.health.offline import CameraOffline, duration
from facesecure.camera.sources.outages import Outage
from facesecure.domain.errors import SourceLost


def test_no_picture_for_a_while_is_told_once_with_what_the_source_says() -> None:
    camera = CameraOffline(20.0, began=0.0)
    assert camera.update(5.0, "it refuses the user name or password", 24.0) is None
    change = camera.update(5.0, "it refuses the user name or password", 25.0)
    assert change is not None
    assert (change.over, change.why) == (False, "it refuses the user name or password")
    assert camera.update(5.0, "nothing answers", 600.0) is None


def test_a_camera_that_never_gave_a_picture_and_says_nothing_is_offline_too() -> None:
    change = CameraOffline(20.0, began=100.0).update(None, None, 120.0)
    assert change is not None
    assert change.why == "no picture has come for 20 s"


def test_it_is_back_when_pictures_have_come_for_some_seconds_and_tells_how_long_it_was_away() -> None:
    camera = CameraOffline(20.0, began=0.0)
    camera.update(None, None, 20.0)
    assert camera.update(240.0, None, 240.5) is None
    assert camera.update(243.0, None, 243.5) is None
    change = camera.update(245.9, None, 246.0)
    assert change is not None
    assert (change.over, change.why) == (True, "pictures come again after 4 min without")


def test_a_single_picture_now_and_then_is_not_back() -> None:
    camera = CameraOffline(3.0, began=0.0)
    camera.update(None, None, 3.0)
    reports = [camera.update(float(now // 10 * 10), None, float(now)) for now in range(10, 100)]
    assert reports == [None] * 90


def test_a_hiccup_is_none() -> None:
    camera = CameraOffline(20.0, began=0.0)
    assert [camera.update(float(now // 15 * 15), None, float(now)) for now in range(100)] == [None] * 100


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (89, "89 s"), (700, "12 min"), (10_000, "3 h")])
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def dropping(since: float, losses: int, *, often: bool = True) -> Outage:
    return Outage(since, SourceLost("the stream ended"), losses, often)


def test_a_stream_that_drops_again_and_again_is_reported_once_and_is_back_when_it_holds() -> None:
    camera = CameraOffline(20.0, began=0.0)
    at = [float(second) for second in range(10, 600)]
    reports = [camera.update(now, None, now + 0.1, dropping(10.0, int(now // 3))) for now in at]
    (change,) = [change for change in reports if change]
    assert not change.over
    assert change.why == "the connection drops again and again, 10 times in 20 s: the stream ended"
    back = [camera.update(float(now), None, now + 0.1, None) for now in range(600, 610)]
    assert [change.why for change in back if change] == ["the connection holds, after 10 min in which it did not"]


def test_a_camera_that_drops_after_an_outage_is_not_back_in_between() -> None:
    camera = CameraOffline(20.0, began=0.0)
    assert camera.update(None, "no route", 20.0, dropping(0.0, 1, often=False)) is not None
    for now in range(30, 90):
        assert camera.update(float(now), None, now + 0.1, dropping(0.0, now // 4, often=now > 40)) is None


def test_a_camera_that_was_off_once_more_is_back_after_the_same_few_seconds() -> None:
    camera = CameraOffline(20.0, began=0.0)
    assert camera.update(None, "no route", 20.0, dropping(0.0, 1, often=False)) is not None
    back = [camera.update(now, None, now + 0.1, dropping(0.0, 1, often=False)) for now in (30.0, 33.0, 35.2, 36.0)]
    assert [change is not None for change in back] == [False, False, True, False]


def test_two_losses_are_no_trouble() -> None:
    camera = CameraOffline(20.0, began=0.0)
    assert all(camera.update(float(n), None, n + 0.1, dropping(0.0, 2, often=False)) is None for n in range(1, 60))
