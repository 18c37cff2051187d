from __future__ import annotations

import itertools

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.detection import mtcnn_networks
from facesecure.vision.detection.boxes import overlaps
from facesecure.vision.detection.mtcnn_networks import ONET_SIDE, RNET_SIDE, CropNetwork, Level, ProposalNetwork
from facesecure.vision.inference.model_card import load_model
from support.faces import empty_scene, on_canvas, portrait

WHOLE = Level(480, 320, 2.0, 2.0)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.ascontiguousarray(on_canvas(portrait(), 200, 100)[::2, ::2])


def test_windows_scored_as_faces_lie_on_the_face(picture):
    boxes, scores = ProposalNetwork(load_model("pnet"), Level(60, 40, 16.0, 16.0)).propose(
        np.ascontiguousarray(picture[4::8, 4::8]), 0.6
    )
    best = boxes[scores.argmax()]
    face = np.array([[370, 163, 456, 272]], np.float32)
    assert overlaps(best[None], face)[0, 0] > 0.3
    assert (scores > 0.6).all()


def test_searching_in_bands_finds_what_searching_at_once_finds(picture, monkeypatch):
    model = load_model("pnet")
    monkeypatch.setattr(mtcnn_networks, "BAND_PIXELS", 10**9)
    at_once, scores = ProposalNetwork(model, WHOLE).propose(picture, 0.6)
    monkeypatch.setattr(mtcnn_networks, "BAND_PIXELS", 30_000)
    banded, banded_scores = ProposalNetwork(model, WHOLE).propose(picture, 0.6)
    best = overlaps(at_once[scores > 0.8], banded)
    assert len(best) > 0
    assert (best.max(1) > 0.97).all()  # int8 rounding depends on what else is in the band
    np.testing.assert_allclose(banded_scores[best.argmax(1)], scores[scores > 0.8], atol=0.05)


@pytest.mark.parametrize("height", [12, 13, 14, 21, 97, 98, 99, 100, 101, 320])
def test_bands_cover_every_row(height, monkeypatch):
    monkeypatch.setattr(mtcnn_networks, "BAND_PIXELS", 480 * 40)
    network = ProposalNetwork(load_model("pnet"), Level(480, height, 1.0, 1.0))
    rows = [row for top in network._tops for row in range(top, top + network._rows)]
    assert set(rows) == set(range(height))
    assert all(later - earlier <= network._rows - mtcnn_networks.OVERLAP for earlier, later in _pairs(network._tops))
    network.propose(np.zeros((height, 480, 3), np.uint8), 0.6)


def _pairs(tops: list[int]) -> zip[tuple[int, int]]:
    return itertools.pairwise(tops)


def test_rnet_tells_a_face_from_a_wall():
    found = CropNetwork(load_model("rnet"), RNET_SIDE).detect(portrait(), np.array([[158, 63, 268, 173]], np.float32))
    wall = CropNetwork(load_model("rnet"), RNET_SIDE).detect(
        empty_scene(), np.array([[158, 300, 268, 410]], np.float32)
    )
    assert found.scores[0] > 0.9 > 0.2 > wall.scores[0]
    assert found.landmarks.shape == (1, 0, 2)


def test_onet_puts_landmarks_into_the_pictures_pixels():
    onet = CropNetwork(load_model("onet"), ONET_SIDE, landmarks=True)
    found = onet.detect(portrait(), np.array([[158, 63, 268, 173]], np.float32))
    assert found.landmarks.shape == (1, 5, 2)
    assert (found.landmarks[0] > (165, 63)).all()
    assert (found.landmarks[0] < (260, 175)).all()


@pytest.mark.parametrize(("name", "side", "landmarks"), [("rnet", RNET_SIDE, False), ("onet", ONET_SIDE, True)])
def test_nothing_to_judge_gives_nothing(name, side, landmarks):
    network = CropNetwork(load_model(name), side, landmarks=landmarks)
    found = network.detect(portrait(), np.empty((0, 4), np.float32))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)
    assert len(found.landmarks) == 0


def test_a_network_with_other_outputs_is_refused():
    with pytest.raises(ModelError, match="outputs of"):
        CropNetwork(load_model("onet"), ONET_SIDE, landmarks=False)
