"""The pictures of the page in the documentation: those that are shown are there, and none lies about unused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
SHOWN = sorted(re.findall(r"\]\((page/[\w-]+\.png)\)", (DOCS / "page.md").read_text()))
TAKEN = re.findall(r'^    "([\w-]+)": Shot\(', (ROOT / "tests" / "browser" / "test_pictures.py").read_text(), re.M)


def test_every_picture_is_shown_and_can_be_taken_again():
    there = sorted(f"page/{path.name}" for path in (DOCS / "page").iterdir())
    assert SHOWN == there == sorted(f"page/{name}.png" for name in TAKEN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_is_small_and_of_a_phone_or_a_desk(name):
    path = DOCS / name
    assert path.stat().st_size <= 150_000
    with Image.open(path) as picture:
        assert picture.size == ((390, 844) if "phone" in name else (1280, 800))


def test_the_readme_shows_the_page():
    assert "docs/page/now-desktop.png" in (ROOT / "README.md").read_text()
