"""Shares, intervals and the curves along a threshold, against numbers known otherwise."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.domain.errors import UsageError
from facesecure_training.evaluation.rates import rates, share, tar_at_far, threshold_at

SCORES = st.lists(st.floats(-1, 1).map(lambda value: round(value, 2)), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilsons_interval_is_the_published_one_and_stays_within_0_and_1(right, count, low, high):
    found = share(right, count)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_parted_scores_have_no_error_at_all():
    found = rates([0.8, 0.9, 0.7], [0.1, 0.2, 0.3])
    assert (found.eer, found.auc) == (0, pytest.approx(1))
    assert [one.tar.value for one in found.accepted] == [1, 1]
    assert 0.3 < found.accepted[0].threshold <= 0.7


def test_two_gaussians_two_apart_have_the_equal_error_rate_of_the_textbook():
    random = np.random.default_rng(4)
    found = rates(random.normal(2, 1, 40_000), random.normal(0, 1, 40_000))
    assert found.eer == pytest.approx(NormalDist().cdf(-1), abs=0.005)
    assert found.auc == pytest.approx(NormalDist().cdf(2 / np.sqrt(2)), abs=0.005)
    assert found.accepted[0].tar.value == pytest.approx(1 - NormalDist(2, 1).cdf(NormalDist().inv_cdf(0.99)), abs=0.02)
    assert found.accepted[0].threshold == pytest.approx(NormalDist().inv_cdf(0.99), abs=0.05)


def test_a_face_that_no_threshold_accepts_is_lost_at_every_rate():
    found = rates([0.9, -np.inf], [0.1, 0.2])
    assert found.accepted[0].tar.value == 0.5
    assert max(found.curve.tar) == 0.5


def test_rates_that_so_few_impostors_cannot_show_are_marked():
    percent, per_mille = rates(np.ones(200), np.zeros(200)).accepted
    assert (percent.shown, per_mille.shown) == (True, False)


def test_the_curve_is_thinned_for_the_page_and_keeps_both_ends():
    random = np.random.default_rng(5)
    curve = rates(random.normal(1, 1, 5000), random.normal(0, 1, 5000)).curve
    assert len(curve.far) < 320
    assert curve.far[-1] == curve.tar[-1] == 1
    assert min(curve.far) < 0.001
    assert list(curve.far) == sorted(curve.far)


@given(others=SCORES, far=st.sampled_from([0.5, 0.1, 0.01]))
def test_a_threshold_never_lets_in_more_than_asked_ties_or_not(others, far):
    values = np.array(others)
    limit = threshold_at(values, far)
    if far * len(values) < len(values):
        assert (values >= limit).mean() <= far + 1e-9


@given(own=SCORES, others=SCORES)
def test_the_equal_error_rate_lies_between_no_error_and_the_worst(own, others):
    found = rates(own, others)
    assert 0 <= found.eer <= 1
    assert 0 <= found.auc <= 1 + 1e-9
    assert all(one.tar.low <= one.tar.value <= one.tar.high for one in found.accepted)


def test_the_rate_got_is_told_beside_the_rate_asked():
    found = tar_at_far(np.array([0.5]), np.arange(100) / 100, 0.05)
    assert (found.got.right, found.got.count) == (5, 100)


def test_scores_of_one_kind_only_are_refused():
    with pytest.raises(UsageError, match="both kinds"):
        rates([0.5], [])
