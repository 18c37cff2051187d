from collections.abc import Sequence

import numpy as np
import pytest

from facesecure.domain.errors import EnrolmentError
from facesecure.domain.records import Template
from facesecure.recognition.clustering import MIN_CORE_SIMILARITY
from facesecure.recognition.enrolment import Enrolment
from facesecure.recognition.gallery import Gallery
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.similarity import OtherPeople
from facesecure.recognition.templates import template_of
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.model_card import load_model
from support import lfw
from support.builders import NOON, SCORES, face_at


class PaintedFaces:
    """A detector that finds as many faces as the top left pixel's red says."""

    def detect(self, image):
        return [face_at(200 + 150 * number, 200, 150) for number in range(int(image[0, 0, 0]))]


class PaintedIdentity:
    """An embedder that reads an angle off the crop's middle: the same shade of blue is the same person."""

    def embed(self, face):
        angle = float(face[50:60, 50:60, 2].mean()) / 255 * np.pi
        return np.array([np.cos(angle), np.sin(angle)], np.float32)


class Directed:
    """An embedder that gives every face the same embedding."""

    def __init__(self, embedding):
        self._embedding = embedding

    def embed(self, face):
        return self._embedding


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
    assert enrolment.add_image(picture(), "a.jpg").accepted


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (picture(faces=0), "no face"),
        (picture(faces=2), "2 faces; which one is meant?"),
        (picture(dark=True), "too dark"),
    ],
)
def test_a_bad_picture_is_refused_and_says_why(enrolment, image, reason):
    refused = enrolment.add_image(image, "a.jpg")
    assert not refused.accepted
    assert reason in refused.reason


def test_a_picture_of_a_cat_is_refused():
    enrolment = Enrolment(PaintedFaces(), PaintedIdentity(), "m", doubts=lambda _: ("not surely a person",))
    refused = enrolment.add_image(picture(), "cat.jpg")
    assert not refused.accepted
    assert refused.reason == "not surely a person"


def test_the_same_picture_over_again_is_refused_and_names_its_twin(enrolment):
    enrolment.add_image(picture(), "a.jpg")
    assert enrolment.add_image(picture(), "b.jpg").reason == "nearly the same as a.jpg"


def test_too_few_good_faces_enrol_nobody(enrolment):
    enrolment.add_image(picture(person=20), "a.jpg")
    enrolment.add_image(picture(person=50), "b.jpg")
    with pytest.raises(EnrolmentError, match="only 2 good faces; at least 3 needed"):
        enrolment.finish()


def test_a_picture_of_somebody_else_is_thrown_out_and_shown(enrolment):
    for shade, name in ((20, "a"), (45, "b"), (95, "c"), (70, "d"), (230, "other")):
        enrolment.add_image(picture(person=shade), name)
    pictures = enrolment.finish()
    assert sorted(picture.source for picture in pictures) == ["a", "b", "c", "d"]
    assert [p.source for p in enrolment.candidates if "does not look like the others" in p.reason] == ["other"]


def test_a_picture_just_too_unlike_is_not_given_the_similarity_that_is_needed():
    like = MIN_CORE_SIMILARITY - 1e-4
    known = [np.array([np.cos(angle), np.sin(angle)], np.float32) for angle in (-0.1, 0.0, 0.1)]
    more = Enrolment(PaintedFaces(), Directed(np.array([like, np.sqrt(1 - like**2)], np.float32)), "m", known=known)
    more.add_image(picture(), "other")
    with pytest.raises(EnrolmentError, match="only 0 good faces"):
        more.finish()
    (other,) = more.candidates
    assert other.reason == "does not look like the others (0.4499, 0.4500 needed)"


def test_somebody_enrolled_already_may_add_one_picture_but_not_of_somebody_else():
    angles = [0.25, 0.35, 0.45]
    known = [np.array([np.cos(a), np.sin(a)], np.float32) for a in angles]
    more = Enrolment(PaintedFaces(), PaintedIdentity(), "m", known=known)
    more.add_image(picture(person=60), "mine")
    more.add_image(picture(person=230), "not mine")
    assert [taken.source for taken in more.finish()] == ["mine"]


KNOWN = [np.array([np.cos(a), np.sin(a)], np.float32) for a in (0.25, 0.55, 0.85)]


def test_a_picture_known_already_is_refused_and_nothing_new_is_no_error():
    again = Enrolment(PaintedFaces(), PaintedIdentity(), "m", known=KNOWN)
    assert again.add_image(picture(person=21), "a.jpg").reason == "nearly the same as one enrolled before"
    assert again.finish() == []


def test_a_stranger_among_pictures_known_already_is_refused_and_still_no_error():
    again = Enrolment(PaintedFaces(), PaintedIdentity(), "m", known=KNOWN)
    again.add_image(picture(person=21), "a.jpg")
    again.add_image(picture(person=230), "other.jpg")
    assert again.finish() == []
    assert "does not look like the others" in again.candidates[1].reason


