"""The charts of ``facesecure-train evaluate ... --plot DIR``; matplotlib is imported when the first is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from facesecure_training.evaluation.openset_report import OpensetReport
    from facesecure_training.evaluation.quality_fit import QualityReport
    from facesecure_training.evaluation.tracks_report import TracksReport

_COLOURS = ("#2e7d32", "#90a4ae", "#ef6c00", "#5e35b1")
_LABELLED = 12


def openset(path: Path, report: OpensetReport) -> None:
    """Draw the family named against strangers let in, and the rate asked for beside the rate measured."""
    _draw(path, [lambda axes: _named(axes, report), lambda axes: _asked_and_got(axes, report)])


def tracks(path: Path, report: TracksReport) -> None:
    """Draw the family named, and strangers let in, by each rule at each rate."""
    _draw(
        path,
        [
            lambda axes: _bars(axes, report, "named", "Family named, %"),
            lambda axes: _bars(axes, report, "called_strangers", "Family called strangers, %"),
            lambda axes: _bars(axes, report, "named_ever", "Strangers ever given a name, of 10,000"),
        ],
    )


def quality(path: Path, report: QualityReport) -> None:
    """Draw the predicted clarity against the share of similarity kept: in bins, and by corruption."""
    _draw(path, [lambda axes: _calibration(axes, report), lambda axes: _kinds(axes, report)])


def verification(path: Path, scores: Sequence[float | None], same: Sequence[bool], threshold: float) -> None:
    """Draw the distribution of cosines for pairs of one person and of two, and the threshold."""

    def histogram(axes: Axes) -> None:
        for truth, colour, label in ((True, _COLOURS[0], "one person"), (False, _COLOURS[2], "two people")):
            some = [s for s, t in zip(scores, same, strict=True) if s is not None and t is truth]
            axes.hist(some, bins=60, color=colour, alpha=0.7, label=label)
        axes.axvline(threshold, color="black", linewidth=1, label=f"threshold {threshold:.3f}")
        axes.set(xlabel="cosine", ylabel="pairs")
        axes.legend()

    _draw(path, [histogram])


def _draw(path: Path, parts: Sequence[Callable[[Axes], None]]) -> None:
    """Draw one figure with its parts side by side. Raises UsageError if it cannot be written."""
    plots = pyplot()
    figure, axes = plots.subplots(1, len(parts), figsize=(6.5 * len(parts), 5), layout="constrained", squeeze=False)
    for draw, place in zip(parts, axes[0], strict=True):
        draw(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "choose a folder that can be written") from error
    finally:
        plots.close(figure)


def _named(axes: Axes, report: OpensetReport) -> None:
    from facesecure_training.evaluation.openset import curve

    for (way, outcomes), colour in zip(report.curves.items(), _COLOURS, strict=False):
        asked, named = curve(outcomes)
        axes.plot(asked, named, color=colour, label=way)
    axes.set(xscale="log", xlabel="strangers let in, %", ylabel="family named, %", title="One photo at a time")
    axes.set_ylim(90, 100)
    axes.grid(alpha=0.3)
    axes.legend()


def _asked_and_got(axes: Axes, report: OpensetReport) -> None:
    asked = np.array([one.asked or np.nan for one in report.thresholds])
    axes.plot(asked, asked, color=_COLOURS[1], label="as asked for")
    axes.fill_between(asked, asked / 2, asked * 2, color=_COLOURS[1], alpha=0.2, label="within a factor of two")
    axes.plot(
        asked, [one.got for one in report.thresholds], "o", color=_COLOURS[0], label="measured, by the thresholds"
    )
    axes.plot(
        asked, [one.got for one in report.judged], "s", color=_COLOURS[2], label="measured, by the whole verdict rule"
    )
    axes.set(xscale="log", yscale="log", xlabel="strangers let in, asked for", ylabel="measured", title="As calibrated")
    axes.legend()


def _bars(axes: Axes, report: TracksReport, figure: str, title: str) -> None:
    labels = [f"{one.rule}, {one.asked:g}" for one in report.rules]
    values = [getattr(one, figure) for one in report.rules]
    colours = [_COLOURS[0] if one.rule == "ours" else _COLOURS[1] for one in report.rules]
    axes.bar_label(axes.barh(labels, values, color=colours), fmt="%.3g", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_title(title)


def _calibration(axes: Axes, report: QualityReport) -> None:
    axes.plot([0, 1], [0, 1], color=_COLOURS[1])
    axes.plot([one.predicted for one in report.bins], [one.kept for one in report.bins], "o-", color=_COLOURS[0])
    axes.set(xlabel="clarity", ylabel="share of the similarity kept", title=f"{report.faces} faces, in bins")
    axes.grid(alpha=0.3)


def _kinds(axes: Axes, report: QualityReport) -> None:
    axes.plot([0, 1], [0, 1], color=_COLOURS[1])
    for one in report.kinds:
        axes.plot(one.predicted, one.kept, "o", color=_COLOURS[0])
    for one in _farthest(report):
        axes.annotate(one.kind, (one.predicted, one.kept), fontsize=7)
    axes.set(xlabel="clarity", ylabel="share of the similarity kept", title="By corruption")
    axes.grid(alpha=0.3)


def _farthest(report: QualityReport) -> Sequence[Any]:
    return sorted(report.kinds, key=lambda one: -abs(one.predicted - one.kept))[:_LABELLED]
