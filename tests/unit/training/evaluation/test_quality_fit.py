"""Constants recovered from faces that lost their likeness by known ones, and held together with the code's."""

import numpy as np
import pytest

from facesecure.vision.images.quality import clarity
from facesecure_training.evaluation.quality_fit import IN_CODE, QualitySample, fit, product, rank_correlation, report

TRUTH = (1.1, 0.04, 0.9, 6.0, 5.0, 4.0, 1.2)


def sample(constants=IN_CODE, noise: float = 0.03, count: int = 3000) -> QualitySample:
    random = np.random.default_rng(0)
    measures = np.exp(random.uniform(np.log([0.01, 4, 2]), np.log([1, 40, 60]), size=(count, 3)))
    kept = product(constants, measures) + noise * random.normal(size=count)
    return QualitySample(measures, kept, np.where(measures[:, 0] < 0.1, "blurred", "sharp"))


def test_the_constants_beside_the_fit_are_those_in_the_code():
    measures = sample().measures
    assert np.minimum(1, product(IN_CODE, measures)) == pytest.approx(np.array([clarity(*row) for row in measures]))


def test_known_constants_are_recovered():
    assert fit(sample(TRUTH)) == pytest.approx(TRUTH, rel=0.1)


def test_a_few_wild_faces_hardly_move_the_fit():
    corrupted = sample(TRUTH)
    corrupted.kept[::50] = -2
    assert np.abs(product(fit(corrupted), corrupted.measures) - product(TRUTH, corrupted.measures)).mean() < 0.03


def test_a_report_says_where_the_code_is_right_and_where_not():
    found = report(sample(), people=10)
    assert found.error_in_code < 0.06
    assert found.rank_correlation > 0.9
    assert {one.kind for one in found.kinds} == {"blurred", "sharp"}
    assert all(abs(one.predicted - one.kept) < 0.03 for one in found.bins if one.predicted < 0.9)
    other = report(sample(TRUTH), people=10)
    assert other.error_in_code > other.error_fitted + 0.02


def test_ranks_are_what_counts_and_equal_values_share_theirs():
    values = np.array([1.0, 2.0, 2.0, 9.0])
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)
    assert rank_correlation(values, np.array([1.0, 2.0, 3.0, 9.0])) < 1
