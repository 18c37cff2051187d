"""No lamp makes a household member a stranger more often than the configured rate."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import lamps
from facesecure.config import VerdictConfig
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.recognition.score_model import ScoreModel
from facesecure.vision.inference.model_card import Model, load_model

LIGHTING = Path(__file__).resolve().parents[4] / "shared/data/lighting"
pytestmark = pytest.mark.skipif(not LIGHTING.is_dir(), reason="there are no lit faces in ../shared/data")


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("mobilefacenet")


@pytest.fixture(scope="module")
def pictures() -> list[lamps.Lit]:
    return lamps.read(LIGHTING)


def total(found: dict[str, dict[str, int]], kind: str) -> int:
    return sum(counts[kind] for counts in found.values())


def test_the_border_is_blurred_and_the_picture_in_it_untouched():
    path = next(LIGHTING.rglob("*.pgm"))
    grey, wide = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), lamps.bordered(path)
    assert wide.shape == (grey.shape[0] + 2 * lamps.BORDER, grey.shape[1] + 2 * lamps.BORDER, 3)
    assert np.array_equal(wide[lamps.BORDER : -lamps.BORDER, lamps.BORDER : -lamps.BORDER, 0], grey)


@pytest.mark.slow
def test_four_people_under_every_lamp_are_no_strangers(model, pictures):
    four = sorted({lit.person for lit in pictures})[:4]
    some = [lit for lit in pictures if lit.person in four]
    found = lamps.verdicts(some, ModelEmbedder(model), ScoreModel.from_card(model.card), seed=3)
    assert total(found, "stranger") <= VerdictConfig().false_stranger * len(some)
    assert total(found, "wrong name") == 0
    # The rest stays unidentified: six frames of one picture are hardly more than one face, and the default is strict.
    assert total(found, "known") > 0.75 * sum(sum(counts.values()) for counts in found.values())


@pytest.mark.slow
def test_all_twelve_under_every_lamp_are_no_strangers(model, pictures):
    found = lamps.verdicts(pictures, ModelEmbedder(model), ScoreModel.from_card(model.card), seed=1)
    assert total(found, "stranger") <= VerdictConfig().false_stranger * len(pictures)
    assert total(found, "wrong name") == 0


@pytest.mark.slow
def test_brightening_helps_in_the_dark_and_costs_nothing_in_the_light(model, pictures):
    from facesecure.vision.images.illumination import brightened

    some = [lit for lit in pictures if lit.person in ("yaleB12", "yaleB13", "yaleB15")]
    crops = [lit.crop() for lit in some]
    graph = model.interpreter()

    def embed(crop):
        return np.array(graph.invoke(crop[None])[0][0], np.float32)

    plain, mended = (lamps.similarities(some, crops, embed, correct) for correct in (lambda crop: crop, brightened))
    assert mended["101-130"]["own_mean"] > plain["101-130"]["own_mean"] + 0.05
    assert all(mended[angle]["own_mean"] > plain[angle]["own_mean"] - 0.01 for angle in plain)
