"""Draws a calibration: for each person, the scores of strangers, rivals and the person, and the threshold."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from facesecure.domain.errors import FacesecureError
from facesecure.util.installing import found, install_extra

if TYPE_CHECKING:
    from facesecure.recognition.calibration import Calibration, PersonCalibration, Spread

_INSTALL = f"install it: {install_extra('charts')}"
_SCORES = np.linspace(-0.5, 1.0, 400)
_WIDTH, _ROW_HEIGHT, _MARGIN_HEIGHT = 8.0, 1.3, 1.1
_STRANGERS, _OWN, _RIVALS, _LINE = "#d1495b", "#2e7d5b", "#edae49", "#22223b"


def require_charts() -> None:
    """Raise FacesecureError, with the command that installs it, if matplotlib is missing; it is not imported."""
    if not found("matplotlib"):
        raise FacesecureError("a chart needs matplotlib, which is not installed", _INSTALL)


def draw_chart(calibration: Calibration) -> bytes:
    """Return the chart as a PNG, one row for each person. Raises FacesecureError if matplotlib is missing."""
    require_charts()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(calibration.people)
    figure = Figure(figsize=(_WIDTH, _MARGIN_HEIGHT + _ROW_HEIGHT * count), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for row, (name, person) in zip(rows, calibration.people.items(), strict=True):
        _draw_person(row, name, person)
    rows[0].set_title(f"Similarity of single clear faces; 1 stranger in {1 / calibration.false_accept:,.0f} let in")
    rows[-1].set_xlabel("similarity (cosine to the nearest template)")
    _add_legend(figure, rows)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    return drawn.getvalue()


def _draw_person(row: Any, name: str, person: PersonCalibration) -> None:
    row.fill_between(_SCORES, _density(person.impostor), color=_STRANGERS, alpha=0.55, label="strangers")
    row.fill_between(_SCORES, _density(person.genuine), color=_OWN, alpha=0.55, label="the person")
    for rival in person.rivals:
        row.plot(_SCORES, _density(rival.scores), color=_RIVALS, label="others enrolled")
        _write(row, rival.name, float(_SCORES[int(np.argmax(_density(rival.scores)))]), 0.75)
    row.axvline(person.threshold, color=_LINE, linewidth=1.5, label="threshold")
    _write(row, f" {person.threshold:.2f}", person.threshold, 0.9)
    row.set_ylabel(name, rotation=0, horizontalalignment="right", parse_math=False)
    row.set_yticks([])
    row.set_xlim(_SCORES[0], _SCORES[-1])
    for side in ("top", "left", "right"):
        row.spines[side].set_visible(False)


def _write(row: Any, text: str, score: float, height: float) -> None:
    """Write ``text`` at ``score``, at ``height`` as a share of the row's."""
    place = row.get_xaxis_transform()
    row.text(score, height, text, transform=place, fontsize="small", parse_math=False, clip_on=True)


def _add_legend(figure: Any, rows: Any) -> None:
    """Explain each kind of curve once, whichever rows have it; names and thresholds stand in the rows themselves."""
    kinds = {label: handle for row in rows for handle, label in zip(*row.get_legend_handles_labels(), strict=True)}
    figure.legend(kinds.values(), kinds, loc="outside lower center", ncols=len(kinds), fontsize="small", frameon=False)


def _density(spread: Spread) -> np.ndarray[Any, np.dtype[np.float64]]:
    scores = spread.scores()
    return np.exp([scores.log_density(float(score), 1) for score in _SCORES])
