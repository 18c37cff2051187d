"""The charts of a report, as PNG bytes; matplotlib is imported when the first is drawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from facesecure.domain import Image
from facesecure_training.common.corruption_series import CORRUPTION_SERIES
from facesecure_training.common.optional_dependencies import pyplot
from facesecure_training.evaluation.rates import Curve, Rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREEN, ORANGE, GREY, VIOLET, INK = "#2e7d32", "#ef6c00", "#90a4ae", "#5e35b1", "#263238"
_LINES = (GREEN, VIOLET, ORANGE, GREY)
_STYLE: Any = {
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#eceff1",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}
_DET_TICKS = (0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8)


def roc(curves: Mapping[str, Rates]) -> bytes:
    """Draw impostors let in (logarithmic) against genuine faces accepted."""

    def draw(axes: Axes) -> None:
        for (name, one), colour in zip(curves.items(), _LINES, strict=False):
            far, tar = _points(one.curve)
            axes.step(np.maximum(far, _floor(one) / 2), tar, where="post", color=colour, label=_label(name, one))
        least = min(_floor(one) for one in curves.values())
        lowest = min(tar[far >= least][0] for far, tar in (_points(one.curve) for one in curves.values()))
        axes.set(xscale="log", xlim=(least / 2, 1), ylim=(0.8 if lowest > 0.82 else 0, 1.005))
        axes.set(xlabel="others accepted (false accepts)", ylabel="genuine accepted", title="ROC")
        axes.xaxis.set_major_formatter(_percent)
        axes.yaxis.set_major_formatter(_percent)
        axes.legend(loc="lower right")

    return _drawn(draw)


def det(curves: Mapping[str, Rates]) -> bytes:
    """Draw both errors on the normal deviate scale: a straight line if scores are Gaussian (Martin et al. 1997)."""

    def draw(axes: Axes) -> None:
        deviate = np.vectorize(NormalDist().inv_cdf)
        for (name, one), colour in zip(curves.items(), _LINES, strict=False):
            far, tar = _points(one.curve)
            inside = (far > 0) & (far < 1) & (tar > 0) & (tar < 1)
            if inside.any():
                axes.plot(deviate(far[inside]), deviate(1 - tar[inside]), color=colour, label=_label(name, one))
        ticks = deviate(np.array(_DET_TICKS))
        names = [
            f"{tick:.2%}" if tick < 0.001 else f"{tick:.1%}" if tick < 0.01 else f"{tick:.0%}" for tick in _DET_TICKS
        ]
        axes.plot([ticks[0], ticks[-1]], [ticks[0], ticks[-1]], color=GREY, linewidth=0.8, linestyle=":")
        axes.set_xticks(ticks, names)
        axes.set_yticks(ticks, names)
        axes.set(xlim=(ticks[0], ticks[-1]), ylim=(ticks[0], ticks[-1]))
        axes.set(xlabel="others accepted", ylabel="genuine refused", title="DET (dotted: equal errors)")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper right")

    return _drawn(draw)


def histogram(
    same: Sequence[float], different: Sequence[float], threshold: float, what: str, names: tuple[str, str]
) -> bytes:
    """Draw the distribution of both kinds of scores, each as shares, and the threshold."""

    def draw(axes: Axes) -> None:
        kinds = [np.array([value for value in some if np.isfinite(value)]) for some in (same, different)]
        edges = np.histogram_bin_edges(np.concatenate(kinds), bins=60)
        for values, name, colour in zip(kinds, names, (GREEN, ORANGE), strict=True):
            if len(values):
                weights = np.full(len(values), 1 / len(values))
                label = f"{name} ({len(values):,})"
                axes.hist(values, bins=edges.tolist(), weights=weights, color=colour, alpha=0.6, label=label)
        axes.axvline(threshold, color=INK, linewidth=1.2, linestyle="--", label=f"threshold {threshold:.3f}")
        axes.set(xlabel=what, ylabel="share of each", title="Scores")
        axes.yaxis.set_major_formatter(_percent)
        axes.legend()

    return _drawn(draw)


def confusion(rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> bytes:
    """Draw the shares of each row, with the counts."""

    def draw(axes: Axes) -> None:
        table = np.array(counts, float)
        shares = table / np.maximum(table.sum(1, keepdims=True), 1)
        axes.imshow(shares, cmap="Greens", vmin=0, vmax=1, aspect="auto")
        if table.size <= 400:
            for row, column in np.ndindex(table.shape):
                colour = "white" if shares[row, column] > 0.6 else INK
                axes.text(
                    column, row, f"{int(table[row, column]):,}", ha="center", va="center", color=colour, fontsize=9
                )
        axes.set_xticks(range(len(columns)), columns, rotation=30 if len(columns) > 4 else 0)
        axes.set_yticks(range(len(rows)), rows)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="likeliest class", ylabel="who it is", title="Confusion")

    return _drawn(draw)


def robustness(kinds: Mapping[str, Sequence[Any]], good: str, right: str, wrong: str = "false_accepts") -> bytes:
    """Draw, for each corruption, the share ``good`` (an attribute of a step), and the false accepts."""

    def draw(*places: Axes) -> None:
        for axes, (kind, some) in zip(places, kinds.items(), strict=False):
            strengths = [one.strength for one in some]
            kept, let_in = ([getattr(one, name) for one in some] for name in (good, wrong))
            axes.plot(strengths, kept, "o-", color=GREEN, label=right, markersize=4)
            axes.plot(strengths, let_in, "s-", color=ORANGE, label="others accepted", markersize=4)
            axes.axvline(CORRUPTION_SERIES[kind].untouched, color=GREY, linewidth=0.8, linestyle=":")
            axes.set(title=kind.capitalize(), xlabel=CORRUPTION_SERIES[kind].unit, ylim=(-0.03, 1.03))
            axes.yaxis.set_major_formatter(_percent)
        places[0].legend(loc="center right")

    return _drawn(draw, (12, 9.6), 3, 3)


def corruption_examples(crop: Image) -> bytes:
    """Draw one crop under each strength of each corruption."""
    import cv2

    side, most = 96, max(len(series.strengths) for series in CORRUPTION_SERIES.values())
    canvas = np.full((len(CORRUPTION_SERIES) * (side + 22), 110 + most * (side + 6), 3), 255, np.uint8)
    small = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    ink = (38, 50, 56)
    for row, (kind, series) in enumerate(CORRUPTION_SERIES.items()):
        top = row * (side + 22)
        cv2.putText(canvas, kind, (4, top + side // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
        for column, strength in enumerate(series.strengths):
            left = 110 + column * (side + 6)
            canvas[top : top + side, left : left + side] = series.corruption(small, strength)
            place = (left + 2, top + side + 14)
            cv2.putText(canvas, f"{strength:g}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, ink, 1, cv2.LINE_AA)
    return _encoded(canvas)


def faces(images: Sequence[tuple[str, Image]], across: int = 6) -> bytes:
    """Draw crops side by side, each with a line of text under it."""
    import cv2

    side, rows = 128, -(-len(images) // across)
    canvas = np.full((rows * (side + 24), min(across, len(images)) * (side + 8), 3), 255, np.uint8)
    for number, (text, image) in enumerate(images):
        top, left = number // across * (side + 24), number % across * (side + 8)
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        canvas[top : top + side, left : left + side] = small
        cv2.putText(
            canvas, text[:18], (left + 2, top + side + 15), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (38, 50, 56), 1, cv2.LINE_AA
        )
    return _encoded(canvas)


def _points(curve: Curve) -> tuple[Any, Any]:
    return np.array([0.0, *curve.far, 1.0]), np.array([0.0, *curve.tar, 1.0])


def _floor(one: Rates) -> float:
    """Return the lowest false accept rate that this number of impostors can show."""
    return max(1 / one.impostors, 1e-5)


def _label(name: str, one: Rates) -> str:
    return f"{name}: EER {one.eer:.2%}"


def _percent(value: float, _: float = 0) -> str:
    return f"{100 * value:.3g} %"


def _drawn(draw: Callable[..., None], size: tuple[float, float] = (6.2, 4.6), rows: int = 1, columns: int = 1) -> bytes:
    """Return a figure with that many axes, drawn by ``draw``, as a PNG."""
    plots = pyplot()
    found = io.BytesIO()
    with plots.rc_context(_STYLE):
        figure, places = plots.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
        try:
            draw(*places.ravel())
            figure.savefig(found, dpi=120, format="png")
        finally:
            plots.close(figure)
    return found.getvalue()


def _encoded(canvas: Image) -> bytes:
    import cv2

    return cv2.imencode(".png", canvas[:, :, ::-1])[1].tobytes()
