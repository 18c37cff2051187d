import cv2
import numpy as np
import pytest

from facesecure.config import QualityConfig
from facesecure.domain import Box
from facesecure.vision.images.illumination import brightened, illumination_of, surroundings
from facesecure.vision.images.quality import assess, examine
from support.builders import face_at


@pytest.fixture
def crop() -> np.ndarray:
    """An aligned crop with detail at every scale, well lit."""
    rng = np.random.default_rng(3)
    layers = [
        cv2.resize(rng.normal(0, 20, (size, size)), (112, 112), interpolation=cv2.INTER_CUBIC) for size in (5, 20, 60)
    ]
    grey = np.clip(130 + sum(layers), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def grey_of(crop: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)


def lit_from_the_left(crop: np.ndarray, share: float) -> np.ndarray:
    """The right ``share`` of the face in deep shadow."""
    lit = crop.copy()
    edge = round(96 - 80 * share)
    lit[:, edge:] = lit[:, edge:] * 0.05
    return lit


def test_a_well_lit_face_is_left_exactly_as_it_is(crop):
    assert brightened(crop) is crop


@pytest.mark.parametrize("darker", [0.3, 0.1, 0.03])
def test_a_dark_face_is_brought_up_to_the_same_level(crop, darker):
    dark = np.round(crop * darker).astype(np.uint8)
    level = np.exp(np.log(np.maximum(grey_of(brightened(dark))[20:100, 16:96], 1.0)).mean())
    assert level == pytest.approx(60, abs=6)


def test_a_black_picture_stays_black():
    black = np.zeros((112, 112, 3), np.uint8)
    assert not brightened(black).any()


def test_brightening_keeps_order_and_colour(crop):
    dark = np.round(crop * np.array([0.2, 0.1, 0.05])).astype(np.uint8)
    red, green, blue = brightened(dark).reshape(-1, 3).T.astype(int)
    assert (red >= green).all()
    assert (green >= blue).all()


def test_an_evenly_lit_face_keeps_all_of_its_likeness(crop):
    assert illumination_of(grey_of(crop)).shadow < 0.01
    assert illumination_of(grey_of(crop)).kept > 0.99


def test_the_more_lies_in_shadow_the_less_likeness_is_left(crop):
    found = [illumination_of(grey_of(lit_from_the_left(crop, share))) for share in (0, 0.25, 0.5, 0.75)]
    assert [light.shadow for light in found] == pytest.approx([0, 0.25, 0.5, 0.75], abs=0.03)
    kept = [light.kept for light in found]
    assert kept == sorted(kept, reverse=True)
    assert kept[-1] < 0.75


def test_shadow_does_not_depend_on_how_bright_the_whole_is(crop):
    half = lit_from_the_left(crop, 0.5)
    assert illumination_of(grey_of(half)).shadow == pytest.approx(illumination_of(grey_of(half // 2)).shadow, abs=0.02)


def test_a_black_crop_has_no_shadows():
    assert illumination_of(np.zeros((112, 112), np.uint8)).shadow == 0


def test_surroundings_are_what_lies_around_the_box_and_not_the_face():
    image = np.full((200, 200, 3), 240, np.uint8)
    image[80:120, 80:120] = 10
    assert surroundings(image, Box(80, 80, 120, 120)) == pytest.approx(240, abs=1)


def test_a_face_that_fills_the_picture_has_no_surroundings():
    assert surroundings(np.full((50, 50, 3), 90, np.uint8), Box(-5, -5, 60, 60)) == 0


def test_a_box_outside_the_picture_has_no_surroundings():
    assert surroundings(np.full((50, 50, 3), 90, np.uint8), Box(300, 300, 360, 360)) == 0


def test_a_dark_face_before_a_bright_window_is_backlit_and_one_at_night_is_too_dark():
    face = face_at(200, 200, 100)
    night = np.full((400, 400, 3), 8, np.uint8)
    window = np.full((400, 400, 3), 220, np.uint8)
    window[150:250, 150:250] = 8
    reasons = [examine(image, face, QualityConfig()).quality.reasons for image in (night, window)]
    assert any(text.startswith("too dark") for text in reasons[0])
    assert any(text.startswith("backlit") for text in reasons[1])


def test_a_face_that_only_the_light_spoils_says_so(crop):
    half = lit_from_the_left(crop, 0.5)
    quality = assess(half, face_at(200, 200, 150), QualityConfig(min_clarity=0.9, min_sharpness=0))
    assert any(text.startswith("lit from one side, 5") for text in quality.reasons), quality.reasons
    assert not assess(crop, face_at(200, 200, 150), QualityConfig(min_clarity=0.9, min_sharpness=0)).reasons
