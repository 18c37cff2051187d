"""Text in pictures, for names that are not ASCII."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from facesecure.app.demo.text import GLYPHS, coverage, measure, wrap, write


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


@pytest.mark.parametrize("size", [12, 15, 20, 26, 60])
def test_text_looks_as_freetype_draws_it(size: int) -> None:
    pytest.importorskip("matplotlib", reason="needs the [charts] extra")
    drawn = drawn_by_freetype("Grace Hopper 0.71 Zoë Łukasz Зоя", size).astype(float)
    ours = coverage("Grace Hopper 0.71 Zoë Łukasz Зоя", size).astype(float)
    assert ours.shape[1] == pytest.approx(drawn.shape[1], rel=0.04)
    assert ours.sum() == pytest.approx(drawn.sum(), rel=0.12)
    assert ours.max() > 180


def drawn_by_freetype(text: str, size: int) -> np.ndarray:
    import matplotlib
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    font.set_size(size, 72)
    font.set_text(text, 0.0)
    font.draw_glyphs_to_bitmap(antialiased=True)
    return np.array(font.get_image())


def test_a_name_is_drawn_the_same_however_its_accents_are_stored() -> None:
    composed = "Zoë Núñez"
    assert np.array_equal(coverage(unicodedata.normalize("NFD", composed), 20), coverage(composed, 20))


@pytest.mark.parametrize("text", ["", " ", "\u0301", "\u0301a", "Ẫ\u0323\u0302", "שלום", "a" * 500])
@pytest.mark.parametrize("size", [1, 12, 48, 100])
def test_any_text_is_one_line_of_its_height(text: str, size: int) -> None:
    mask = coverage(text, size)
    assert mask.dtype == np.uint8
    assert (mask.shape[0], mask.shape[1] >= 1) == (round(1.3 * size), True)


def test_the_letters_that_are_shipped_are_those_that_are_drawn_from_the_font(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the [charts] extra")
    from facesecure_training.importing.glyphs import draw

    assert draw(tmp_path / "letters.npz") > 1800
    with np.load(tmp_path / "letters.npz") as drawn, np.load(GLYPHS) as shipped:
        assert np.array_equal(drawn["codes"], shipped["codes"])
        assert np.abs(drawn["places"] - shipped["places"]).max() <= 1
        assert np.abs(drawn["ink"].astype(int) - shipped["ink"]).mean() < 1
