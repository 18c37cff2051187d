import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.vision.images import align


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points @ rotation.T * scale + shift).astype(np.float32)


def test_the_alignment_that_the_cards_name_is_the_published_arcface_template():
    """Eyes, nose and mouth corners of the ArcFace reference code; every bundled model was trained on crops so made."""
    assert align.ALIGNMENT == "arcface-112-v1"
    published = [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
    np.testing.assert_allclose(align.TEMPLATE, published, atol=1e-3)


@given(st.floats(-80, 80), st.floats(0.2, 8), st.floats(-500, 500), st.floats(-500, 500))
def test_any_turned_scaled_and_shifted_template_is_taken_back_to_the_template(degrees, scale, x, y):
    landmarks = turned(align.TEMPLATE, degrees, scale, (x, y))
    matrix = align.similarity(landmarks)
    back = landmarks @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, align.TEMPLATE, atol=0.05)


def test_the_transform_never_mirrors_a_face():
    mirrored = align.TEMPLATE.copy()
    mirrored[:, 0] = 112 - mirrored[:, 0]
    matrix = align.similarity(mirrored)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_landmarks_that_coincide_are_refused():
    with pytest.raises(ValueError, match="coincide"):
        align.similarity(np.full((5, 2), 7, np.float32))


def dots(landmarks: np.ndarray, size: int, radius: int) -> np.ndarray:
    """A black picture with a differently coloured dot at each landmark."""
    image = np.zeros((size, size, 3), np.uint8)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]
    for (x, y), colour in zip(landmarks, colours, strict=True):
        cv2.circle(image, (round(float(x)), round(float(y))), radius, colour, -1)
    return image


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 5.0, 9.0])
def test_each_landmark_lands_on_its_place_in_the_template_at_any_size(scale):
    landmarks = turned(align.TEMPLATE, 10, scale, (80, 60))
    crop = align.crop(dots(landmarks, 1400, max(1, round(3 * scale))), landmarks)
    colours = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)])
    for (x, y), colour in zip(align.TEMPLATE, colours, strict=True):
        ys, xs = np.nonzero((np.abs(crop.astype(int) - colour) < 100).all(axis=2))
        assert np.hypot(xs.mean() - x, ys.mean() - y) < 0.6 + 0.5 / scale  # dots sit on whole pixels


def test_a_large_face_is_averaged_down_and_does_not_alias():
    checks = np.indices((1600, 1600)).sum(0) % 2 * 255
    image = np.repeat(checks[..., None], 3, axis=2).astype(np.uint8)
    crop = align.crop(image, turned(align.TEMPLATE, 0, 10, (200, 200)))
    assert crop.std() < 12
    assert 110 < crop.mean() < 145


def test_what_lies_outside_the_picture_is_black():
    image = np.full((200, 200, 3), 200, np.uint8)
    crop = align.crop(image, turned(align.TEMPLATE, 0, 1, (-56, 0)))
    assert (crop[:, :50] == 0).all()
    assert (crop[:, 60:] == 200).all()


def test_a_face_wholly_outside_a_picture_gives_a_black_crop():
    image = np.full((50, 50, 3), 200, np.uint8)
    assert (align.crop(image, turned(align.TEMPLATE, 0, 5, (900, 900))) == 0).all()