def test_pictures_known_already_do_not_hide_that_another_is_new():
    again = Enrolment(PaintedFaces(), PaintedIdentity(), "m", known=KNOWN)
    again.add_image(picture(person=21), "old.jpg")
    again.add_image(picture(person=95), "new.jpg")
    assert [taken.source for taken in again.finish()] == ["new.jpg"]


def others(name: str = "Ben", angle: float = 0.5) -> OtherPeople:
    template = Template(name, np.array([np.cos(angle), np.sin(angle)], np.float32), "m", 5, NOON)
    return OtherPeople(Gallery([template]), SCORES)


def shades(enrolment: Enrolment, *shown: int) -> Enrolment:
    for shade in shown:
        enrolment.add_image(picture(person=shade), str(shade))
    return enrolment


def test_somebody_who_has_a_name_gets_no_second_one():
    enrolment = shades(Enrolment(PaintedFaces(), PaintedIdentity(), "m", others=others()), 20, 45, 70)
    with pytest.raises(EnrolmentError, match=r"these photos show Ben, who is enrolled already \(1.00 alike\)") as told:
        enrolment.finish()
    assert "facesecure people rename" in (told.value.hint or "")
    assert "facesecure enroll 'Ben'" in (told.value.hint or "")


def test_somebody_who_looks_like_another_is_enrolled_with_a_warning():
    enrolment = shades(Enrolment(PaintedFaces(), PaintedIdentity(), "m", others=others(angle=1.55)), 20, 45, 70)
    assert len(enrolment.finish()) == 3
    (found,) = enrolment.lookalikes()
    assert (found.name, found.same) == ("Ben", False)
    nearest = 45 + 0.3 * (70 - 45)  # the template that leans towards the picture most like Ben
    assert found.closeness == pytest.approx(np.cos(1.55 - nearest / 255 * np.pi), abs=0.01)


def test_a_picture_that_is_somebody_elses_says_whose():
    enrolment = shades(Enrolment(PaintedFaces(), PaintedIdentity(), "m", others=others(angle=1.9)), 20, 45, 70, 150)
    assert [taken.source for taken in enrolment.finish()] == ["20", "45", "70"]
    assert [p.reason for p in enrolment.candidates if not p.accepted] == [
        "looks like Ben (1.00) more than like the others (0.27)"
    ]


def test_an_album_of_two_people_enrols_neither():
    enrolment = shades(Enrolment(PaintedFaces(), PaintedIdentity(), "m"), 10, 35, 60, 190, 220, 245)
    with pytest.raises(EnrolmentError, match=r"these photos show 2 people: 10, 35, 60 \| 190, 220, 245"):
        enrolment.finish()


def album(*parts: tuple[str, int], known: Sequence[tuple[str, int]] = ()) -> Enrolment:
    """Real photos: so many of each person, in turn; ``known`` are enrolled before, as the first of them."""
    before = [face for name, count in known for face in lfw.faces(name, count)]
    enrolment = Enrolment(lfw.detector(), lfw.embedder(), "m", known=before)
    for name, count in parts:
        for photo in lfw.photos(name, count):
            enrolment.add_image(read_photo(photo), photo.stem)
    return enrolment


def refused(enrolment: Enrolment) -> set[str]:
    """Whose photos do not belong."""
    strange = [p.source for p in enrolment.candidates if "like the others" in p.reason]
    return {source.rsplit("_", 1)[0] for source in strange}


@pytest.mark.parametrize(
    "outsiders",
    [[("Laura_Bush", 1)], [("Laura_Bush", 1), ("Nicole_Kidman", 1)], [("Nicole_Kidman", 2)]],
    ids=["one", "two", "one twice"],
)
def test_outsiders_among_real_photos_are_refused_and_shown(outsiders):
    enrolment = album(("Jennifer_Lopez", 6), *outsiders)
    accepted = enrolment.finish()
    assert {face.source.rsplit("_", 1)[0] for face in accepted} == {"Jennifer_Lopez"}
    assert refused(enrolment) == {name for name, _ in outsiders}


def test_as_many_real_photos_of_another_are_told_as_two_people():
    with pytest.raises(EnrolmentError, match=r"these photos show 2 people: Tiger_Woods.* \| Jack_Straw"):
        album(("Jack_Straw", 4), ("Tiger_Woods", 4)).finish()


def test_two_real_people_who_look_alike_are_enrolled_with_a_warning_that_says_how_much():
    edwards = Gallery([Template("Edwards", template_of(lfw.faces("John_Edwards", 6)), "m", 6, NOON)])
    enrolment = album(("Mike_Myers", 6))
    enrolment.others = OtherPeople(edwards, ScoreModel.from_card(load_model("mobilefacenet").card))
    assert enrolment.finish()
    (found,) = enrolment.lookalikes()
    assert 0.47 < found.closeness < 0.65
    assert found.rarity >= 1000
    assert "Myers and Edwards look alike (0.5" in found.about("Myers")


def test_photos_of_another_are_not_added_to_a_real_person_however_many():
    enrolment = album(("Tiger_Woods", 5), known=[("Jack_Straw", 4)])
    with pytest.raises(EnrolmentError, match="only 0 good faces"):
        enrolment.finish()
    assert refused(enrolment) == {"Tiger_Woods"}
