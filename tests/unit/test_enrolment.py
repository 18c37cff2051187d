import numpy as np
import pytest

from facesecure.enrolment import Enrolment
from facesecure.errors import EnrolmentError
from support.builders import face_at


class PaintedFaces:
    """A detector that finds as many faces as the top left pixel's red says."""

    def detect(self, image):
        return [face_at(200 + 150 * number, 200, 150) for number in range(int(image[0, 0, 0]))]


class PaintedIdentity:
    """An embedder that reads an angle off the crop's middle: the same shade of blue is the same person."""

    def embed(self, face):
        angle = float(face[50:60, 50:60, 2].mean()) / 255 * np.pi
        return np.array([np.cos(angle), np.sin(angle)], np.float32)


def picture(faces: int = 1, person: int = 20, *, dark: bool = False, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 255, (400, 600, 3), dtype=np.uint8) // (8 if dark else 1)
    image[..., 2] = person
    image[0, 0, 0] = faces
    return image


@pytest.fixture
def enrolment() -> Enrolment:
    return Enrolment(PaintedFaces(), PaintedIdentity(), "m")


def test_a_good_picture_is_taken(enrolment):
    assert enrolment.consider(picture(), "a.jpg").taken


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (picture(faces=0), "no face"),
        (picture(faces=2), "2 faces; which one is meant?"),
        (picture(dark=True), "too dark"),
    ],
)
def test_a_bad_picture_is_refused_and_says_why(enrolment, image, reason):
    refused = enrolment.consider(image, "a.jpg")
    assert not refused.taken
    assert reason in refused.reason


def test_a_picture_of_a_cat_is_refused():
    enrolment = Enrolment(PaintedFaces(), PaintedIdentity(), "m", doubts=lambda _: ("not surely a person",))
    refused = enrolment.consider(picture(), "cat.jpg")
    assert not refused.taken
    assert refused.reason == "not surely a person"


def test_the_same_picture_over_again_is_refused_and_names_its_twin(enrolment):
    enrolment.consider(picture(), "a.jpg")
    assert enrolment.consider(picture(), "b.jpg").reason == "nearly the same as a.jpg"


def test_too_few_good_faces_enrol_nobody(enrolment):
    enrolment.consider(picture(person=20), "a.jpg")
    enrolment.consider(picture(person=50), "b.jpg")
    with pytest.raises(EnrolmentError, match="only 2 good faces; at least 3 needed"):
        enrolment.accept()


def test_a_picture_of_somebody_else_is_thrown_out_and_shown(enrolment):
    for shade, name in ((20, "a"), (50, "b"), (80, "c"), (35, "d"), (230, "other")):
        enrolment.consider(picture(person=shade), name)
    pictures = enrolment.accept()
    assert sorted(picture.source for picture in pictures) == ["a", "b", "c", "d"]
    assert [p.source for p in enrolment.pictures if "does not look like the others" in p.reason] == ["other"]


def test_somebody_enrolled_already_may_add_one_picture_but_not_of_somebody_else():
    angles = [0.25, 0.35, 0.45]
    known = [np.array([np.cos(a), np.sin(a)], np.float32) for a in angles]
    more = Enrolment(PaintedFaces(), PaintedIdentity(), "m", known=known)
    more.consider(picture(person=30), "mine")
    more.consider(picture(person=230), "not mine")
    assert [taken.source for taken in more.accept()] == ["mine"]
