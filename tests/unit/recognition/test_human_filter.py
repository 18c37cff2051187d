from pathlib import Path

import numpy as np
import pytest

from facesecure.config import DetectorConfig
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.recognition.human_filter import HumanFaceFilter, accept_all, human_filter_for
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images import align
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.cropping import Cropper
from support.faces import PHOTOS

PETS = Path(__file__).resolve().parents[4] / "shared/data/negatives/pets/hard"
SURE_PETS = ("dog.250.jpg", "dog.340.jpg", "dog.379.jpg", "dog.448.jpg", "dog.4645.jpg", "dog.4719.jpg")


@pytest.fixture
def learnt() -> HumanFaceFilter:
    """Takes what points along the first axis for a person."""
    return HumanFaceFilter(np.array([4.0, 0.0], np.float32), bias=-1.0, floor=-0.5)


def unit(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def test_log_odds_are_the_weights_along_the_embedding_and_the_bias(learnt):
    assert learnt.log_odds(unit(0)) == pytest.approx(3)
    assert learnt.log_odds(unit(90)) == pytest.approx(-1)


def test_what_reaches_the_floor_is_not_doubted(learnt):
    assert learnt.doubts(unit(0)) == ()


def test_what_does_not_says_how_far_it_is(learnt):
    (reason,) = learnt.doubts(unit(180))
    assert reason == "not surely a person: log-odds -5.0, -0.5 needed"


def test_log_odds_just_below_the_floor_do_not_read_the_same():
    floor = HumanFaceFilter(np.array([4.0, 0.0], np.float32), bias=-2.04, floor=2.0)
    assert floor.doubts(unit(0)) == ("not surely a person: log-odds 1.96, 2 needed",)


def test_a_model_for_which_nothing_was_learnt_doubts_nobody():
    card = load_model("mobilefacenet").card.model_copy(update={"personhood": None})
    assert HumanFaceFilter.from_card(card) is None
    assert human_filter_for(card) is accept_all
    assert accept_all(unit(0)) == ()


@pytest.mark.parametrize("name", ["mobilefacenet", "mobilefacenet-float16"])
@pytest.mark.parametrize("portrait", ["grace_hopper.jpg", "eileen_collins.jpg"])
def test_the_shipped_portraits_are_people_to_both_models(name, portrait):
    model = load_model(name)
    crop = Cropper().crop(PHOTOS / portrait)
    assert human_filter_for(model.card)(ModelEmbedder(model).embed(crop)) == ()


@pytest.mark.parametrize("name", ["mobilefacenet", "mobilefacenet-float16"])
def test_coloured_squares_are_nobody_to_both_models(name):
    model = load_model(name)
    (squares,) = model.card.golden.input()
    assert human_filter_for(model.card)(ModelEmbedder(model).embed(squares))


@pytest.mark.skipif(not PETS.is_dir(), reason="there are no research pictures in ../shared/data")
def test_pets_that_a_detector_is_sure_of_are_not_people():
    """Every picture of a pet alone on which MTCNN is sure of a face."""
    model = load_model("mobilefacenet")
    embedder, doubts = ModelEmbedder(model), human_filter_for(model.card)
    detector = build_detector(DetectorConfig(confidence=0.9))
    found = [
        bool(doubts(embedder.embed(align.crop(image, face.landmarks))))
        for name in SURE_PETS
        for image in [read_photo(PETS / name)]
        for face in detector.detect(image)
    ]
    assert len(found) >= len(SURE_PETS)
    assert all(found)
