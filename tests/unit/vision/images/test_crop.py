import numpy as np
import pytest

from facesecure.domain import Box
from facesecure.vision.images.align import square_crop


@pytest.fixture
def image() -> np.ndarray:
    """Red says how far right a pixel is, green how far down; nothing in it is black."""
    rows, columns = np.mgrid[0:240, 0:320]
    return np.stack([columns * 0.7 + 10, rows * 0.9 + 10, np.full_like(rows, 200)], axis=-1).astype(np.uint8)


def colour(column: float, row: float) -> np.ndarray:
    return np.array([column * 0.7 + 10, row * 0.9 + 10, 200])


def test_a_face_comes_with_as_much_around_it_as_the_margin_says(image):
    crop = square_crop(image, Box(140, 100, 180, 140), margin=0.25, size=(60, 60))
    np.testing.assert_array_equal(crop, image[90:150, 130:190])


def test_the_longer_side_of_the_box_decides_and_nothing_is_stretched(image):
    crop = square_crop(image, Box(150, 100, 170, 140), margin=0.0, size=(40, 40))
    np.testing.assert_array_equal(crop, image[100:140, 140:180])


def test_a_wide_crop_shows_more_at_the_sides(image):
    crop = square_crop(image, Box(140, 100, 180, 140), margin=0.0, size=(40, 60))
    np.testing.assert_array_equal(crop, image[100:140, 130:190])


@pytest.mark.parametrize("side", [24, 224])
def test_the_middle_of_the_face_stays_in_the_middle_at_any_size(image, side):
    crop = square_crop(image, Box(120, 80, 200, 160), margin=0.2, size=(side, side))
    assert crop.shape == (side, side, 3)
    assert crop.dtype == np.uint8
    half = side // 2
    middle = crop[half - 1 : half + 1, half - 1 : half + 1].mean(axis=(0, 1))
    np.testing.assert_allclose(middle, colour(159.5, 119.5), atol=1.5)


def test_a_large_face_is_averaged_down_and_not_thinned_out():
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    crop = square_crop(stripes, Box(0, 0, 400, 400), margin=0.0, size=(50, 50))
    assert abs(int(crop.min()) - 100) <= 1
    assert abs(int(crop.max()) - 100) <= 1


def test_what_lies_outside_the_picture_is_black(image):
    crop = square_crop(image, Box(-20, -20, 20, 20), margin=0.0, size=(40, 40))
    assert not crop[:20].any()
    assert not crop[:, :20].any()
    np.testing.assert_array_equal(crop[20:, 20:], image[:20, :20])


def test_a_face_that_is_nowhere_in_the_picture_is_all_black(image):
    assert not square_crop(image, Box(400, 400, 440, 440), margin=0.5, size=(32, 32)).any()
    assert not square_crop(image, Box(-99, -99, -60, -60), margin=0.0, size=(32, 32)).any()


def test_a_margin_below_nothing_and_an_empty_size_are_refused(image):
    for margin, size in ((-0.1, (32, 32)), (float("nan"), (32, 32)), (0.1, (0, 32))):
        with pytest.raises(ValueError, match="a crop needs"):
            square_crop(image, Box(10, 10, 50, 50), margin=margin, size=size)
