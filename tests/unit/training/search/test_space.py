"""What a search may try."""

from __future__ import annotations

import pytest

optuna = pytest.importorskip("optuna", reason="needs the [training] extra")

from facesecure.domain.errors import UsageError  # noqa: E402
from facesecure_training.cli.search import SearchOptions  # noqa: E402
from facesecure_training.recipes.settings import CompactSettings, SiameseSettings  # noqa: E402
from facesecure_training.search.space import SearchSpace  # noqa: E402

SHARED = {"lr": 0.002, "batch": 32, "epochs": 3, "augment": "aligned", "strength": 0.5}
SHAPE = {"margin": 1.2, "growth": 24, "blocks": "2,4,6,4", "size": 48, "schedule": "triangular", "cycle": 2}


def test_of_a_siamese_network_margin_shape_and_cycle_are_tried_too():
    found = SearchSpace((1, 4)).propose(optuna.trial.FixedTrial({**SHARED, **SHAPE}), SiameseSettings(pairs=8))
    assert {name: getattr(found, name) for name in (*SHARED, *SHAPE)} == {**SHARED, **SHAPE}
    assert found.pairs == 8


def test_of_a_classifier_they_are_not():
    trial = optuna.trial.FixedTrial({**SHARED, "width": 0.5})
    assert SearchSpace((1, 4)).propose(trial, CompactSettings()).width == 0.5
    assert set(trial.params) == {*SHARED, "width"}


def test_learning_rates_stay_within_the_bounds_that_were_given():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    space = SearchSpace((1, 4), (1e-3, 2e-3))
    rates = [space.propose(study.ask(), CompactSettings()).lr for _ in range(20)]
    assert all(1e-3 <= rate <= 2e-3 for rate in rates)
    assert max(rates) > 1.5e-3


def test_what_a_siamese_network_learns_from_is_passed_on_and_refused_for_another_kind(tmp_path):
    options = SearchOptions(data=tmp_path, kind="siamese-densenet", siamese="people")
    assert options.settings().objective == "people"
    with pytest.raises(UsageError, match="--siamese is for --kind siamese-densenet"):
        SearchOptions(data=tmp_path, siamese="people").settings()
