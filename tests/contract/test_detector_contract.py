"""The contract of every detector, including the fake."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from facesecure.config import DetectorConfig
from facesecure.domain import Face
from facesecure.domain.interfaces import Detector
from facesecure.vision.detection.factory import DEFAULT_CONFIDENCE, build_detector
from facesecure.vision.detection.scripted import ScriptedDetector
from facesecure.vision.detection.yunet import FILE
from support.faces import NAMES, YUNET_DIR, empty_scene, on_canvas, only, portrait, scaled, swapped

Build = Callable[[list[Face]], Detector]
REAL = ("mtcnn", "haar", "yunet")
AS_IN_2020 = "haar-2020"  # sometimes takes folds of cloth for faces, as the original did


def real(name: str) -> Detector:
    kind = name.split("-")[0]
    if kind == "yunet" and not (YUNET_DIR / FILE).is_file():
        pytest.skip("YuNet is in the research data folder ../shared/data, which is not on this machine")
    preset = "pisecurehome" if name == AS_IN_2020 else "default"
    config = DetectorConfig(kind=kind, preset=preset, confidence=DEFAULT_CONFIDENCE[kind])
    return build_detector(config, models_dir=YUNET_DIR)


@pytest.fixture(scope="module", params=REAL)
def detector(request: pytest.FixtureRequest) -> Detector:
    return real(request.param)


@pytest.fixture(scope="module", params=[*REAL, AS_IN_2020, "scripted"])
def build(request: pytest.FixtureRequest) -> Build:
    """Return a detector for images with these faces; only the fake needs them."""
    if request.param == "scripted":
        return lambda faces: ScriptedDetector([faces])
    made = real(request.param)
    return lambda faces: made


@pytest.fixture(scope="module")
def known_faces() -> dict[str, list[Face]]:
    return {name: list(real("mtcnn").detect(portrait(name))) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_portrait_has_one_face_with_its_landmarks_where_they_belong(build, known_faces, name):
    face = only(list(build(known_faces[name]).detect(portrait(name))))
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert (face.landmarks > (face.box.left, face.box.top)).all()
    assert (face.landmarks < (face.box.right, face.box.bottom)).all()
    assert face.confidence > 0.9


def test_an_empty_scene_has_no_faces(build):
    assert list(build([]).detect(empty_scene())) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (7, 7), (12, 12), (23, 50)])
def test_a_picture_too_small_for_a_face_has_none(build, shape):
    assert list(build([]).detect(np.full((*shape, 3), 90, np.uint8))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((40, 40), np.uint8),
        np.zeros((40, 40, 4), np.uint8),
        np.zeros((40, 40, 3), np.float32),
        np.zeros((40, 40, 3), np.uint16),
        np.zeros((0, 40, 3), np.uint8),
        np.zeros((2, 40, 40, 3), np.uint8),
    ],
    ids=["grey", "RGBA", "float", "16 bit", "no pixels", "a batch"],
)
def test_what_is_not_uint8_rgb_is_refused_and_says_so(build, wrong):
    with pytest.raises(ValueError, match="uint8 RGB"):
        build([]).detect(wrong)


def test_the_picture_is_not_written_to_and_need_not_be_contiguous(build, known_faces):
    wide = np.zeros((*portrait().shape[:2], 4), np.uint8)
    wide[..., :3] = portrait()
    view = wide[..., :3]
    assert not view.flags.c_contiguous
    before = view.copy()
    assert len(build(known_faces["eileen_collins"]).detect(view)) == 1
    assert np.array_equal(view, before)


def test_the_same_picture_gives_the_same_faces_whatever_came_between(detector):
    picture = on_canvas(portrait(), 30, 100)
    first = only(list(detector.detect(picture)))
    detector.detect(empty_scene(333, 217))
    second = only(list(detector.detect(picture)))
    assert first.box == second.box
    assert first.confidence == second.confidence
    assert np.array_equal(first.landmarks, second.landmarks)


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.4])
@pytest.mark.parametrize("place", [(0, 0), (307, 41)])
def test_landmarks_move_and_grow_with_the_face(detector, factor, place):
    at_home = only(list(detector.detect(on_canvas(portrait(), 200, 150)))).landmarks - (200, 150)
    face = only(list(detector.detect(on_canvas(scaled(portrait(), factor), *place))))
    expected = at_home * factor + place
    off = np.abs(face.landmarks - expected).max() / face.eye_distance
    assert off < 0.2, f"landmarks are off by {off:.2f} of the distance between the eyes"


def test_two_faces_come_largest_first(detector):
    small, large = scaled(portrait("grace_hopper"), 0.4), scaled(portrait("eileen_collins"), 1.3)
    picture = on_canvas(small, 10, 10)
    picture[20 : 20 + large.shape[0], 400 : 400 + large.shape[1]] = large
    faces = list(detector.detect(picture))
    assert len(faces) == 2
    assert faces[0].box.area > faces[1].box.area
    assert faces[0].box.centre[0] > 400 > faces[1].box.centre[0]


@pytest.mark.parametrize("name", NAMES)
def test_red_and_blue_exchanged_make_a_face_less_of_a_face(detector, name):
    right = only(list(detector.detect(portrait(name))))
    wrong = only(list(detector.detect(swapped(portrait(name)))))
    assert wrong.confidence < right.confidence


def test_a_grey_face_is_a_face(detector):
    grey = np.ascontiguousarray(np.repeat(portrait()[:, :, 1:2], 3, axis=2))
    assert only(list(detector.detect(grey))).confidence > 0.6


def test_a_face_cut_by_the_edge_does_no_harm(detector):
    for cut in (portrait()[:, 215:], portrait()[110:], portrait()[:, :215], portrait()[:130]):
        for face in detector.detect(np.ascontiguousarray(cut)):
            assert 0 <= face.confidence <= 1


def test_a_picture_of_twenty_megapixels_is_searched_too(detector):
    face = only(list(detector.detect(on_canvas(scaled(portrait(), 9), 200, 50, 5400, 3900))))
    assert face.box.width > 600
