"""Charts of the experiment, without faces: the photos may not be published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facesecure_training.common.optional_dependencies import pyplot


def negatives(path: Path, table: Mapping[str, Any]) -> None:
    """Draw, against the number of other people learnt, who passes by the likeliest class, and who is named at 1 %."""
    plots = pyplot()
    figure, places = plots.subplots(1, 2, figsize=(10, 4), layout="constrained")
    titles = {
        "strangers likeliest": "unseen people who pass, likeliest class, %",
        "named at 0.01": "members named at 1 %, %",
    }
    for axes, (key, title) in zip(places, titles.items(), strict=True):
        for family, rows in table.items():
            others = sorted(int(count) for count in rows)
            shares = [rows[str(count)][key] for count in others]
            middle = [100 * one["value"] for one in shares]
            reach = [
                [100 * (one["value"] - one["low"]) for one in shares],
                [100 * (one["high"] - one["value"]) for one in shares],
            ]
            axes.errorbar(others, middle, yerr=reach, marker="o", capsize=3, label=family)
        axes.set(xscale="log", xticks=others, xticklabels=[str(count) for count in others])
        axes.minorticks_off()
        axes.set(xlabel="other people learnt as unknown", title=title, ylim=(0, None))
        axes.grid(alpha=0.3)
    places[0].legend()
    _save(figure, path)


def light(path: Path, arms: Mapping[str, Any]) -> None:
    """Draw who is named at 1 % in each light, by augmentation, a panel a network."""
    plots = pyplot()
    figure, places = plots.subplots(1, len(arms), figsize=(4 * len(arms), 4), layout="constrained", squeeze=False)
    for axes, (family, augmentations) in zip(places[0], arms.items(), strict=True):
        for number, (name, lights) in enumerate(augmentations.items()):
            shares = [one["named"] for one in lights.values()]
            middle = [100 * one["value"] for one in shares]
            reach = [
                [100 * (one["value"] - one["low"]) for one in shares],
                [100 * (one["high"] - one["value"]) for one in shares],
            ]
            where = [place + 0.25 * (number - 1) for place in range(len(shares))]
            axes.bar(where, middle, 0.25, yerr=reach, capsize=2, label=name)
            axes.set_xticks(range(len(lights)), [word.replace(" of ", " of\n") for word in lights], fontsize=7)
        axes.set(title=family, ylim=(0, 100))
    places[0][0].set(ylabel="members named, %")
    places[0][0].legend(title="trained with", fontsize=7)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})
    pyplot().close(figure)
