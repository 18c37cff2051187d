"""Every image once in an epoch, and those who look alike side by side."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure_training.recipes.people_batches import epoch_order, handfuls, nearest_people, some_of_each

LABELS = np.array([0, 1, 2, 0, 1, 0, 3, 0, 2, 0])
NOBODY = np.full((4, 2), -1)


def chance() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_handful_is_of_one_person_and_no_larger_than_was_said():
    found = handfuls(LABELS, 2, chance())
    assert sorted(index for group in found for index in group) == list(range(10))
    assert all(len(set(LABELS[group])) == 1 and len(group) <= 2 for group in found)


@pytest.mark.parametrize("neighbours", [NOBODY, np.array([[3, 1], [2, -1], [1, 0], [0, 0]])])
def test_an_epoch_shows_every_image_once(neighbours):
    assert sorted(epoch_order(LABELS, neighbours, 2, chance())) == list(range(10))


def test_who_looks_alike_follows():
    labels = np.repeat(np.arange(40), 2)
    partner = (np.arange(40) ^ 1)[:, None]
    people = labels[epoch_order(labels, partner, 2, chance())][::2]
    assert (people[::2] ^ 1 == people[1::2]).all()


def test_the_order_follows_from_the_seed():
    orders = [epoch_order(LABELS, NOBODY, 2, np.random.default_rng(seed)).tolist() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_the_nearest_people_are_those_whose_mean_is_nearest_and_never_oneself():
    embeddings = np.array([[0, 0], [0, 2], [5, 1], [0, 3], [9, 1]], np.float32)
    found = nearest_people(embeddings, np.array([0, 0, 1, 2, 3]), 2, 4)
    assert found.tolist() == [[2, 1], [3, 0], [0, 1], [1, 0]]


def test_where_there_are_too_few_others_nobody_fills_the_row():
    assert nearest_people(np.eye(2, dtype=np.float32), np.array([0, 1]), 3, 2).tolist() == [[1, -1, -1], [0, -1, -1]]


def test_some_of_each_person_are_taken():
    some = some_of_each(LABELS, 2)
    assert LABELS[some].tolist() == [0, 0, 1, 1, 2, 2, 3]
