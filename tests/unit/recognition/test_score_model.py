import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.recognition.score_model import ScoreDistribution, ScoreModel
from support.builders import SCORES


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.1, 50), st.floats(0, 1))
def test_a_higher_score_is_never_less_evidence_for_a_name(score, more, faces, clarity):
    low = SCORES.log_likelihood_ratio(score, faces, clarity)
    high = SCORES.log_likelihood_ratio(score + more, faces, clarity)
    assert high >= low - 1e-9


def test_the_ratio_is_that_of_the_two_densities():
    model = ScoreModel(ScoreDistribution(0.6, 0.0, 0.1), ScoreDistribution(0.0, 0.0, 0.1))
    expected = ((0.4 - 0.0) ** 2 - (0.4 - 0.6) ** 2) / (2 * 0.1**2)
    assert model.log_likelihood_ratio(0.4, 1) == pytest.approx(expected)


def test_more_faces_make_surer_but_never_certain():
    once, often, always = (SCORES.log_likelihood_ratio(0.75, n) for n in (1, 5, 1e9))
    assert once < often < always
    assert math.isfinite(always)
    assert always < 3 * once


def test_the_chance_of_a_stranger_coming_close_is_the_share_that_does():
    rng = np.random.default_rng(1)
    faces = 5
    visits = rng.normal(SCORES.impostor.mean, SCORES.impostor.sd_between, 400_000)
    means = visits + rng.normal(0, SCORES.impostor.sd_within / math.sqrt(faces), visits.size)
    for score in (0.05, 0.15, 0.2):
        assert (means >= score).mean() == pytest.approx(SCORES.impostor.chance_of_reaching(score, faces), rel=0.06)


def test_a_model_that_takes_strangers_for_family_is_refused():
    with pytest.raises(ValueError, match="higher"):
        ScoreModel(ScoreDistribution(0.1, 0, 0.1), ScoreDistribution(0.2, 0, 0.1))


@given(st.floats(1e-6, 0.5), st.floats(0.5, 50))
def test_the_score_reached_with_a_chance_is_reached_with_that_chance(chance, faces):
    score = SCORES.impostor.score_reached_with(chance, faces)
    assert SCORES.impostor.chance_of_reaching(score, faces) == pytest.approx(chance, rel=1e-6)


def test_the_mean_of_faces_is_as_long_as_their_mutual_likeness_says():
    rng = np.random.default_rng(2)
    visits = rng.normal(size=(4000, 1, 64))
    faces = visits + rng.normal(size=(4000, 5, 64)) * 0.6
    faces /= np.linalg.norm(faces, axis=2, keepdims=True)
    mutual = float((faces[:, 0] * faces[:, 1]).sum(axis=1).mean())
    found = float((np.linalg.norm(faces.mean(axis=1), axis=1) ** 2).mean())
    assert ScoreDistribution(0, 0.1, 0.1, mutual).length(5) ** 2 == pytest.approx(found, rel=0.01)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(1, 50), st.floats(0, 1))
def test_a_higher_score_of_a_mean_direction_is_never_less_evidence_for_a_name(score, more, faces, clarity):
    genuine, impostor = (dataclasses.replace(one, mutual=0.7) for one in (SCORES.genuine, SCORES.impostor))
    model = ScoreModel(genuine, impostor)
    low, high = (model.log_likelihood_ratio(one, faces, clarity) for one in (score, score + more))
    assert high >= low - 1e-9


def test_nothing_and_more_than_all_is_no_mutual_likeness():
    for mutual in (0.0, 1.1):
        with pytest.raises(ValueError, match="mutual"):
            ScoreDistribution(0.5, 0.1, 0.1, mutual)
