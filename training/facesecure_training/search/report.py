"""The report of a search: each trial, the importance of each setting, and the command that trains the best."""

from __future__ import annotations

import html
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.domain.errors import UsageError
from facesecure.util.plain_text import escaped
from facesecure_training.common.optional_dependencies import pyplot
from facesecure_training.search.study import optuna


def write(study: Any, folder: Path, command: str) -> Path:
    """Write importance.png, parallel.png and report.html to ``folder``, and return the page's path.

    Raises UsageError if no trial has finished.
    """
    done = finished(study)
    if not done:
        raise UsageError("no trial has finished yet", "let the search run longer")
    folder.mkdir(parents=True, exist_ok=True)
    _importance_chart(folder / "importance.png", importance(study))
    _parallel_chart(folder / "parallel.png", done)
    page = folder / "report.html"
    page.write_text(escaped(_page(study, done, command)), encoding="utf-8")
    return page


def finished(study: Any) -> list[Any]:
    """Return the trials with a value, best first."""
    state = optuna().trial.TrialState.COMPLETE
    found = study.get_trials(deepcopy=False, states=(state,))
    return sorted(found, key=lambda trial: trial.value, reverse=study.direction.name == "MAXIMIZE")


def importance(study: Any) -> Mapping[str, float]:
    """Return each setting's share in how good a trial was, by PED-ANOVA (Watanabe et al., IJCAI 2023)."""
    tuna = optuna()
    if len(finished(study)) < 4:
        return {}
    evaluator = tuna.importance.PedAnovaImportanceEvaluator()
    found: Mapping[str, float] = tuna.importance.get_param_importances(study, evaluator=evaluator)
    return found


def best_command(study: Any, kind: str, given: Mapping[str, Any], out: Path) -> str:
    """Return the command that trains with the best settings, and those ``given`` to all trials."""
    words = ["facesecure-train", "train", kind]
    for name, value in {**given, "out": out, **finished(study)[0].params}.items():
        words += [f"--{name.replace('_', '-')}", f"{value:.6g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)


def _page(study: Any, done: Sequence[Any], command: str) -> str:
    names = list(done[0].params)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("trial", "value", *names))
    rows = "".join(
        f"<tr><td>{one.number}</td><td>{one.value:.4f}</td>"
        + "".join(f"<td>{html.escape(str(one.params[name]))}</td>" for name in names)
        + "</tr>"
        for one in done
    )
    other = len(study.get_trials(deepcopy=False)) - len(done)
    return f"""<!doctype html><meta charset="utf-8"><title>Search {html.escape(study.study_name)}</title>
<style>body{{font:15px sans-serif;max-width:70em;margin:2em auto}}td,th{{padding:.2em .8em;text-align:left}}</style>
<h1>Search {html.escape(study.study_name)}</h1>
<p>{len(done)} trials finished, {other} stopped early or failed. Train with the best settings:</p>
<pre>{html.escape(command)}</pre>
<h2>Importance of the settings</h2><img src="importance.png" alt="importance of each setting">
<h2>All trials</h2><img src="parallel.png" alt="parallel coordinates">
<table><tr>{head}</tr>{rows}</table>
"""


def _importance_chart(path: Path, shares: Mapping[str, float]) -> None:
    def draw(axes: Any) -> None:
        axes.barh(list(shares), list(shares.values()))
        axes.invert_yaxis()
        axes.set(xlabel="share" if shares else "too few trials")

    _save(path, draw)


def _parallel_chart(path: Path, done: Sequence[Any]) -> None:
    """Draw one line per trial across one axis per setting; the brighter, the better."""

    def draw(axes: Any) -> None:
        from matplotlib import colormaps

        names = list(done[0].params)
        columns = np.array(
            [_places(one.distributions[name], [t.params[name] for t in done]) for one in done[:1] for name in names]
        )
        for place in reversed(range(len(done))):
            rank = 1 - place / max(1, len(done) - 1)
            axes.plot(range(len(names)), columns[:, place], color=colormaps["viridis"](rank), alpha=0.3 + 0.7 * rank)
        axes.set_xticks(range(len(names)), names)
        axes.set(ylim=(-0.05, 1.05), ylabel="of its range (logarithmic where it was drawn so)")

    _save(path, draw)


def _places(distribution: Any, values: Sequence[Any]) -> list[float]:
    """Return the position of each value, 0 to 1, within the range that was searched."""
    if hasattr(distribution, "choices"):
        return [distribution.choices.index(value) / max(1, len(distribution.choices) - 1) for value in values]
    scale = np.log if distribution.log else float
    low, high = scale(distribution.low), scale(distribution.high)
    return [float((scale(value) - low) / max(high - low, 1e-12)) for value in values]


def _save(path: Path, draw: Any) -> None:
    plots = pyplot()
    figure, axes = plots.subplots(figsize=(9, 4.5), layout="constrained")
    draw(axes)
    figure.savefig(path, dpi=100)
    plots.close(figure)
