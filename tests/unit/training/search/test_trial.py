"""A trial is a real training, and the median pruner ends one that stays behind the others."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from support.training.class_folders import rendered

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
pytest.importorskip("tensorflow", reason="needs the [training] extra")
optuna = pytest.importorskip("optuna", reason="needs the [training] extra")

from facesecure_training.recipes.settings import HugonetSettings  # noqa: E402
from facesecure_training.search import study  # noqa: E402
from facesecure_training.search.space import SearchSpace  # noqa: E402
from facesecure_training.search.trial import objective  # noqa: E402

EPOCHS = 3
BEYOND = 2.0
"""More than any accuracy: two images by which a trial of the test is validated may be right by chance."""
SLOW = {"lr": 1e-7, "batch": 8, "epochs": EPOCHS, "augment": "none", "strength": 0.0, "width": 0.25}


def opened(folder: Path, pruner: str):
    """A search in which six trials were better from their first epoch on than the next one can be."""
    found = study.open_study(f"sqlite:///{folder}/search.db", pruner, resume=False, pruner=pruner)
    for _ in range(6):
        epochs = dict.fromkeys(range(1, EPOCHS + 1), BEYOND)
        found.add_trial(optuna.trial.create_trial(value=BEYOND, intermediate_values=epochs))
    found.enqueue_trial(SLOW)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("pruner", "state", "epochs"), [("median", "PRUNED", 1), ("none", "COMPLETE", EPOCHS)])
def test_the_median_pruner_and_no_other_ends_a_training_that_stays_behind(tmp_path, pruner, state, epochs):
    found = opened(tmp_path, pruner)
    settings = HugonetSettings(data=rendered(tmp_path / "faces", 6, 32), size=32, split="file", fast=True)
    study.run(found, objective("hugonet", settings, SearchSpace((1, EPOCHS)), tmp_path / "runs"), trials=7)
    last = found.get_trials()[-1]
    assert (last.state.name, len(last.intermediate_values)) == (state, epochs)
    assert last.intermediate_values[1] <= 1
    with (tmp_path / "runs" / "trial-6" / "curves.csv").open() as file:
        assert len(list(csv.DictReader(file))) == epochs
