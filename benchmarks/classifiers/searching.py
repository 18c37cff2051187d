"""The search of a family's settings, on a household that is never tested, in images of a reduced size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.classifiers.plan import FAMILIES, Budget
from benchmarks.steps import Steps
from facesecure_training.search import report, study

KEPT = ("lr", "batch", "augment", "strength", "width")
"""What is taken over. Epochs are not: the final training ends when it makes no more progress."""


def search(steps: Steps, name: str, faces: str, budget: Budget, seed: int) -> dict[str, Any]:
    """Search the settings of the family ``name``; return them, with the trials' number and the best one's figure."""
    family, slug = FAMILIES[name], name.replace(" ", "-")
    low, high = budget.trial_epochs
    side = min(budget.trial_side, family.side)
    database = steps.folder / f"search-{slug}.db"
    fixed = () if family.recipe == "hugonet" else ("--compact", "cnn")
    words = (
        "search", "--kind", family.recipe, *fixed, "--data", f"{faces}/train", "--validation", f"{faces}/validation",
        "--trials", budget.trials, "--size", side, "--epochs", low, high,
        "--lr", *budget.trial_rates, "--pruner", "median", "--sampler", "random",
        "--storage", f"sqlite:///search-{slug}.db", "--out", f"search-{slug}", "--seed", seed,
    )  # fmt: skip
    done = steps.search(database, *words)
    return {"command": done["command"], "minutes": done["seconds"] / 60, **result(database)}


def result(database: Path) -> dict[str, Any]:
    """Return what a finished search found: the best trial's settings and figure, and how many there were."""
    found = study.open_study(f"sqlite:///{database}", "search", resume=True)
    done = report.finished(found)
    if not done:
        raise SystemExit(f"no trial in {database} has finished: delete it, and run the same command again")
    trials = found.get_trials(deepcopy=False)
    return {
        "settings": {name: value for name, value in done[0].params.items() if name in KEPT},
        "value": done[0].value,
        "finished": len(done),
        "ended early": len(trials) - len(done),
        "middle": done[len(done) // 2].value,
        "importance": dict(report.importance(found)),
    }
