"""The chart of a calibration explains every kind of curve, and each row shows its own threshold."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from facesecure.services import calibration_chart


class _Scores:
    def log_density(self, score: float, faces: int) -> float:
        return -abs(score) * faces


_SPREAD = SimpleNamespace(scores=_Scores)


def _person(threshold: float, *rivals: str) -> SimpleNamespace:
    found = [SimpleNamespace(name=rival, scores=_SPREAD) for rival in rivals]
    return SimpleNamespace(impostor=_SPREAD, genuine=_SPREAD, rivals=found, threshold=threshold)


def test_the_legend_names_each_kind_once_and_no_persons_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, file, **_: (drawn.append(figure), file.write(b"png")))
    people = {"Anna": _person(0.41), "Tom": _person(0.52, "Zoe", "Max")}
    calibration_chart.draw_chart(SimpleNamespace(people=people, false_accept=np.float64(1e-5)))  # type: ignore[arg-type]
    (figure,) = drawn
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.texts] == ["strangers", "the person", "threshold", "others enrolled"]
    written = [[text.get_text().strip() for text in row.texts] for row in figure.axes]
    assert written == [["0.41"], ["Zoe", "Max", "0.52"]]
