"""Text in pictures, for names that are not ASCII."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.app.demo.text import coverage, measure, wrap, write


@pytest.mark.parametrize("name", ["Zoë", "Łukasz", "Зоя", "Αγνή"])
def test_a_name_in_its_own_letters_differs_from_question_marks(name: str) -> None:
    assert not np.array_equal(coverage(name, 20), coverage("?" * len(name), 20))


@pytest.mark.parametrize("name", ["🙂", "李"])
def test_what_the_font_lacks_is_a_question_mark(name: str) -> None:
    assert np.array_equal(coverage(name, 20), coverage("?", 20))


def test_letters_stand_on_one_line_whether_they_reach_down_or_not() -> None:
    x, y = coverage("x", 40).max(1).nonzero()[0], coverage("y", 40).max(1).nonzero()[0]
    assert x[0] == pytest.approx(y[0], abs=1)
    assert y[-1] > x[-1] + 5


def test_text_over_the_edge_is_cut_off() -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    write(image, "a long name", (20, 12), 16, (255, 255, 255))
    write(image, "below", (0, 50), 16, (255, 255, 255))
    assert image[12:, 20:].any()


def test_lines_are_no_wider_than_asked_for() -> None:
    lines = wrap("something moved for five seconds and showed no face", 15, 150)
    assert len(lines) > 2
    assert all(measure(line, 15) <= 150 for line in lines)


def test_nothing_has_no_lines() -> None:
    assert wrap("", 15, 150) == []
