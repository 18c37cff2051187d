from __future__ import annotations

import cv2
import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.detection import haar
from facesecure.vision.detection.haar import DEFAULT, PISECUREHOME, Haar
from facesecure.vision.inference.model_card import load_model
from support.faces import on_canvas, only, portrait, scaled

# In this picture the cascade of 2020 also takes a fold of the space suit for a face.
DECEPTIVE = on_canvas(scaled(portrait(), 0.6), 0, 0)


def test_what_onet_refuses_is_weeded_out():
    assert only(Haar(load_model("onet"), settings=DEFAULT).detect(DECEPTIVE)).confidence > 0.9


def test_the_preset_of_2020_keeps_what_onet_refuses_and_says_how_unsure_it_is():
    faces = Haar(load_model("onet"), settings=PISECUREHOME, confidence=0.8).detect(DECEPTIVE)
    assert len(faces) == 2
    assert min(face.confidence for face in faces) < 0.1


def test_the_preset_of_2020_gives_opencvs_own_boxes():
    grey = cv2.cvtColor(DECEPTIVE, cv2.COLOR_RGB2GRAY)
    raw = haar.load_cascade().detectMultiScale(grey, 1.3, minNeighbors=3, minSize=(30, 30))
    faces = Haar(load_model("onet"), settings=PISECUREHOME).detect(DECEPTIVE)
    ours = {(face.box.left, face.box.top, face.box.width, face.box.height) for face in faces}
    assert ours == {tuple(float(n) for n in box) for box in raw}


def test_a_missing_cascade_is_explained(monkeypatch):
    monkeypatch.setattr(haar, "CASCADE", "no_such_cascade.xml")
    with pytest.raises(ModelError, match=r"no_such_cascade\.xml") as caught:
        Haar(load_model("onet"))
    assert "mtcnn" in str(caught.value.hint)


def test_only_so_many_pixels_are_searched(monkeypatch):
    monkeypatch.setattr(haar, "MAX_PIXELS", 2_000)
    assert Haar(load_model("onet")).detect(np.ascontiguousarray(DECEPTIVE)) == []
