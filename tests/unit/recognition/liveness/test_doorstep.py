"""The limits of a door: learned from its known visits, signed, and never raised without end."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from facesecure.recognition.liveness.doorstep import ENOUGH, FILE_NAME, HIGHEST, Doorstep
from facesecure.recognition.liveness.visit import Limits, VisitSummary
from facesecure.storage.signed_documents import SignedDocuments


def door(folder: Path, camera: str = "front door") -> Doorstep:
    return Doorstep.load(camera, SignedDocuments(folder), Limits())


def test_a_door_with_few_visits_has_the_default_limits(tmp_path: Path) -> None:
    doorstep = door(tmp_path)
    for _ in range(ENOUGH - 1):
        doorstep.add(VisitSummary(9, 0.45, 0.75))
    assert doorstep.limits == Limits()


def test_limits_are_raised_above_what_known_visits_reach_and_last(tmp_path: Path) -> None:
    doorstep = door(tmp_path)
    for number in range(ENOUGH):
        doorstep.add(VisitSummary(9, 0.45 if number == 3 else 0.0, 0.78 if number == 7 else None))
    assert (doorstep.limits.together, doorstep.limits.score) == pytest.approx((0.55, 0.88))
    again = door(tmp_path).limits
    assert (again.together, again.score) == pytest.approx((0.55, 0.88))
    assert door(tmp_path, "gate").limits == Limits(), "each door learns for itself"


def test_doors_that_are_quiet_lower_nothing(tmp_path: Path) -> None:
    doorstep = door(tmp_path)
    for _ in range(ENOUGH):
        doorstep.add(VisitSummary(9, 0.0, 0.0))
    assert doorstep.limits == Limits()


def test_nobody_raises_them_beyond_the_highest() -> None:
    doorstep = Doorstep("front door", Limits())
    for _ in range(200):
        doorstep.add(VisitSummary(9, 0.99, 0.99))
    assert doorstep.limits == HIGHEST


def test_old_visits_are_forgotten() -> None:
    doorstep = Doorstep("front door", Limits())
    doorstep.add(VisitSummary(9, 0.6, 0.9))
    for _ in range(100):
        doorstep.add(VisitSummary(9, 0.0, 0.0))
    assert doorstep.limits == Limits()


def test_two_doors_share_the_file(tmp_path: Path) -> None:
    door(tmp_path).add(VisitSummary(9, 0.1, None))
    door(tmp_path, "gate").add(VisitSummary(9, 0.2, None))
    assert json.loads((tmp_path / FILE_NAME).read_text())["doors"].keys() == {"front door", "gate"}


def test_a_visit_of_which_nothing_was_measured_is_not_noted(tmp_path: Path) -> None:
    door(tmp_path).add(VisitSummary(2, None, None))
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize(
    "change",
    [lambda text: text.replace("0.45", "0.99"), lambda text: "{", lambda text: "[]", lambda text: '{"version": 1}'],
)
def test_a_file_that_others_wrote_is_not_used(tmp_path: Path, change: object, caplog: pytest.LogCaptureFixture) -> None:
    doorstep = door(tmp_path)
    for _ in range(ENOUGH):
        doorstep.add(VisitSummary(9, 0.45, 0.0))
    file = tmp_path / FILE_NAME
    assert callable(change)
    file.write_text(change(file.read_text()))
    with caplog.at_level(logging.ERROR):
        assert door(tmp_path).limits == Limits()
    assert "default limits" in caplog.text


@pytest.mark.parametrize("doors", [{"front door": [[2, 0]]}, {"front door": ["x"]}, [], {"front door": [[0.1]]}])
def test_a_signed_file_with_impossible_figures_is_not_used(tmp_path: Path, doors: object) -> None:
    SignedDocuments(tmp_path).write(FILE_NAME, {"version": 1, "doors": doors})
    assert door(tmp_path).limits == Limits()


def test_a_disk_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    doorstep = door(tmp_path)
    (tmp_path / FILE_NAME).mkdir()
    doorstep.add(VisitSummary(9, 0.1, None))
    doorstep.add(VisitSummary(9, 0.1, None))
    assert caplog.text.count("cannot write") == 1
