import shutil

import numpy as np
import pytest

from facesecure.recognition.human_filter import HumanFaceFilter
from facesecure.vision.inference.card_files import bundled_directory
from facesecure.vision.inference.model_card import load_model
from facesecure_training.recipes import human_filter
from facesecure_training.recipes.human_filter import Example, fit_weights, log_odds


def example(kind, group, seed, towards=0.0):
    noise = np.random.default_rng(seed).normal(0, 1, 8)
    noise[0] += towards
    return Example((noise / np.linalg.norm(noise)).astype(np.float32), kind, group, f"{group}.jpg", usable=True)


@pytest.fixture
def examples():
    """People point one way, things the other; 40 of each, from 20 places."""
    people = [example("person", f"p{n // 2}", n, 6.0) for n in range(40)]
    return people + [example("taken for a face", f"t{n // 2}", 100 + n, -6.0) for n in range(40)]


def test_people_are_told_from_things_by_weights_that_saw_neither(examples):
    scores = human_filter.unseen_scores(examples, human_filter.weights_without_a_part(examples))
    found = human_filter.report(examples, scores)
    assert (found.people_lost, found.things_passed) == (0, 0)
    assert (found.people, found.things) == (40, 40)


def test_a_part_is_scored_by_weights_learnt_without_it(examples):
    """One group whose truth is a lie: weights that had seen it would bend to it."""
    lie = [example("person", "liar", 500 + n, -6.0) for n in range(30)]
    both = examples + lie
    scores = human_filter.unseen_scores(both, human_filter.weights_without_a_part(both))
    assert (scores[len(examples) :] < 0).all()


def test_what_was_learnt_goes_into_the_card_and_comes_out_of_it(tmp_path, examples):
    for suffix in (".json", ".tflite"):
        shutil.copy(bundled_directory() / f"mobilefacenet{suffix}", tmp_path)
    model = load_model(tmp_path / "mobilefacenet.tflite")
    found = human_filter.report(examples, np.ones(len(examples)))
    human_filter.write(model, np.r_[np.linspace(-1, 1, 192), 0.25], found, "made up")
    card = load_model(model.path).card
    learnt = HumanFaceFilter.from_card(card)
    assert learnt.weights == pytest.approx(np.linspace(-1, 1, 192), abs=1e-4)
    assert learnt.bias == 0.25
    assert card.personhood.dataset == "made up"
    assert card.score_model == model.card.score_model


@pytest.fixture
def clouds():
    """Two clouds in five dimensions that differ along the first; one has ten times as many points."""
    rng = np.random.default_rng(1)
    points = rng.normal(0, 1, (1100, 5))
    truth = np.arange(1100) < 1000
    points[truth, 0] += 3
    return points, truth


def test_the_direction_that_tells_is_found(clouds):
    weights = fit_weights(*clouds, ridge=1e-4)
    assert abs(weights[0]) > 5 * np.abs(weights[1:-1]).max()


def test_the_few_count_as_much_as_the_many(clouds):
    points, truth = clouds
    right = (log_odds(points, fit_weights(points, truth, ridge=1e-4)) > 0) == truth
    assert right[~truth].mean() == pytest.approx(right[truth].mean(), abs=0.05)


def test_a_ridge_keeps_the_weights_of_separable_clouds_small(clouds):
    points, truth = clouds
    points[truth, 0] += 20
    weak, strong = (np.abs(fit_weights(points, truth, ridge=ridge)).max() for ridge in (1e-6, 1e-2))
    assert np.isfinite(weak)
    assert strong < weak
