"""The tables of faults and attacks tell of the very ones that tests try."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from support.faults.table import ATTACKS, FAULTS, PAGE, Row, Table

both = pytest.mark.parametrize("table", [FAULTS, ATTACKS], ids=lambda table: table.name)


@both
def test_every_trial_has_a_name_of_its_own_and_says_how_it_is_made(table: Table) -> None:
    assert [name for name, count in Counter(one.name for one in table.declared()).items() if count > 1] == []
    assert table.declared()
    assert all(one.how for one in table.declared())


def test_no_file_of_faults_is_forgotten() -> None:
    marked = {
        path.stem.removeprefix("test_") for path in FAULTS.folder.glob("test_*.py") if "@fault(" in path.read_text()
    }
    assert marked == set(FAULTS.first)


def test_no_test_of_an_attack_is_without_its_row() -> None:
    for path in ATTACKS.folder.glob("test_*.py"):
        assert "@attack(" in path.read_text(), path


@both
def test_the_page_s_rows_and_the_tests_trials_are_the_same(table: Table) -> None:
    if not (named := table.named_in(PAGE.read_text())):
        pytest.skip(f"docs/reliability.md has no table of {table.name} yet; make faults writes it")
    assert named == [one.name for one in table.declared()]


def rows(table: Table) -> list[Row]:
    return [Row(one.name, one.how, "a | b") for one in reversed(table.declared())]


@both
def test_the_table_is_written_in_its_order_between_the_page_s_marks(table: Table, tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(f"before\n{table.begin}\nstale\n{table.end}\nafter\n")
    table.keep(rows(table), tmp_path / "out", page)
    text = page.read_text()
    assert text.startswith(f"before\n{table.begin}\n| {table.kind} |")
    assert text.endswith(f"{table.end}\nafter\n")
    assert table.named_in(text) == [one.name for one in table.declared()]
    assert "stale" not in text
    assert table.text(rows(table)) in text


@both
def test_a_table_with_a_row_missing_is_not_put_into_the_page(table: Table, tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(f"{table.begin}\n{table.end}\n")
    assert "for want of" in table.keep(rows(table)[1:], tmp_path / "out", page)
    assert table.named_in(page.read_text()) == []


def test_rows_of_an_earlier_run_are_kept_beside_the_new(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(f"{FAULTS.begin}\n{FAULTS.end}\n")
    first, *others = rows(FAULTS)
    FAULTS.keep(others, tmp_path / "out", page)
    FAULTS.keep([first], tmp_path / "out", page)
    assert FAULTS.named_in(page.read_text()) == [one.name for one in FAULTS.declared()]


def test_a_page_without_marks_is_said() -> None:
    with pytest.raises(ValueError, match="has no"):
        FAULTS.put("nothing", "| table |\n")
