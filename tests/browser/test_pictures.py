"""The pictures of the page in the documentation, taken of the real one. ``make pictures`` keeps them in docs/page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from facesecure.domain.accounts import Role
from support.faults.household import wait_until
from support.page.house import House
from support.page.looking import DESKTOP, PHONE

COMES = 45_000
"""Milliseconds until Grace has come to the door again."""


def see_grace(page: Page) -> None:
    """Wait until live pictures name her."""
    page.locator("canvas[aria-label*='Grace Hopper']").wait_for(timeout=COMES)


def look_at_the_last_stranger(page: Page) -> None:
    page.locator("li.visit").filter(has_text="Visitor 1").first.get_by_role("link").click()
    page.get_by_text("Who was told").wait_for()


def rehearse(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Begin at")).click()
    page.get_by_text("The alarm works").wait_for(timeout=COMES)


def settle(page: Page) -> None:
    """Wait for the pictures of the page."""
    page.wait_for_timeout(1500)


@dataclass(frozen=True)
class Shot:
    """A picture: which screen, how large, light or dark, and what is done before it is taken."""

    path: str
    size: Any = field(default_factory=lambda: PHONE)
    dark: bool = False
    before: Callable[[Page], None] = settle


PICTURES = {
    "now-phone": Shot("/"),
    "timeline-phone": Shot("/timeline"),
    "visit-phone": Shot("/timeline", before=look_at_the_last_stranger),
    "who-phone": Shot("/who", dark=True),
    "arm-phone": Shot("/arm"),
    "drill-phone": Shot("/drill", dark=True, before=rehearse),
    "now-desktop": Shot("/", DESKTOP),
    "live-desktop": Shot("/live", DESKTOP, dark=True, before=see_grace),
}
MOST_BYTES = 150_000
COLOURS = 64


def small(path: Path) -> Path:
    """Save ``path`` again with few colours: a third of the bytes, and nobody sees it."""
    with Image.open(path) as picture:
        reduced = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)
    return path


@pytest.fixture(scope="module", autouse=True)
def been_twice(house: House, visited: None) -> None:
    """Both have come more than once, so that there is something to see."""
    wait_until(lambda: len(house.command("events", "list", "--json")["events"]) >= 4, "visit of each", 60, every=1.0)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_documentation_can_be_taken_again(signed_in, tmp_path, name):
    shot = PICTURES[name]
    page = signed_in(Role.OWNER, shot.size, dark=shot.dark)
    page.goto(shot.path, wait_until="load")
    shot.before(page)
    folder = Path(os.environ.get("FACESECURE_PICTURES", tmp_path)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
    assert small(folder / f"{name}.png").stat().st_size <= MOST_BYTES
