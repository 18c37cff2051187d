import cv2
import numpy as np
import pytest

from facesecure.config import QualityConfig
from facesecure.domain import Face
from facesecure.vision.images.align import TEMPLATE
from facesecure.vision.images.quality import ENROLMENT, assess, clarity, examine, pose, sharpness, view_score
from support.builders import face_at


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    """A picture with detail at every scale, as a face has."""
    rng = np.random.default_rng(3)
    layers = [
        cv2.resize(rng.normal(0, 30, (size, size)), (400, 400), interpolation=cv2.INTER_CUBIC)
        for size in (5, 20, 80, 200)
    ]
    grey = np.clip(120 + sum(layers), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def judged(image: np.ndarray, face: Face | None = None, floors: QualityConfig | None = None):
    return examine(image, face or face_at(200, 200, 150), floors or QualityConfig()).quality


def test_a_clear_face_is_usable_and_has_no_reasons(texture):
    quality = judged(texture)
    assert quality.usable, quality.reasons


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda image: cv2.GaussianBlur(image, (0, 0), 12), "blurred"),
        (lambda image: (image * 0.1).astype(np.uint8), "too dark"),
        (lambda image: np.clip(image.astype(int) + 160, 0, 255).astype(np.uint8), "too bright"),
        (lambda image: (120 + (image - 120.0) * 0.1).astype(np.uint8), "too little contrast"),
    ],
)
def test_a_spoilt_picture_is_refused_for_its_own_reason(texture, spoil, reason):
    quality = judged(spoil(texture))
    assert not quality.usable
    assert any(reason in text for text in quality.reasons), quality.reasons


def test_a_small_face_says_how_small_it_is(texture):
    quality = judged(texture, face_at(200, 200, 30))
    assert any(text.startswith("too small: 9.4 pixels") for text in quality.reasons), quality.reasons


def test_a_reason_never_gives_the_value_and_its_limit_as_the_same_number(texture):
    quality = judged(texture, face_at(200, 200, 150, confidence=0.8997), QualityConfig(min_confidence=0.9))
    assert any("confidence 0.8997, 0.9 needed" in text for text in quality.reasons), quality.reasons


def test_an_unsure_detection_is_not_surely_a_face(texture):
    quality = judged(texture, face_at(200, 200, 150, confidence=0.5), QualityConfig(min_confidence=0.9))
    assert any("not surely a face" in text for text in quality.reasons)


def test_enrolment_is_stricter_than_watching(texture):
    soft = cv2.GaussianBlur(texture, (0, 0), 5)
    assert judged(soft).usable
    assert not judged(soft, floors=ENROLMENT).usable


def test_sharpness_does_not_depend_on_contrast(texture):
    grey = cv2.cvtColor(texture[:112, :112], cv2.COLOR_RGB2GRAY)
    faint = (120 + (grey.astype(float) - 120) * 0.5).astype(np.uint8)
    assert sharpness(faint) == pytest.approx(sharpness(grey), rel=0.15)


def test_sharpness_of_a_blank_wall_is_nothing():
    assert sharpness(np.full((112, 112), 90, np.uint8)) == 0


def test_a_frontal_face_has_no_yaw_and_a_turned_nose_has():
    assert abs(pose(TEMPLATE)[0]) < 0.1
    turned = TEMPLATE.copy()
    turned[2, 0] += 16
    assert pose(turned)[0] > 0.5


def test_a_tilted_head_has_roll_and_not_yaw():
    angle = np.radians(30)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    yaw, _, roll = pose((TEMPLATE @ rotation.T).astype(np.float32))
    assert roll == pytest.approx(30, abs=1)
    assert abs(yaw) < 0.1


def test_a_profile_is_turned_away(texture):
    face = face_at(200, 200, 150)
    landmarks = face.landmarks.copy()
    landmarks[2, 0] += 40
    quality = judged(texture, Face(face.box, landmarks, 0.99))
    assert any("turned away" in text for text in quality.reasons)


def test_a_larger_face_is_a_better_view():
    assert view_score(face_at(0, 0, 200)) > view_score(face_at(0, 0, 100))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda crop: cv2.GaussianBlur(crop, (0, 0), 3),
        lambda crop: cv2.blur(crop, (21, 1)),
        lambda crop: cv2.blur(crop, (1, 21)),
        lambda crop: (120 + (crop - 120.0) * 0.05).astype(np.uint8),
    ],
)
def test_defocus_movement_in_any_direction_and_darkness_take_clarity_away(texture, spoil):
    face = face_at(200, 200, 150)
    crop = examine(texture, face, QualityConfig()).image
    clear, spoilt = (assess(picture, face, QualityConfig()).clarity for picture in (crop, spoil(crop)))
    assert clear > 0.9
    assert spoilt < 0.9 * clear


def test_a_smaller_face_keeps_less_of_its_likeness():
    kept = [clarity(1.0, eye_distance, 45) for eye_distance in (5, 8, 12, 20, 40)]
    assert kept == sorted(kept)
    assert kept[0] < 0.6 < 0.95 < kept[-1] <= 1


def test_movement_is_seen_that_a_laplacian_would_not_see(texture):
    grey = cv2.cvtColor(texture[:112, :112], cv2.COLOR_RGB2GRAY)
    smeared, defocused = cv2.blur(grey, (11, 1)), cv2.GaussianBlur(grey, (0, 0), 1.5)
    laplacian = [cv2.Laplacian(picture.astype(np.float32), cv2.CV_32F).var() for picture in (smeared, defocused)]
    assert laplacian[0] > laplacian[1]
    assert sharpness(smeared) < sharpness(defocused)


def test_what_every_single_measure_lets_pass_may_still_be_too_unclear(texture):
    soft = cv2.GaussianBlur(texture, (0, 0), 4)
    strict = QualityConfig(min_clarity=0.95, min_sharpness=0.0)
    assert any("too unclear" in text for text in judged(soft, floors=strict).reasons)
