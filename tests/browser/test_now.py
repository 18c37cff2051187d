"""The first screen as a family uses it: it follows the house by itself, and stops following when nobody looks."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from facesecure.domain.accounts import Role
from support.page.house import PASSWORD, House
from support.page.looking import DESKTOP, scrolls_sideways, violations

HOLDS = 1000
"""Milliseconds for which what is so has to stay so."""


@pytest.fixture(autouse=True)
def at_home(house: House) -> None:
    house.command("arm", "home")


def test_the_screen_follows_the_mode_without_being_touched(house: House, page: Page) -> None:
    page.goto("/")
    for word, heading in (("away", "nobody is home"), ("off", "Disarmed"), ("home", "somebody is home")):
        page.wait_for_timeout(500)
        house.command("arm", word)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        expect(page.locator(f"button[value={word}]")).to_have_attribute("aria-pressed", "true")


def test_pictures_are_renewed_with_their_age(house: House, visited: None, page: Page) -> None:
    page.goto("/")
    picture = page.locator("img[data-camera]")
    before = picture.get_attribute("src")
    assert before is not None
    assert before.startswith("/live/")
    expect(page.locator("img[data-camera][src^='blob:']")).to_be_visible(timeout=30_000)
    assert page.evaluate("document.querySelector('img[data-camera]').naturalWidth") > 100
    expect(page.locator("[data-age]")).to_have_text("now")


def test_a_page_that_hears_nothing_more_says_so(visited: None, page: Page) -> None:
    page.goto("/")
    expect(page.locator("img[data-camera][src^='blob:']")).to_be_visible(timeout=30_000)
    expect(page.locator("#silent")).to_be_hidden()
    page.route("**/live/*.jpg*", lambda _: None)  # nobody answers
    expect(page.locator("#silent")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-age]")).not_to_have_text("now")
    page.unroute_all(behavior="ignoreErrors")
    expect(page.locator("#silent")).to_be_hidden(timeout=60_000)
    expect(page.locator("[data-age]")).to_have_text("now")


def test_a_hidden_page_keeps_no_connection(page: Page) -> None:
    streams: list[Request] = []
    ended: list[Request] = []
    page.on("request", lambda request: streams.append(request) if "/events" in request.url else None)
    page.on("requestfailed", lambda request: ended.append(request) if "/events" in request.url else None)

    def become(opened: int, closed: int) -> None:
        until = time.monotonic() + 30
        while (len(streams), len(ended)) != (opened, closed) and time.monotonic() < until:
            page.wait_for_timeout(50)
        page.wait_for_timeout(HOLDS)
        assert (len(streams), len(ended)) == (opened, closed)

    page.goto("/")
    become(1, 0)
    look(page, hidden=True)
    become(1, 1)
    look(page, hidden=False)
    become(2, 1)


def look(page: Page, *, hidden: bool) -> None:
    """Put the page behind another one, or before it, as far as the page can tell."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_a_tablet_on_the_wall_arms_but_tells_no_names(
    house: House, visited: None, signed_in: Callable[..., Page]
) -> None:
    page = signed_in(Role.KIOSK, DESKTOP)
    page.goto("/")
    expect(page.get_by_role("button", name="Off")).to_be_disabled()
    page.get_by_role("button", name="Away").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("nobody is home")
    expect(page.get_by_role("button", name="Home")).to_be_disabled()
    expect(page.get_by_text("Grace Hopper")).to_have_count(0)
    expect(page.get_by_role("navigation").get_by_role("link", name="Timeline")).to_have_count(0)
    assert "armed away" in house.command("status")


def test_the_page_speaks_french_to_whoever_asks_for_it(visited: None, signed_in: Callable[..., Page]) -> None:
    page = signed_in(Role.MEMBER, locale="fr-FR")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Armé")
    expect(page.get_by_role("heading", name="Dernières visites")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_tablet_on_the_wall_disarms_with_a_members_password(house: House, signed_in: Callable[..., Page]) -> None:
    signed_in(Role.MEMBER)
    tablet = signed_in(Role.KIOSK, DESKTOP)
    house.command("arm", "away")
    try:
        tablet.goto("/")
        tablet.get_by_role("link", name="Disarm with a member's password").click()
        assert violations(tablet) == []
        assert not scrolls_sideways(tablet)
        tablet.get_by_label("Member").select_option("Ben")
        tablet.get_by_label("Password").fill(PASSWORD)
        tablet.get_by_role("button", name="Disarm").click()
        expect(tablet.get_by_role("heading", level=1)).to_contain_text("Disarmed")
        assert house.command("status", "--json")["armed"]["mode"] == "off"
        expect(tablet.get_by_role("link", name="Timeline")).to_have_count(0)
    finally:
        house.command("arm", "home")  # as the tests that follow expect it
