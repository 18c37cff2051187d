"""Pairs, and how well distances tell them apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.recipes.data import dataset_counts, draw_pairs, training_and_validation, verification_metrics
from facesecure_training.recipes.settings import ClassifierSettings


def folder(*counts: int) -> ClassFolder:
    files = [Path(f"p{person}/{number}.png") for person, count in enumerate(counts) for number in range(count)]
    labels = [person for person, count in enumerate(counts) for _ in range(count)]
    names = tuple(f"p{person}" for person in range(len(counts)))
    return ClassFolder(Path(), names, files, labels, [str(file) for file in files])


def test_pairs_are_half_of_one_person_and_true_to_what_they_say():
    pairs = draw_pairs(folder(5, 1, 3), 200, (1,))
    assert sum(pair.different for pair in pairs) == 100
    assert all((pair.first.parent != pair.second.parent) == pair.different for pair in pairs)
    assert all(pair.first != pair.second for pair in pairs)


def test_pairs_follow_from_the_seed():
    assert draw_pairs(folder(5, 4), 20, (1, 2)) == draw_pairs(folder(5, 4), 20, (1, 2))
    assert draw_pairs(folder(5, 4), 20, (1, 2)) != draw_pairs(folder(5, 4), 20, (1, 3))


def test_who_has_many_pictures_is_drawn_no_more_often():
    pairs = draw_pairs(folder(300, 3, 3), 600, (0,))
    crowd = sum(pair.first.parent.name == "p0" for pair in pairs if not pair.different)
    assert 70 < crowd < 130


def test_two_frames_of_one_video_are_a_pair_only_of_whom_there_is_no_other():
    found = folder(6, 4, 2)
    films = ["a", "a", "a", "a", "a", "b", *"cccc", *"de"]  # the first has a film and a photo, the second one film
    pairs = draw_pairs(replace(found, sources=films), 300, (3,))
    source = dict(zip(found.files, films, strict=True))
    same = [(source[pair.first], source[pair.second]) for pair in pairs if not pair.different]
    assert {frozenset(couple) for couple in same} == {frozenset("ab"), frozenset("c"), frozenset("de")}
    filmed = [pair for pair in pairs if not pair.different and source[pair.first] == "c"]
    assert all(pair.first != pair.second for pair in filmed)


def test_where_every_picture_is_a_source_of_its_own_pairs_are_drawn_as_ever():
    """A run that was begun before must find its pairs again."""
    assert [(str(pair.first), str(pair.second)) for pair in draw_pairs(folder(5, 4), 4, (1, 2))] == [
        ("p1/3.png", "p1/1.png"), ("p1/0.png", "p0/1.png"), ("p1/0.png", "p1/2.png"), ("p1/1.png", "p0/4.png")
    ]  # fmt: skip


@pytest.mark.parametrize("counts", [(5,), (1, 1, 1)])
def test_too_few_people_or_pictures_for_pairs_is_said(counts):
    with pytest.raises(FacesecureError, match="no pairs"):
        draw_pairs(folder(*counts), 10, (0,))


def test_people_are_counted_in_the_part_that_has_their_pictures():
    found = folder(*[2] * 10).split(1, {"train": 0.8, "validation": 0.2}, by="class")
    assert dataset_counts(found["train"], found["validation"]) == {
        "people": {"train": 8, "validation": 2},
        "pictures": {"train": 16, "validation": 4},
    }


def test_distances_that_separate_score_one_and_chance_scores_a_half():
    different = np.array([0, 0, 0, 1, 1, 1])
    assert verification_metrics(np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9]), different) == {
        "val_auc": 1.0,
        "val_accuracy": 1.0,
    }
    assert verification_metrics(np.ones(6), different) == {"val_auc": 0.5, "val_accuracy": 0.5}
    mixed = verification_metrics(np.array([0.1, 0.2, 0.75, 0.7, 0.8, 0.9]), different)
    assert mixed == {"val_auc": pytest.approx(8 / 9), "val_accuracy": pytest.approx(5 / 6)}


def test_a_distance_that_is_no_number_does_not_pass_for_the_greatest():
    figures = verification_metrics(np.array([0.1, 0.2, np.nan, np.nan]), np.array([0, 0, 1, 1]))
    assert np.isnan(list(figures.values())).all()


def test_without_data_the_error_names_the_option():
    with pytest.raises(UsageError, match="--data"):
        training_and_validation(ClassifierSettings())
