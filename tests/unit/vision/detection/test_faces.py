from __future__ import annotations

import numpy as np
import pytest

from facesecure.vision.detection.boxes import make_faces, require_rgb

BOXES = np.array([[0, 0, 10, 10], [0, 0, 30, 30], [-5, -5, 15, 15]], np.float32)
POINTS = np.ones((3, 5, 2), np.float32)


def test_faces_come_largest_first_with_their_own_landmarks_and_scores():
    points = np.arange(3, dtype=np.float32)[:, None, None] * POINTS
    faces = make_faces(BOXES, points, np.array([0.1, 0.2, 0.3], np.float32))
    assert [face.box.width for face in faces] == [30, 20, 10]
    assert [face.landmarks[0, 0] for face in faces] == [1, 2, 0]
    assert [face.confidence for face in faces] == pytest.approx([0.2, 0.3, 0.1])


def test_faces_of_equal_size_stay_in_the_order_given():
    same = np.array([[0, 0, 9, 9], [50, 0, 59, 9], [20, 0, 29, 9]], np.float32)
    assert [face.box.left for face in make_faces(same, POINTS, np.full(3, 0.9, np.float32))] == [0, 50, 20]


@pytest.mark.parametrize("spoil", ["box", "flat", "points", "score"])
def test_what_makes_no_sense_is_left_out(spoil):
    boxes, points, scores = BOXES.copy(), POINTS.copy(), np.full(3, 0.9, np.float32)
    if spoil == "box":
        boxes[1, 2] = np.inf
    elif spoil == "flat":
        boxes[1, 2] = boxes[1, 0]
    elif spoil == "points":
        points[1, 3, 0] = np.nan
    else:
        scores[1] = np.nan
    assert [face.box.width for face in make_faces(boxes, points, scores)] == [20, 10]


def test_scores_are_held_to_zero_and_one():
    faces = make_faces(BOXES, POINTS, np.array([1.0000001, -0.1, 0.5], np.float32))
    assert sorted(face.confidence for face in faces) == [0, 0.5, 1]


def test_what_is_not_an_array_is_refused():
    with pytest.raises(ValueError, match="not list"):
        require_rgb([[1, 2, 3]])
