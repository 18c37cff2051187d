"""Chromium before a real page: fixtures of the browser tests, which are slow.

``house`` is one household for all tests; ``signed_in(role)`` opens a browser in which a person with that role is signed
in, and ``page`` one of an owner, on a phone. What a test changes it changes back.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from facesecure.domain.accounts import Role
from facesecure.services.certificates.folder import issue
from facesecure.services.certificates.names import Names
from support.faults.household import Home, wait_until
from support.page.films import again_and_again, both_callers
from support.page.house import PASSWORD, House, key_of, photo_album
from support.page.looking import PHONE, Watched, cookies_of

CHROMIUM = os.environ.get("FACESECURE_CHROMIUM", "/usr/bin/chromium")
LONG_ENOUGH = 270
"""Times that twenty seconds are filmed: an hour and a half, which all slow tests together do not take."""
_PASSWORD_EVERY = 240.0
"""Seconds after which a person gives the password again."""
_SECONDS = 30.0
"""What a page may take for anything: a busy machine pauses for seconds, and a browser needs all of it."""
SignedIn = Callable[..., Page]
NAMES = {Role.OWNER: "Olga", Role.MEMBER: "Ben", Role.VIEWER: "Clara", Role.KIOSK: "hall tablet"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """None of these is quick."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates that every house of these tests has."""
    folder = tmp_path_factory.mktemp("certificates")
    issue(folder, Names.of(["localhost"]))
    return folder


@pytest.fixture(scope="session")
def new_house(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Callable[[], House]]:
    """``new_house()`` returns a household of its own, which the test begins; all end with the session."""
    folder, houses = tmp_path_factory.mktemp("film"), list[House]()
    film = again_and_again(folder / "film.mp4", both_callers(folder / "once.mp4"), LONG_ENOUGH)
    album = photo_album(folder / "album")

    def make() -> House:
        houses.append(House(Home(tmp_path_factory.mktemp("house"), film), album, certificates))
        return houses[-1]

    yield make
    for house in houses:
        house.end()


@pytest.fixture(scope="session")
def house(new_house: Callable[[], House]) -> House:
    """A household whose daemon watches a film for as long as all tests take, and whose page is open."""
    house = new_house()
    house.begin()
    return house


@pytest.fixture(scope="session")
def visited(house: House) -> None:
    """Grace and a stranger have come to the house's door, and gone."""

    def both() -> bool:
        events = house.command("events", "list", "--json")["events"]
        return {"known", "stranger"} <= {one["verdict"] for one in events}

    wait_until(both, "visit of both", 60, every=1.0)


@pytest.fixture(scope="session")
def chromium(certificates: Path) -> Iterator[Browser]:
    """Debian's Chromium, which trusts the page's key and no other."""
    if shutil.which(CHROMIUM) is None:
        why = f"{CHROMIUM} is not here: apt install chromium"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    words = [f"--ignore-certificate-errors-spki-list={key_of(certificates)}", "--no-sandbox", "--disable-gpu"]
    expect.set_options(timeout=1000 * _SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=words)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions_of() -> Callable[[House, Role], Any]:
    """``sessions_of(house, role)``: the cookies of a browser in which such a person has signed in, once.

    The password is given anew every few minutes, as the page asks for it after ten.
    """
    kept: dict[tuple[str, Role], Any] = {}
    given: dict[tuple[str, Role], float] = {}

    def cookies(house: House, role: Role) -> Any:
        for one in (Role.OWNER, role):  # the first account is an owner's
            if (house.url, one) not in kept:
                kept[house.url, one], given[house.url, one] = cookies_of(house, NAMES[one], one), time.monotonic()
        if time.monotonic() - given[house.url, role] > _PASSWORD_EVERY:
            house.ask(kept[house.url, role]["cookies"][0]["value"], "confirm", password=PASSWORD)
            given[house.url, role] = time.monotonic()
        return kept[house.url, role]

    return cookies


@pytest.fixture
def browsing(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """``browsing(house, cookies, size=DESKTOP, dark=True, javascript=False)`` opens a browser that is watched.

    At the end of the test there must have been no error in its console and no request to another origin.
    """
    opened: list[tuple[BrowserContext, Watched]] = []

    def browse(
        house: House, cookies: Any = None, size: Any = PHONE, *,
        dark: bool = False, javascript: bool = True, locale: str = "en-GB",
    ) -> Page:  # fmt: skip
        context = chromium.new_context(
            base_url=house.url, storage_state=cookies, viewport=size, locale=locale,
            color_scheme="dark" if dark else "light", java_script_enabled=javascript, has_touch=size is PHONE,
            is_mobile=size is PHONE, device_scale_factor=1, reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(1000 * _SECONDS)
        page = context.new_page()
        opened.append((context, Watched(page, house.url)))
        return page

    yield browse
    for context, watched in opened:
        context.close()
        watched.check()


@pytest.fixture
def signed_in(house: House, sessions_of: Callable[[House, Role], Any], browsing: Callable[..., Page]) -> SignedIn:
    """``signed_in(Role.MEMBER, DESKTOP, dark=True)`` opens the house's page in which a person is signed in."""

    def open_page(role: Role = Role.OWNER, size: Any = PHONE, **how: Any) -> Page:
        return browsing(house, sessions_of(house, role), size, **how)

    return open_page


@pytest.fixture
def page(signed_in: SignedIn) -> Page:
    """An owner's phone."""
    return signed_in(Role.OWNER)
