import numpy as np
import pytest

from facesecure.vision.model_card import load_model
from facesecure.vision.personhood import Personhood, doubts_for, nobody_doubted


@pytest.fixture
def learnt() -> Personhood:
    """Takes what points along the first axis for a person."""
    return Personhood(np.array([4.0, 0.0], np.float32), bias=-1.0, floor=-0.5)


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


def test_a_model_for_which_nothing_was_learnt_doubts_nobody():
    card = load_model("mobilefacenet").card.model_copy(update={"personhood": None})
    assert Personhood.from_card(card) is None
    assert doubts_for(card) is nobody_doubted
    assert nobody_doubted(unit(0)) == ()
