"""Discriminants of data whose people are known: they find what tells people apart, and leave out what does not."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.domain.errors import FacesecureError
from facesecure_training.recipes.fisher import FisherSettings, discriminants

pytest.importorskip("tensorflow", reason="needs the [training] extra")
SETTINGS = FisherSettings(components=40, axes=8)


def drawn(people: int, each: int, seed: int):
    """Images of 60 numbers: 8 are the person's own, and 20 vary ten times as much from image to image."""
    chance = np.random.default_rng(seed)
    own = np.repeat(chance.normal(size=(people, 8)), each, axis=0)
    same, light = own + 0.2 * chance.normal(size=own.shape), 10 * chance.normal(size=(people * each, 20))
    rest = 0.1 * chance.normal(size=(people * each, 32))
    return np.hstack([same, light, rest]).astype(np.float32) + 5, np.repeat(np.arange(people), each)


def nearest_is_the_same_person(numbers, people) -> float:
    apart = ((numbers[:, None] - numbers[None]) ** 2).sum(2)
    np.fill_diagonal(apart, np.inf)
    return float((people[apart.argmin(1)] == people).mean())


@pytest.fixture(scope="module")
def axes():
    return discriminants(*drawn(150, 4, seed=1), SETTINGS, np.random.default_rng(0))


def test_people_who_were_not_learnt_are_told_apart(axes):
    numbers, people = drawn(60, 3, seed=2)
    assert nearest_is_the_same_person(numbers, people) < 0.2
    assert nearest_is_the_same_person(numbers @ axes.matrix + axes.offset, people) > 0.9


def test_what_varies_from_image_to_image_weighs_little(axes):
    weights = np.abs(axes.matrix).sum(1) * drawn(150, 4, seed=1)[0].std(axis=0)
    assert weights[8:28].max() < 0.2 * weights[:8].min()


def test_the_mean_of_all_images_lies_at_zero(axes):
    numbers, _ = drawn(150, 4, seed=1)
    assert (numbers @ axes.matrix + axes.offset).mean(axis=0) == pytest.approx(0, abs=1e-3)


def test_the_same_seed_gives_the_same_axes(axes):
    again = discriminants(*drawn(150, 4, seed=1), SETTINGS, np.random.default_rng(0))
    assert (again.matrix == axes.matrix).all()


def test_fewer_numbers_than_axes_give_as_many_axes_as_numbers():
    numbers, people = drawn(30, 3, seed=3)
    found = discriminants(numbers[:, :5].copy(), people, SETTINGS, np.random.default_rng(0))
    assert found.matrix.shape == (5, 5)


def test_numbers_that_never_vary_do_no_harm():
    numbers, people = drawn(60, 3, seed=4)
    numbers[:, 30:] = 7
    found = discriminants(numbers, people, SETTINGS, np.random.default_rng(0))
    assert np.isfinite(found.matrix).all()


def test_people_with_one_image_each_are_refused():
    numbers, _ = drawn(30, 1, seed=5)
    with pytest.raises(FacesecureError, match="nobody has two images"):
        discriminants(numbers, np.arange(30), SETTINGS, np.random.default_rng(0))
