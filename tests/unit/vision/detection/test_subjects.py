"""The detector of people, animals and vehicles: its anchors, its boxes, and what it finds in real images."""

import numpy as np
import pytest

from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.domain import Box, Subject
from facesecure.vision.detection import subjects
from facesecure.vision.detection.subjects import Detection, SubjectDetector, anchors, decoded, subject_of
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.model_card import load_model


@pytest.fixture(scope="module")
def detector() -> SubjectDetector:
    return SubjectDetector(load_model(subjects.MODEL))


def test_each_box_of_the_network_has_an_anchor():
    assert anchors().shape == (1917, 4)
    assert load_model(subjects.MODEL).card.outputs[0].shape == (1, 1917, 4)


def test_the_first_anchor_of_a_layer_lies_in_the_middle_of_its_cell():
    np.testing.assert_allclose(anchors()[0], [0.5 / 19, 0.5 / 19, 0.1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(anchors()[-6], [0.5, 0.5, 0.95, 0.95], rtol=1e-6)


def test_a_code_of_zero_is_the_anchor_itself():
    code, anchor = np.zeros(4, np.float32), np.array([0.5, 0.25, 0.4, 0.2], np.float32)
    np.testing.assert_allclose(decoded(code, anchor), (0.15, 0.3, 0.35, 0.7), rtol=1e-6)


def test_a_code_moves_and_enlarges_the_anchor():
    code = np.array([5.0, -5.0, 0.0, 5 * np.log(2)], np.float32)
    anchor = np.array([0.5, 0.5, 0.2, 0.2], np.float32)
    np.testing.assert_allclose(decoded(code, anchor), (0.2, 0.5, 0.6, 0.7), rtol=1e-5)


def test_every_label_that_is_looked_for_is_on_the_card():
    labels = load_model(subjects.MODEL).card.labels
    assert labels is not None
    assert set().union(*subjects.LABELS.values()) <= set(labels)


def test_each_kind_is_answered_surest_first(detector):
    found = detector.detect(np.full((90, 160, 3), 127, np.uint8))
    assert {one.subject for one in found} == {Subject.PERSON, Subject.ANIMAL, Subject.VEHICLE}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found[0].score < 0.3


def test_a_coat_is_a_person_also_after_the_memory_was_freed(detector):
    coat = GRACE_HOPPER.image()[300:]
    first = detector.detect(coat)
    assert subject_of(first).subject is Subject.PERSON
    detector.release()
    assert detector.detect(coat) == first


def found(**scores: float) -> list[Detection]:
    """Detections that all lie in one place."""
    return [Detection(kind, scores.get(kind, 0.05), Box(0, 0, 50, 90)) for kind in subjects.LABELS]


@pytest.mark.parametrize(
    ("scores", "subject"),
    [
        ({}, None),
        ({"person": 0.39}, None),
        ({"person": 0.41}, "person"),
        ({"person": 0.45, "animal": 0.44}, "person"),
        ({"person": 0.45, "animal": 0.46}, "animal"),
        ({"person": 0.3, "animal": 0.8}, "animal"),
        ({"person": 0.41, "vehicle": 0.9}, "person"),
        ({"vehicle": 0.49}, None),
        ({"vehicle": 0.51}, "vehicle"),
    ],
    ids=str,
)
def test_what_is_surest_counts_and_a_person_before_a_vehicle(scores, subject):
    best = subject_of(found(**scores))
    assert (best.subject if best else None) == subject


def test_a_person_beside_a_surer_dog_counts():
    person, animal, vehicle = (one for one in found(person=0.5, animal=0.8))
    beside = Detection(Subject.ANIMAL, 0.8, Box(60, 50, 100, 90))
    assert subject_of([person, animal, vehicle]).subject is Subject.ANIMAL
    assert subject_of([person, beside, vehicle]) == person


@pytest.mark.parametrize("region", [None, Box(-20, -20, 400, 400), Box(150, 80, 151, 81), Box(500, 500, 600, 600)])
def test_boxes_lie_in_the_image_whatever_the_region(detector, region):
    image = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    for found in detector.detect(image, region):
        assert 0 <= found.box.left < found.box.right <= 161
        assert 0 <= found.box.top < found.box.bottom <= 91


def test_a_dog_is_an_animal_where_it_is(detector, shared_data):
    photo = read_photo(shared_data / "negatives/pets/hard/dog.343.jpg")
    best = detector.detect(photo)[0]
    assert best.subject is Subject.ANIMAL
    assert best.score > 0.7


def test_a_box_is_in_pixels_of_the_whole_image(detector, shared_data):
    photo = read_photo(shared_data / "negatives/pets/hard/dog.343.jpg")
    height, width = photo.shape[:2]
    larger = np.full((2 * height, 2 * width, 3), 127, np.uint8)
    larger[height:, width:] = photo
    alone, beside = (
        detector.detect(image, region)[0]
        for image, region in ((photo, None), (larger, Box(width, height, 2 * width, 2 * height)))
    )
    assert beside.box.left == pytest.approx(alone.box.left + width)
    assert beside.box.bottom == pytest.approx(alone.box.bottom + height)
