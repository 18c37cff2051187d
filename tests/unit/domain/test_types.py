"""Domain types reject wrong shapes and values where they are made."""

from datetime import datetime

import numpy as np
import pytest

from facesecure.domain import AlignedFace, Box, Face, Frame, Recognition, Sighting, Verdict, VerdictKind
from facesecure.vision.images.frames import RgbImage
from support.builders import NOON, face_at, frame_at, quality


@pytest.mark.parametrize(
    "make",
    [
        lambda: Box(10, 10, 10, 20),
        lambda: Box(float("nan"), 0, 1, 1),
        lambda: Face(Box(0, 0, 1, 1), np.zeros((4, 2), np.float32), 0.9),
        lambda: Face(Box(0, 0, 1, 1), np.zeros((5, 2), np.float64), 0.9),
        lambda: Face(Box(0, 0, 1, 1), np.zeros((5, 2), np.float32), 1.1),
        lambda: AlignedFace(np.zeros((160, 160, 3), np.uint8), quality()),
        lambda: AlignedFace(np.zeros((112, 112, 3), np.float32), quality()),
        lambda: Frame(-1, 0.0, RgbImage(np.zeros((2, 2, 3), np.uint8))),
        lambda: Frame(0, 0.0, RgbImage(np.zeros((2, 2, 3), np.uint8)), datetime(2026, 1, 1)),
        lambda: Verdict(VerdictKind.KNOWN, "because"),
        lambda: Verdict(VerdictKind.STRANGER, "because", name="Tom"),
        lambda: Verdict(VerdictKind.STRANGER, ""),
        lambda: Sighting("", Verdict(VerdictKind.STRANGER, "b"), "door", NOON, NOON),
        lambda: RgbImage(np.zeros((2, 2), np.uint8)),
    ],
)
def test_what_makes_no_sense_cannot_be_made(make):
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        make()


def test_people_are_ranked_by_score_and_ties_by_name():
    ranked = Recognition({"Zoe": 0.5, "Anna": 0.5, "Tom": 0.7}).ranked()
    assert [name for name, _ in ranked] == ["Tom", "Anna", "Zoe"]


def test_the_eye_distance_is_measured_between_the_eyes():
    assert face_at(50, 50, 112).eye_distance == pytest.approx(35.24, abs=0.1)


def test_a_frame_gives_its_picture_in_colour_and_in_brightness():
    image = np.zeros((4, 6, 3), np.uint8)
    image[..., 1] = 255
    frame = frame_at(0, image=image)
    assert frame.image.shape == (4, 6, 3)
    assert frame.luma.shape == (4, 6)
    assert frame.luma[0, 0] == 150  # green is 0.587 of brightness
