"""One trial: a training with the settings it proposes, rated by the best epoch's validation figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.recipes.checkpoint import EpochRow
from facesecure_training.recipes.run_folder import RunFolder
from facesecure_training.recipes.settings import TrainingSettings
from facesecure_training.search.space import SearchSpace
from facesecure_training.search.study import optuna

FIGURES = {"hugonet": "val_accuracy", "compact": "val_accuracy", "siamese-densenet": "val_auc", "embedder": "val_auc"}


def objective(kind: str, settings: TrainingSettings, space: SearchSpace, out: Path) -> Callable[[Any], float]:
    """Return the objective for optuna.Study.optimize; each trial's run is kept in ``out``/trial-NUMBER."""

    def tried(trial: Any) -> float:
        from facesecure_training.recipes.train import train

        tensorflow().keras.backend.clear_session()
        folder = RunFolder(out / f"trial-{trial.number}")
        progress = train(kind, space.propose(trial, settings), folder, after_epoch=lambda row: _prune(trial, row, kind))
        return float(progress.best if progress.best is not None else 0.0)

    return tried


def _prune(trial: Any, row: EpochRow, kind: str) -> None:
    trial.report(row[FIGURES[kind]], int(row["epoch"]))
    if trial.should_prune():
        raise optuna().TrialPruned
