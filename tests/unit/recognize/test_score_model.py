import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.recognize.score_model import ScoreDistribution, ScoreModel
from support.builders import SCORES


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.1, 50))
def test_a_higher_score_is_never_less_evidence_for_a_name(score, more, faces):
    low, high = SCORES.log_likelihood_ratio(score, faces), SCORES.log_likelihood_ratio(score + more, faces)
    assert high >= low - 1e-9


def test_the_ratio_is_that_of_the_two_densities():
    model = ScoreModel(ScoreDistribution(0.6, 0.0, 0.1), ScoreDistribution(0.0, 0.0, 0.1))
    expected = ((0.4 - 0.0) ** 2 - (0.4 - 0.6) ** 2) / (2 * 0.1**2)
    assert model.log_likelihood_ratio(0.4, 1) == pytest.approx(expected)


def test_more_faces_make_surer_but_never_certain():
    once, often, always = (SCORES.log_likelihood_ratio(0.5, n) for n in (1, 5, 1e9))
    assert once < often < always
    assert math.isfinite(always)
    assert always < 3 * once


def test_strangers_pass_at_most_at_the_rate_that_wald_promises():
    """Drawn from the impostor model itself, the ratio exceeds log(1/rate) at most at that rate."""
    rng = np.random.default_rng(1)
    faces = 5
    visits = rng.normal(SCORES.impostor.mean, SCORES.impostor.sd_between, 200_000)
    means = visits + rng.normal(0, SCORES.impostor.sd_within / math.sqrt(faces), visits.size)
    # The ratio rises with the score, so one threshold on the score stands for the one on the ratio.
    grid = np.linspace(0, 1, 2001)
    ratios = np.array([SCORES.log_likelihood_ratio(float(score), faces) for score in grid])
    threshold = grid[np.searchsorted(ratios, math.log(1 / 1e-2))]
    assert (means > threshold).mean() <= 1e-2


def test_a_model_that_takes_strangers_for_family_is_refused():
    with pytest.raises(ValueError, match="higher"):
        ScoreModel(ScoreDistribution(0.1, 0, 0.1), ScoreDistribution(0.2, 0, 0.1))
