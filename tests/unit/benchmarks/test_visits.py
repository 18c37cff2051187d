"""Pets and empty scenes raise no alarm; the people beside them are detected."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.visits import Door
from facesecure.config import DetectorConfig
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.recognition.human_filter import accept_all, human_filter_for
from facesecure.recognition.score_model import ScoreModel
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.inference.model_card import load_model

NEGATIVES = Path(__file__).resolve().parents[4] / "shared/data/negatives"
PETS = ("dog.250.jpg", "dog.340.jpg", "dog.379.jpg", "dog.448.jpg", "dog.4645.jpg", "dog.4719.jpg")
WITH_PEOPLE = ("dog.4335.jpg", "dog.942.jpg", "dog.41.jpg")
pytestmark = pytest.mark.skipif(not NEGATIVES.is_dir(), reason="there are no pictures without people in ../shared/data")


@pytest.fixture(scope="module")
def door() -> Door:
    model = load_model("mobilefacenet")
    detector = build_detector(DetectorConfig())
    return Door(detector, "mtcnn", ModelEmbedder(model), model.sha256, ScoreModel.from_card(model.card))


@pytest.fixture(scope="module")
def doubts():
    return human_filter_for(load_model("mobilefacenet").card)


@pytest.fixture(scope="module")
def anna() -> list[tuple[str, np.ndarray]]:
    """An enrolled person who resembles no one."""
    vector = np.random.default_rng(1).normal(size=192).astype(np.float32)
    return [("Anna", vector / np.linalg.norm(vector))]


def pictures(names):
    return [NEGATIVES / "pets/hard" / name for name in names]


def test_unasked_pets_would_be_strangers(door):
    """Without the filter pets become strangers; else the next test would prove nothing."""
    assert len(door.count(pictures(PETS), [], lambda _: accept_all).strangers) > 3


@pytest.mark.parametrize("enrolled", [False, True])
def test_pets_are_no_strangers(door, doubts, anna, enrolled):
    found = door.count(pictures(PETS), anna if enrolled else [], lambda _: doubts)
    assert (found.strangers, found.named) == ([], [])


@pytest.mark.parametrize("enrolled", [False, True])
def test_a_child_and_a_woman_beside_a_dog_are_strangers(door, doubts, anna, enrolled):
    found = door.count(pictures(WITH_PEOPLE), anna if enrolled else [], lambda _: doubts)
    assert sorted(found.strangers) == sorted(WITH_PEOPLE)


def test_empty_scenes_are_no_strangers(door, doubts):
    some = sorted((NEGATIVES / "scenes").glob("*.jpg"))[::15]
    assert door.count(some, [], lambda _: doubts).strangers == []
