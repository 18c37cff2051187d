"""What people who look at a camera get: the newest picture, made once, and nothing made while nobody looks."""

import threading
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from facesecure.domain import Frame, Verdict, VerdictKind
from facesecure.pipeline.latest_view import PAUSE, LatestView, newest
from facesecure.pipeline.track import Track
from support.builders import NOON, face_at, frame_at


class CountedPixels:
    """Pixels that count how often they are converted."""

    size = (1920, 1080)

    def __init__(self):
        self.conversions = 0

    def rgb(self):
        self.conversions += 1
        return np.full((1080, 1920, 3), 90, np.uint8)

    def luma(self):
        raise AssertionError("nobody needs the brightness")


def counted(index: int = 0) -> Frame:
    return Frame(index, float(index), CountedPixels(), NOON)


def track(**fields) -> Track:
    known = Verdict(VerdictKind.KNOWN, "sure", name="Anna")
    return replace(Track(1, face_at(80, 60, 40), 0.0, 1.0, 1.0, known), **fields)


def test_nothing_is_converted_while_nobody_looks():
    view, frame = LatestView(), counted()
    view.look(frame, [])
    assert frame.pixels.conversions == 0


def test_ten_who_ask_at_once_get_one_picture_that_was_made_once():
    view, frame, got = LatestView(), counted(), []
    view.look(frame, [])
    threads = [threading.Thread(target=lambda: got.append(view.picture(640))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert frame.pixels.conversions == 1
    assert len({id(picture.jpeg) for picture in got}) == 1
    assert cv2.imdecode(np.frombuffer(got[0].jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (360, 640, 3)
    assert got[0].size == (1920, 1080)


def test_at_most_five_pictures_a_second_are_made():
    view, frames = LatestView(), [counted(index) for index in range(30)]
    began = time.monotonic()
    for frame in frames:
        view.look(frame, [])
        view.picture(320)
        time.sleep(0.02)
    most = (time.monotonic() - began) / PAUSE + 1
    assert 2 <= sum(frame.pixels.conversions for frame in frames) <= most


def test_before_the_first_frame_there_is_no_picture():
    assert LatestView().picture(640) is None
    assert newest([(LatestView(), None)], 640, 0.05) is None


def test_a_small_frame_is_not_enlarged():
    view = LatestView()
    view.look(frame_at(0), [])
    assert cv2.imdecode(np.frombuffer(view.picture(1280).jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (240, 320, 3)


def test_boxes_are_fractions_with_what_is_judged_so_far():
    view = LatestView()
    unsure = Verdict(VerdictKind.UNIDENTIFIED, "no usable face")
    lost, gone = track(number=2, last_seen=-1.0), track(number=3, ended=True)
    outside = track(number=4, face=face_at(0, 0, 64), verdict=unsure)
    view.look(frame_at(1), [track(), lost, gone, outside])
    first, second = view.picture(320).boxes
    assert (first.edges, first.verdict, first.name) == ((0.1875, 0.1667, 0.3125, 0.3333), VerdictKind.KNOWN, "Anna")
    assert (second.edges, second.verdict, second.name) == ((0, 0, 0.1, 0.1333), VerdictKind.UNIDENTIFIED, None)


def test_who_has_the_newest_waits_for_the_next():
    view = LatestView()
    view.look(frame_at(0), [])
    seen = view.picture(320).number
    assert newest([(view, seen)], 320, 0.1) is None
    threading.Timer(0.1, view.look, [frame_at(1), []]).start()
    began = time.monotonic()
    _, picture = newest([(view, seen)], 320, 60)
    assert picture.number == seen + 1
    assert time.monotonic() - began < 50, "it is woken, and does not wait for a minute"


def test_a_frame_that_comes_too_soon_after_a_picture_is_given_when_its_time_has_come():
    view = LatestView()
    view.look(frame_at(0), [])
    seen = view.picture(320).number
    threading.Timer(0.05, view.look, [frame_at(1), []]).start()
    _, picture = newest([(view, seen)], 320, 60)
    assert picture.number == seen + 1


def test_of_several_cameras_whichever_has_something_new_is_given():
    bell = threading.Condition()
    door, gate = LatestView(bell), LatestView(bell)
    for view in (door, gate):
        view.look(frame_at(0), [])
    at_door, at_gate = door.picture(320).number, gate.picture(320).number
    threading.Timer(0.3, gate.look, [frame_at(1), []]).start()
    view, _ = newest([(door, at_door), (gate, at_gate)], 320, 60)
    assert view is gate


def test_numbers_that_began_anew_are_not_taken_for_seen():
    view = LatestView()
    view.look(frame_at(0), [])
    assert newest([(view, 4711)], 320, 0)[1].number == 1


def test_a_camera_counts_as_watched_while_somebody_asks(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    view = LatestView()
    assert not view.watched
    view.watch()
    assert view.watched
    now += 4
    assert not view.watched


def test_the_frame_loop_is_not_held_while_a_picture_is_made():
    view, release = LatestView(), threading.Event()

    class Slow(CountedPixels):
        def rgb(self):
            release.wait(60)
            return super().rgb()

    view.look(Frame(0, 0.0, Slow(), NOON), [])
    asking = threading.Thread(target=view.picture, args=(320,))
    asking.start()
    began = time.monotonic()
    for index in range(1, 1000):
        view.look(frame_at(index), [])
    took = time.monotonic() - began
    release.set()
    asking.join()
    assert took < 50, "held up, it takes a minute"


@pytest.mark.parametrize("width", [320, 1280])
def test_a_picture_that_nobody_wants_any_more_is_dropped(monkeypatch, width):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    view = LatestView()
    view.look(frame_at(0), [])
    view.picture(640)
    now += 10
    view.look(frame_at(1), [])
    view.picture(width)
    assert set(view._pictures) == {width}
