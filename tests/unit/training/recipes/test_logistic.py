import numpy as np
import pytest

from facesecure_training.recipes.human_filter import fit, log_odds


@pytest.fixture
def clouds():
    """Two clouds in five dimensions that differ along the first; one has ten times as many points."""
    rng = np.random.default_rng(1)
    points = rng.normal(0, 1, (1100, 5))
    truth = np.arange(1100) < 1000
    points[truth, 0] += 3
    return points, truth


def test_the_direction_that_tells_is_found(clouds):
    weights = fit(*clouds, ridge=1e-4)
    assert abs(weights[0]) > 5 * np.abs(weights[1:-1]).max()


def test_the_few_count_as_much_as_the_many(clouds):
    points, truth = clouds
    right = (log_odds(points, fit(points, truth, ridge=1e-4)) > 0) == truth
    assert right[~truth].mean() == pytest.approx(right[truth].mean(), abs=0.05)


def test_a_ridge_keeps_the_weights_of_separable_clouds_small(clouds):
    points, truth = clouds
    points[truth, 0] += 20
    weak, strong = (np.abs(fit(points, truth, ridge=ridge)).max() for ridge in (1e-6, 1e-2))
    assert np.isfinite(weak)
    assert strong < weak
