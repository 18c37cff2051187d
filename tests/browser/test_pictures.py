"""The pictures of the page in the documentation, taken of the real one. ``make pictures`` keeps them in docs/page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from facesecure.domain.accounts import Role
from support.page.looking import DESKTOP, PHONE

ROOT = Path(__file__).parents[2]
PICTURES = {
    "now-phone": ("/", PHONE, False),
    "timeline-phone": ("/timeline", PHONE, False),
    "visit-phone": ("visit", PHONE, False),
    "who-phone": ("/who", PHONE, True),
    "arm-phone": ("/arm", PHONE, False),
    "drill-phone": ("/drill", PHONE, True),
    "now-desktop": ("/", DESKTOP, False),
    "live-desktop": ("/live", DESKTOP, True),
}
MOST_BYTES = 150_000
COLOURS = 80


def small(path: Path) -> Path:
    """Save ``path`` again with few colours: a third of the bytes, and nobody sees it."""
    with Image.open(path) as picture:
        reduced = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)
    return path


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_documentation_can_be_taken_again(house, signed_in, tmp_path, name):
    where, size, dark = PICTURES[name]
    page = signed_in(Role.OWNER, size, dark=dark)
    page.goto("/timeline" if where == "visit" else where, wait_until="load")
    if where == "visit":
        page.locator("a[href^='/visit/']").first.click()
        page.wait_for_load_state("load")
    page.wait_for_timeout(1500)
    folder = Path(os.environ.get("FACESECURE_PICTURES", tmp_path)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
    assert small(folder / f"{name}.png").stat().st_size <= MOST_BYTES
