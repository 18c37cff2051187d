"""What is kept of drills."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from facesecure.services.drill.report import (
    FOLDER,
    KEPT,
    DrillReport,
    Step,
    last_good_report,
    load_reports,
    save_report,
)

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
GOOD = DrillReport(NOW, (Step("shown", 0.1), Step("delivered", 2.5, "google_home")), True, True, "all well")


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    save_report(GOOD, tmp_path)
    assert load_reports(tmp_path) == [GOOD]


def test_the_last_good_one_is_not_simply_the_last(tmp_path: Path) -> None:
    later = replace(GOOD, began_at=NOW + timedelta(days=1))
    bad = replace(GOOD, began_at=NOW + timedelta(days=2), good=False, why="not delivered by google_home")
    for report in (GOOD, later, bad):
        save_report(report, tmp_path)
    assert last_good_report(tmp_path) == later


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert (load_reports(tmp_path), last_good_report(tmp_path)) == ([], None)


def test_a_file_that_is_no_report_is_passed_over(tmp_path: Path) -> None:
    save_report(GOOD, tmp_path)
    (tmp_path / FOLDER / "2027-01-01T00-00-00Z.json").write_text('{"steps": 3}')
    assert load_reports(tmp_path) == [GOOD]


def test_only_the_newest_are_kept_and_only_for_the_owner(tmp_path: Path) -> None:
    for day in range(KEPT + 3):
        save_report(replace(GOOD, began_at=NOW + timedelta(days=day)), tmp_path)
    reports = load_reports(tmp_path)
    assert (len(reports), reports[-1].began_at) == (KEPT, NOW + timedelta(days=3))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / FOLDER).iterdir()} == {0o600}


def test_drills_of_the_same_second_are_all_kept(tmp_path: Path) -> None:
    reports = [replace(GOOD, began_at=NOW + timedelta(milliseconds=100 * step), why=f"{step}") for step in range(3)]
    for report in [*reports, replace(reports[2], why="the clock was set back")]:
        save_report(report, tmp_path)
    assert sorted(report.why for report in load_reports(tmp_path)) == ["0", "1", "2", "the clock was set back"]


def test_a_report_of_an_older_version_is_read_beside_new_ones(tmp_path: Path) -> None:
    earlier = replace(GOOD, began_at=NOW - timedelta(seconds=1))
    old = save_report(earlier, tmp_path)
    save_report(GOOD, tmp_path)
    assert load_reports(tmp_path)[0] == GOOD
    assert old.name == "2026-05-01T11-59-59-000000Z.json"
