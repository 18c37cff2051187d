"""Figures and targets from measurements."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from benchmarks import chart, report
from benchmarks.labels import Labels, Sight, Visit
from benchmarks.results import DECODE, FULL, OURS, PISECURE, WHOLE, Figures, as_json, figures, targets

BOX = (100.0, 100.0, 140.0, 150.0)
ANN = Visit("Ann", True, {i: Sight(BOX, True, True) for i in range(40, 60)})
LABELS = Labels(fps=10, size=(640, 480), frames=100, visits=(ANN,))
READY = {"imported": 0.5, "ready": 1.2}


def _raw(busy: float, idle: float, **more: Any) -> dict[str, Any]:
    cpu = [busy if 40 <= index < 60 else idle for index in range(100)]
    claims = [{"frame": 42, "box": list(BOX), "name": "Ann"}]
    return {"cpu": cpu, "claims": claims, "peak_memory": 150 * 2**20, **more}


def _stages(busy: float, idle: float) -> dict[str, Any]:
    rows = [
        {"decode": 0.004, "detect": busy - 0.004, "motion": 0.0}
        if 40 <= index < 60
        else {"decode": 0.004, "detect": 0.0, "motion": idle - 0.004}
        for index in range(100)
    ]
    return {"stages": rows, "memory_steps": {"run": 150 * 2**20}}


def _found(busy: float = 0.01, idle: float = 0.005) -> dict[str, Figures]:
    return {
        DECODE: figures(DECODE, LABELS, _raw(0.004, 0.004), identifies=False),
        OURS: figures(OURS, LABELS, _raw(busy, idle, **_stages(busy, idle)), identifies=True),
        WHOLE: figures(WHOLE, LABELS, _raw(0.02, idle, **_stages(0.02, idle)), identifies=True),
        FULL: figures(FULL, LABELS, _raw(0.8, 0.4), identifies=True, note="sampled"),
        PISECURE: figures(PISECURE, LABELS, _raw(0.2, 0.1), identifies=False),
    }


def test_rates_are_of_busy_and_of_idle_frames() -> None:
    ours = _found()[OURS]
    assert (ours.busy_fps, ours.idle_fps) == (pytest.approx(100), pytest.approx(200))


def test_every_target_is_reached_by_a_system_that_reaches_it() -> None:
    aims = targets(_found(), READY)
    assert len(aims) == 8
    assert all(aim.reached for aim in aims)


def test_a_slow_system_is_told_what_holds_it_back() -> None:
    missed = {aim.what: aim for aim in targets(_found(busy=0.1, idle=0.02), READY) if not aim.reached}
    assert missed[f"busy frames, against {FULL}"].held_back_by.startswith("detect")
    assert missed["idle frames, against decoding alone"].held_back_by.startswith("motion")


def test_a_visit_lost_by_searching_parts_of_the_frame_is_told() -> None:
    found = _found()
    verdicts = found[OURS].verdicts
    assert verdicts is not None
    verdicts.right, verdicts.missed = 0, 1
    missed = [aim for aim in targets(found, READY) if not aim.reached]
    assert [(aim.wanted, aim.got) for aim in missed] == [(f"1, 0, 0 of {WHOLE}", "0, 1, 0")]


def test_a_target_whose_rival_was_not_run_is_not_claimed() -> None:
    found = _found()
    del found[FULL]
    assert not any(FULL in aim.what for aim in targets(found, READY))


def test_a_system_that_does_not_tell_who_it_is_has_no_verdicts() -> None:
    assert _found()[PISECURE].verdicts is None


def test_the_report_names_every_system_and_every_note() -> None:
    text = StringIO()
    found = _found()
    report.show(Console(file=text, width=200), found, targets(found, READY))
    assert all(name in text.getvalue() for name in found)
    assert "sampled" in text.getvalue()


def test_the_json_has_figures_targets_and_mistakes() -> None:
    found = _found()
    document = as_json(found, targets(found, READY), {"seed": 1})
    assert document["systems"][OURS]["wrong"] == 0
    assert document["systems"][PISECURE]["wrong"] is None
    assert len(document["targets"]) == 8


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_chart_is_a_picture(tmp_path: Any) -> None:
    chart.draw(tmp_path / "door.png", _found(), "a title")
    assert (tmp_path / "door.png").read_bytes().startswith(b"\x89PNG")
