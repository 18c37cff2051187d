"""The search space: learning rate, batch size, epochs, augmentation and width.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13, 2012: of many settings few matter, and a
grid wastes its trials on the same few values of those. The learning rate, which always matters, is drawn uniformly on a
logarithmic scale.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from facesecure_training.recipes.settings import TrainingSettings

RATES = (1e-7, 1e-1)
BATCHES = (8, 16, 32, 64, 128)
STRENGTHS = (0.0, 1.5)
WIDTHS = (0.25, 1.0)


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The bounds of a search: the fewest and most ``epochs``; the other bounds are fixed."""

    epochs: tuple[int, int] = (5, 30)

    def propose(self, trial: Any, settings: TrainingSettings) -> TrainingSettings:
        """Return ``settings`` with the values that ``trial`` (optuna.Trial) proposes."""
        found: dict[str, Any] = {
            "lr": trial.suggest_float("lr", *RATES, log=True),
            "batch": trial.suggest_categorical("batch", BATCHES),
            "epochs": trial.suggest_int("epochs", *self.epochs),
            "augment": trial.suggest_categorical("augment", ("none", "report", "door", "aligned")),
            "strength": trial.suggest_float("strength", *STRENGTHS),
        }
        if "width" in {field.name for field in fields(settings)}:
            found["width"] = trial.suggest_float("width", *WIDTHS)
        return replace(settings, **found)
