"""A line that is not TOML does not hide the mistakes in the others."""

from __future__ import annotations

import pytest

from facesecure.config.toml_text import parse


def test_what_is_right_is_parsed_as_it_is() -> None:
    assert parse("[camera]\nfps = 3\n") == ({"camera": {"fps": 3}}, "[camera]\nfps = 3\n", ())


def test_each_line_that_is_not_toml_is_a_problem_and_the_rest_is_read() -> None:
    tables, _, problems = parse('[camera]\nsource = rtsp://x\nfps = 3\nname = "door\n[store]\nkeep_days = 3 days\n')
    assert tables == {"camera": {"fps": 3}, "store": {}}
    assert [problem.line for problem in problems] == [2, 4, 6]
    assert problems[0].text == "there is no value that could be read; text needs quotes"
    assert problems[1].text == "the quotes are not closed on this line"


@pytest.mark.parametrize("text", ['x = """never\nends', "x = [1,\n2", "[camera\nfps = 3", "key value\nfps = 3"])
def test_where_a_fault_may_go_on_over_lines_the_rest_is_not_guessed(text: str) -> None:
    tables, kept, problems = parse(text)
    assert (tables, kept, len(problems)) == ({}, "", 1)


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "x = " + "9" * 5000, "x = 2026-13-45"])
def test_what_breaks_the_parser_is_a_problem_too(text: str) -> None:
    _, _, problems = parse(text)
    assert len(problems) == 1


def test_a_file_of_another_kind_is_not_listed_line_by_line() -> None:
    assert len(parse("a = b\n" * 500)[2]) == 20
