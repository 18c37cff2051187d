"""The two layers of spread, recovered from scores that were made with known ones."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.evaluation.scores import measure, mutual, spread


def test_both_spreads_are_recovered_from_groups_of_unequal_size():
    random = np.random.default_rng(0)
    groups = [random.normal(0.8, 0.05) + random.normal(0, 0.1, size=size) for size in random.integers(2, 20, size=3000)]
    found = spread(groups)
    assert found.mean == pytest.approx(0.8, abs=0.005)
    assert found.sd_between == pytest.approx(0.05, abs=0.004)
    assert found.sd_within == pytest.approx(0.1, abs=0.003)
    assert abs(found.kurtosis) < 0.2


def test_a_few_wild_scores_show_as_kurtosis():
    random = np.random.default_rng(0)
    groups = [random.normal(0.8, 0.05, size=5) for _ in range(200)]
    groups[0][:] = 0
    assert spread(groups).kurtosis > 5


def test_groups_that_share_nothing_have_hardly_any_spread_between():
    random = np.random.default_rng(2)
    assert spread([random.normal(0, 0.1, size=5) for _ in range(2000)]).sd_between < 0.02


def people(families: int, strangers: int) -> dict[str, np.ndarray]:
    """Everybody is a random direction of 64; photos scatter round it."""
    random = np.random.default_rng(7)
    found = {}
    for number in range(families + strangers):
        photos = random.normal(size=64) + 0.3 * random.normal(size=(8 if number < families else 3, 64))
        found[f"person {number}"] = (photos / np.linalg.norm(photos, axis=1, keepdims=True)).astype(np.float32)
    return found


def test_family_scores_high_and_strangers_around_zero():
    report = measure(people(20, 50))
    assert report.genuine.mean > 0.9
    assert abs(report.impostor.mean) < 0.02
    assert report.impostor.sd_between == pytest.approx(1 / 8, abs=0.02)
    assert report.genuine.groups == 20
    assert report.impostor.groups == 20 * 50
    limits = list(report.impostor_quantiles.values())
    assert limits == sorted(limits)
    assert report.accepted["0.001"] > 95


def test_mutual_likeness_is_the_mean_cosine_of_two_different_photos():
    plane = np.array([[1, 0], [0.6, 0.8], [1, 0]], np.float32)
    assert mutual([plane]) == pytest.approx((0.6 + 1 + 0.6) / 3)
    report = measure(people(20, 50))
    assert report.as_card()["score_model"]["mutual"] == pytest.approx(1 / 1.09, abs=0.02)


@pytest.mark.parametrize(("families", "strangers"), [(3, 50), (50, 3)])
def test_too_few_people_is_wrong_usage(families, strangers):
    with pytest.raises(UsageError, match="too few"):
        measure(people(families, strangers))
