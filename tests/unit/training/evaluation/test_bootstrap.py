"""Intervals count people and trainings, not photos."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.evaluation.bootstrap import Tally, crossed, nested
from facesecure_training.evaluation.rates import share


def tallies(rates, photos=10):
    """A training for each row of ``rates``, the share of each of its people."""
    return [Tally(np.round(np.array(row) * photos).astype(int), np.full(len(row), photos)) for row in rates]


def test_people_who_differ_make_a_wider_interval_than_their_photos_alone_would():
    found = nested(tallies([[0, 1, 0, 1, 1]] * 5, photos=20))
    counted = share(300, 500)
    assert found.value == pytest.approx(0.6)
    assert found.high - found.low > 2 * (counted.high - counted.low)


def test_trainings_that_differ_make_a_wider_interval():
    alike, unlike = nested(tallies([[0.5] * 5] * 5)), nested(tallies([[0.1] * 5, [0.9] * 5, [0.5] * 5]))
    assert alike.low == alike.high == 0.5
    assert unlike.high - unlike.low > 0.3


def test_it_covers_the_true_share_about_as_often_as_it_says():
    random = np.random.default_rng(3)
    covered = 0
    for number in range(60):
        rates = [random.beta(6, 2, size=8) for _ in range(8)]
        found = nested(tallies([random.binomial(30, row) / 30 for row in rates], 30), replicates=300, seed=number)
        covered += found.low <= 0.75 <= found.high
    assert covered >= 50


def test_where_all_is_right_only_the_number_of_people_bounds_it():
    found = nested(tallies([[1.0] * 5] * 5))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(share(25, 25).low)


def test_strangers_are_the_same_people_for_every_training():
    one = tallies([[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]] * 3)
    found = crossed(one)
    assert found.value == pytest.approx(0.1)
    assert found.people == 10
    assert found.high >= 0.3  # were the three trainings independent, it would be some 0.2


def test_the_same_seed_gives_the_same_interval():
    some = tallies(np.random.default_rng(1).random((5, 5)), photos=1000)
    assert nested(some, seed=4) == nested(some, seed=4) != nested(some, seed=5)


def test_nothing_to_count_is_said():
    with pytest.raises(UsageError, match="no photos"):
        nested([Tally(np.zeros(2, int), np.zeros(2, int))])


def test_strangers_who_differ_in_number_are_refused():
    with pytest.raises(UsageError, match="different people"):
        crossed([*tallies([[0.5]]), *tallies([[0.5, 0.5]])])
