"""The search space: learning rate, batch size, epochs, augmentation and width; of a siamese DenseNet also its shape.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13, 2012: of many settings few matter, and a
grid wastes its trials on the same few values of those. The learning rate, which always matters, is drawn uniformly on a
logarithmic scale.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from facesecure_training.recipes.settings import SiameseSettings, TrainingSettings

RATES = (1e-7, 1e-1)
BATCHES = (8, 16, 32, 64, 128)
STRENGTHS = (0.0, 1.5)
WIDTHS = (0.25, 1.0)
MARGINS = (0.8, 2.0)
GROWTHS = (8, 12, 16, 24)
BLOCKS = ("2,4,6,4", "3,6,8,6", "4,8,12,8")
SIDES = (48, 64, 80)
CYCLES = (1, 4)


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The bounds of a search: of ``epochs`` and of learning ``rates``; the other bounds are fixed."""

    epochs: tuple[int, int] = (5, 30)
    rates: tuple[float, float] = RATES

    def propose(self, trial: Any, settings: TrainingSettings) -> TrainingSettings:
        """Return ``settings`` with the values that ``trial`` (optuna.Trial) proposes."""
        found: dict[str, Any] = {
            "lr": trial.suggest_float("lr", *self.rates, log=True),
            "batch": trial.suggest_categorical("batch", BATCHES),
            "epochs": trial.suggest_int("epochs", *self.epochs),
            "augment": trial.suggest_categorical("augment", ("none", "report", "door", "aligned")),
            "strength": trial.suggest_float("strength", *STRENGTHS),
        }
        if "width" in {field.name for field in fields(settings)}:
            found["width"] = trial.suggest_float("width", *WIDTHS)
        if isinstance(settings, SiameseSettings):
            found |= _of_siamese(trial)
        return replace(settings, **found)


def _of_siamese(trial: Any) -> dict[str, Any]:
    """Return margin, shape and cycle of a siamese DenseNet, as ``trial`` proposes."""
    return {
        "margin": trial.suggest_float("margin", *MARGINS),
        "growth": trial.suggest_categorical("growth", GROWTHS),
        "blocks": trial.suggest_categorical("blocks", BLOCKS),
        "size": trial.suggest_categorical("size", SIDES),
        "schedule": trial.suggest_categorical("schedule", ("one-cycle", "triangular")),
        "cycle": trial.suggest_int("cycle", *CYCLES),
    }
