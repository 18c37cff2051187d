"""Chromium before a real page: fixtures of the browser tests, which are slow.

``house`` is one household for all tests; ``signed_in(role)`` opens a browser in which a person with that role is signed
in, and ``page`` one of an owner, on a phone. What a test changes it changes back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from facesecure.domain.accounts import Role
from support.faults.household import Home
from support.page.films import again_and_again, half_a_minute
from support.page.house import House, photo_album
from support.page.looking import PHONE, Watched, cookies_of

CHROMIUM = os.environ.get("FACESECURE_CHROMIUM", "/usr/bin/chromium")
SignedIn = Callable[..., Page]
NAMES = {Role.OWNER: "Anna", Role.MEMBER: "Ben", Role.VIEWER: "Clara", Role.KIOSK: "hall tablet"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """None of these is quick."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A household whose daemon watches a film for half an hour, and whose page is open."""
    folder = tmp_path_factory.mktemp("house")
    film = again_and_again(folder / "film.mp4", half_a_minute(folder / "once.mp4"), 60)
    house = House(Home(folder, film), photo_album(folder / "album"))
    try:
        house.begin()
        yield house
    finally:
        house.end()


@pytest.fixture(scope="session")
def chromium(house: House) -> Iterator[Browser]:
    """Debian's Chromium, which trusts the page's key and no other."""
    if shutil.which(CHROMIUM) is None:
        why = f"{CHROMIUM} is not here: apt install chromium"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    words = [f"--ignore-certificate-errors-spki-list={house.fingerprint}", "--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=words)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions(house: House) -> Callable[[Role], Any]:
    """The cookies of a browser in which a person with that role is signed in, once for each role."""
    kept: dict[Role, Any] = {}

    def cookies(role: Role) -> Any:
        for one in (Role.OWNER, role):  # the first account is an owner's
            if one not in kept:
                kept[one] = cookies_of(house, NAMES[one], one)
        return kept[role]

    return cookies


@pytest.fixture
def signed_in(house: House, chromium: Browser, sessions: Callable[[Role], Any]) -> Iterator[SignedIn]:
    """``signed_in(Role.MEMBER, size=DESKTOP, dark=True, javascript=False)`` opens a page that is watched.

    At the end of the test there must have been no error in its console and no request to another origin.
    """
    opened: list[tuple[BrowserContext, Watched]] = []

    def open_page(
        role: Role = Role.OWNER,
        size: Any = PHONE,
        *,
        dark: bool = False,
        javascript: bool = True,
        locale: str = "en-GB",
    ) -> Page:
        context = chromium.new_context(
            base_url=house.url, storage_state=sessions(role), viewport=size, locale=locale,
            color_scheme="dark" if dark else "light", java_script_enabled=javascript, has_touch=size is PHONE,
            is_mobile=size is PHONE, device_scale_factor=1, reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(10_000)
        page = context.new_page()
        opened.append((context, Watched(page, house.url)))
        return page

    yield open_page
    for context, watched in opened:
        context.close()
        watched.check()


@pytest.fixture
def page(signed_in: SignedIn) -> Page:
    """An owner's phone."""
    return signed_in(Role.OWNER)
