"""Figures: painted into a scene at the requested place and size."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.camera.synthetic.clip import figure_of
from facesecure.camera.synthetic.figure import Degradation, Figure, Pose, bust_mask, face_box
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER


@pytest.fixture(scope="module")
def figure() -> Figure:
    return figure_of(EILEEN_COLLINS)


def _grey_frame() -> np.ndarray:
    return np.full((360, 640, 3), 128, np.uint8)


def test_a_frontal_face_gets_the_place_and_the_width_asked_for(figure: Figure) -> None:
    box = figure.box_at(Pose((300, 150), 80))
    assert box.width == pytest.approx(80)
    assert box.centre == pytest.approx((300, 150))


def test_a_turned_face_is_narrower_and_as_high(figure: Figure) -> None:
    frontal, turned = figure.box_at(Pose((300, 150), 80)), figure.box_at(Pose((300, 150), 80, yaw=0.8))
    assert turned.width < 0.8 * frontal.width
    assert turned.height == pytest.approx(frontal.height, rel=0.15)


def test_painting_changes_the_face_and_leaves_the_far_corner(figure: Figure) -> None:
    frame = _grey_frame()
    figure.paint(frame, Pose((200, 100), 60))
    assert (frame[80:120, 180:220] != 128).any(2).mean() > 0.9
    assert (frame[:, 500:] == 128).all()


def test_a_figure_outside_the_picture_paints_nothing(figure: Figure) -> None:
    frame = _grey_frame()
    figure.paint(frame, Pose((-900, 100), 60))
    assert (frame == 128).all()


def test_defocus_takes_detail_away(figure: Figure) -> None:
    sharp, soft = _grey_frame(), _grey_frame()
    figure.paint(sharp, Pose((300, 150), 100))
    figure.paint(soft, Pose((300, 150), 100), Degradation(defocus=8))
    assert np.diff(soft.astype(int), axis=1).std() < 0.4 * np.diff(sharp.astype(int), axis=1).std()


def test_a_head_turned_to_the_right_takes_the_nose_to_the_right() -> None:
    figure = figure_of(GRACE_HOPPER)
    frames = [_grey_frame() for _ in range(2)]
    for frame, turned in zip(frames, (figure, figure.turned(0.4)), strict=True):
        turned.paint(frame, Pose((320, 180), 150))
    middle, moved = (frame[170:220, 260:380].astype(float).mean(2) for frame in frames)
    shifts = [np.abs(middle[:, 30:90] - moved[:, 30 + by : 90 + by]).mean() for by in range(-30, 31)]
    assert np.argmin(shifts) - 30 > 5


def test_an_untraced_photo_is_cut_around_the_head_and_not_the_corners() -> None:
    eyes = np.array([(104, 112), (147, 112), (126, 136), (107, 155), (145, 155)], np.float32)
    mask = bust_mask((250, 250), eyes)
    box = face_box(eyes)
    assert mask[round(box.top) : round(box.bottom), round(box.left) : round(box.right)].min() > 127
    assert mask[:20, :20].max() == 0
