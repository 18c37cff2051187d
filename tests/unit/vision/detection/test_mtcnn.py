from __future__ import annotations

import numpy as np
import pytest

from facesecure.vision.detection import mtcnn
from facesecure.vision.detection.mtcnn import Mtcnn, MtcnnModels, Thresholds, WindowSearch
from facesecure.vision.inference.model_card import load_model
from support.faces import on_canvas, only, portrait, scaled


@pytest.fixture(scope="module")
def models() -> MtcnnModels:
    return MtcnnModels(load_model("pnet"), load_model("rnet"), load_model("onet"))


def crowd() -> np.ndarray:
    """112 faces in 14 columns and 8 rows, each some 40 pixels wide."""
    one = scaled(portrait(), 0.48)[:180, :136]
    canvas = np.full((8 * one.shape[0], 14 * one.shape[1], 3), 120, np.uint8)
    for row in range(8):
        for column in range(14):
            canvas[row * 180 : row * 180 + 180, column * 136 : column * 136 + one.shape[1]] = one
    return canvas


def test_smaller_faces_than_asked_for_are_not_looked_for(models):
    small = on_canvas(scaled(portrait(), 0.35), 100, 100)  # 30 pixels wide, 38 high
    assert len(Mtcnn(models, min_face=25).detect(small)) == 1
    assert Mtcnn(models, min_face=120).detect(small) == []


def test_a_bar_that_no_face_passes_lets_none_through(models):
    assert Mtcnn(models, thresholds=Thresholds(face=1.0)).detect(portrait()) == []


def test_a_face_as_large_as_the_picture_is_found(models):
    close = np.ascontiguousarray(portrait("grace_hopper")[100:350, 140:390])
    assert only(Mtcnn(models).detect(close)).box.width > 150


def test_everybody_in_a_crowd_is_found_once(models):
    faces = Mtcnn(models).detect(crowd())
    places = {(int(face.box.centre[0] // 136), int(face.box.centre[1] // 180)) for face in faces}
    assert len(places) == len(faces) == 112


def test_a_crowd_costs_no_more_than_the_networks_are_allowed_to_see(models, monkeypatch):
    monkeypatch.setattr(mtcnn, "MAX_WINDOWS", 20)
    assert 0 < len(Mtcnn(models).detect(crowd())) <= 20
    monkeypatch.setattr(mtcnn, "MAX_BOXES", 3)
    assert len(Mtcnn(models).detect(crowd())) == 3


def test_networks_are_kept_for_the_last_few_sizes_only(models):
    search = WindowSearch(models.pnet, 40, 0.5)
    for width in (100, 120, 140, 120, 160):
        search.find(np.zeros((90, width, 3), np.uint8), 0.6)
    assert list(search._plans) == [(120, 90), (160, 90)]
    kept = search._plans[120, 90]
    search.find(np.zeros((90, 120, 3), np.uint8), 0.6)
    assert search._plans[120, 90] is kept
