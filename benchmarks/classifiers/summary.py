"""Sum up all trainings as one JSON document: shares with intervals over trainings and people, for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.classifiers.figures import RATES, Figures, Judged
from benchmarks.classifiers.outputs import LIGHTS
from benchmarks.classifiers.plan import AUGMENTED, SPLITS, Budget, Unit
from facesecure_training.evaluation.bootstrap import Tally, crossed, nested

Document = dict[str, Any]
Trainings = Mapping[Unit, Judged]


def sum_up(judged: Trainings, budget: Budget) -> Document:
    """Return ``table`` (by family and number of others), ``light`` and ``split``."""
    return {
        "table": {
            family: {str(others): _row(_figures(judged, family, others)) for others in budget.negatives}
            for family in budget.families
        },
        "light": {family: _light(judged, family, budget) for family in budget.families},
        "split": {family: _split(judged, family, budget) for family in budget.families},
    }


def _figures(judged: Trainings, family: str, others: int, augment: str = "", split: str = "photo") -> list[Figures]:
    wanted = (family, others, augment, split)
    return [
        one.figures() for unit, one in judged.items() if (unit.family, unit.others, unit.augment, unit.split) == wanted
    ]


def _row(figures: Sequence[Figures]) -> Document:
    """Return every share of some trainings of one kind; members are their own people, strangers the same for all."""
    return {
        "accuracy": _nested([one.accuracy for one in figures]),
        "likeliest": _nested([one.likeliest for one in figures]),
        "strangers likeliest": _crossed([one.strangers_likeliest for one in figures]),
        **{f"named at {rate}": _nested([one.named[rate] for one in figures]) for rate in RATES},
        **{f"misnamed at {rate}": _nested([one.misnamed[rate] for one in figures]) for rate in RATES},
        **{f"strangers at {rate}": _crossed([one.strangers[rate] for one in figures]) for rate in RATES},
    }


def _light(judged: Trainings, family: str, budget: Budget) -> Document:
    """Return, by augmentation and light, who is named at the first of RATES."""
    found: Document = {}
    for augment in AUGMENTED:
        some = [
            one
            for unit, one in judged.items()
            if (unit.family, unit.others, unit.augment) == (family, budget.middle, augment)
        ]
        found[augment] = {light: _in_light(some, light) for light in LIGHTS} if some else {}
    return found


def _in_light(judged: Sequence[Judged], light: str) -> Document:
    figures = [one.figures(light) for one in judged]
    return {
        "named": _nested([one.named[RATES[0]] for one in figures]),
        "strangers": _crossed([one.strangers[RATES[0]] for one in figures]),
    }


def _split(judged: Trainings, family: str, budget: Budget) -> Document:
    rows = {split: _figures(judged, family, budget.middle, split=split) for split in SPLITS}
    return {split: _row(figures) for split, figures in rows.items() if figures}


def _nested(tallies: Sequence[Tally]) -> Document:
    return rounded(asdict(nested(tallies)))


def _crossed(tallies: Sequence[Tally]) -> Document:
    return rounded(asdict(crossed(tallies)))


def rounded(interval: Document) -> Document:
    """Return an interval with its shares to five places."""
    return {name: round(value, 5) if isinstance(value, float) else value for name, value in interval.items()}
