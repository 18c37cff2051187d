"""A face that turns out to be no person's is refused like any other poor one."""

import numpy as np
import pytest

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Recognition
from facesecure.recognition.embedder import EmbeddingRecognizer
from facesecure.recognition.gallery import LiveGallery
from facesecure.recognition.identify import analyse_face
from support.builders import face_at, looks_like

ANYTHING = QualityConfig(min_sharpness=0, min_clarity=0, min_contrast=0)


class Answering:
    """A recogniser with one answer; counts how often it is asked."""

    def __init__(self, answer: Recognition) -> None:
        self.answer, self.asked = answer, 0

    def identify(self, face: AlignedFace) -> Recognition:
        self.asked += 1
        return self.answer


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(2).integers(60, 200, (400, 400, 3), np.uint8)


def test_a_usable_face_is_identified(image):
    recognizer = Answering(looks_like(Anna=0.8))
    face, recognition = analyse_face(image, face_at(200, 200), ANYTHING, recognizer)
    assert face.quality.usable
    assert recognition is recognizer.answer


def test_a_poor_face_is_not_even_asked_about(image):
    recognizer = Answering(looks_like(Anna=0.8))
    face, recognition = analyse_face(image, face_at(200, 200, 20), ANYTHING, recognizer)
    assert recognition is None
    assert recognizer.asked == 0
    assert "too small" in face.quality.reasons[0]


def test_a_cat_is_refused_and_why_is_in_its_quality(image):
    recognizer = Answering(Recognition({"Anna": 0.1}, doubts=("not surely a person",)))
    face, recognition = analyse_face(image, face_at(200, 200), ANYTHING, recognizer)
    assert recognition is None
    assert face.quality.reasons == ("not surely a person",)


def test_the_recogniser_asks_whether_an_embedding_is_a_persons(image):
    class Always:
        def embed(self, _face):
            return np.array([0.6, 0.8], np.float32)

    nobody = LiveGallery(list, lambda: 0, "m")
    recognizer = EmbeddingRecognizer(Always(), nobody, lambda embedding: (f"doubt {embedding[0]:.1f}",))
    face, recognition = analyse_face(image, face_at(200, 200), ANYTHING, recognizer)
    assert recognition is None
    assert face.quality.reasons == ("doubt 0.6",)
