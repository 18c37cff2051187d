"""The table of faults tells of the very faults that tests inject."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from support.faults.table import BEGIN, END, FAULTS, MODULES, ROOT, Row, declared, keep, named_in, table, with_table


def test_every_fault_has_a_name_of_its_own_and_says_how_it_is_injected() -> None:
    assert [name for name, count in Counter(one.name for one in declared()).items() if count > 1] == []
    assert all(one.how for one in declared())


def test_no_file_of_faults_is_forgotten() -> None:
    marked = {path.stem.removeprefix("test_") for path in FAULTS.glob("test_*.py") if "@fault(" in path.read_text()}
    assert marked == set(MODULES)


def test_the_readme_s_rows_and_the_tests_faults_are_the_same() -> None:
    if not (named := named_in((ROOT / "docs" / "reliability.md").read_text())):
        pytest.skip("docs/reliability.md has no table of faults yet; make faults writes it")
    assert named == [one.name for one in declared()]


def rows() -> list[Row]:
    return [Row(one.name, one.how, "a | b") for one in reversed(declared())]


def test_the_table_is_written_in_its_order_between_the_readme_s_marks(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n")
    keep(rows(), tmp_path / "out", page)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n| fault |")
    assert text.endswith(f"{END}\nafter\n")
    assert named_in(text) == [one.name for one in declared()]
    assert "stale" not in text
    assert table(rows()) in text


def test_a_table_with_a_row_missing_is_not_put_into_the_readme(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    assert "for want of" in keep(rows()[1:], tmp_path / "out", page)
    assert named_in(page.read_text()) == []


def test_a_readme_without_marks_is_said() -> None:
    with pytest.raises(ValueError, match="has no"):
        with_table("nothing", "| table |\n")
