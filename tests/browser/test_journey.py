"""A household's first day with the page, on a phone: every step by what a person sees and taps."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from facesecure.domain.accounts import Role
from support.page.house import House
from support.page.looking import choose_password, confirm_password

PASS = 45_000
"""Milliseconds within which Grace, and the stranger after her, come to the door again."""


@pytest.fixture(scope="module")
def home(new_house: Callable[[], House]) -> House:
    """A house in which nobody is known yet, and where the page has no account."""
    home = new_house()
    home.begin(enrolled=False)
    return home


def visits(page: Page, words: str) -> Locator:
    """The visits on the timeline that say ``words``."""
    return page.locator("li.visit").filter(has_text=words)


def tap(page: Page, name: str | re.Pattern[str]) -> None:
    """Tap the button or link called ``name``."""
    button, link = page.get_by_role("button", name=name), page.get_by_role("link", name=name)
    button.or_(link).first.click()


def test_a_household_s_first_day(home, browsing):
    page = browsing(home)
    sign_in_by_the_one_time_link(home, page)
    rehearse_the_alarm(home, page)
    enrol_from_uploads(home, page)
    see_a_stranger_slide_in(page)
    name_the_stranger(page)
    correct_a_wrong_name(page)


def sign_in_by_the_one_time_link(home: House, page: Page) -> None:
    link = home.invite("Anna", Role.OWNER)
    page.goto(link)
    choose_password(page)
    expect(page.get_by_role("heading", name="Somebody is home")).to_be_visible()
    expect(page.get_by_text("Nobody is enrolled yet.")).to_be_visible()
    assert page.context.browser is not None
    elsewhere = page.context.browser.new_context()
    spent = elsewhere.new_page()
    spent.goto(link)
    expect(spent.get_by_role("heading", level=1)).to_be_visible()
    expect(spent.get_by_role("button", name="Save and sign in")).to_have_count(0)
    elsewhere.close()


def rehearse_the_alarm(home: House, page: Page) -> None:
    """Before both people of the film are known: the drill shows one of their portraits."""
    page.goto("/drill")
    tap(page, re.compile("Begin at"))
    expect(page.get_by_text("The alarm works: every channel delivered.")).to_be_visible(timeout=60_000)
    assert page.locator(".steps li").count() >= 4
    assert "good" in home.command("drill", "--history")


def enrol_from_uploads(home: House, page: Page) -> None:
    page.goto("/enrol")
    page.get_by_label("Name").fill("Grace Hopper")
    page.get_by_label("This person knows that and agrees").check()
    tap(page, "Go on to the pictures")
    page.locator("#photos").set_input_files(sorted(home.album.iterdir())[:4])
    expect(page.get_by_role("heading", name=re.compile("[34] good pictures"))).to_be_visible(timeout=PASS)
    tap(page, "Save Grace Hopper")
    expect(page).to_have_url(re.compile("/people/Grace%20Hopper$"))
    assert [one["name"] for one in home.command("people", "list", "--json")["people"]] == ["Grace Hopper"]


def see_a_stranger_slide_in(page: Page) -> None:
    """Without loading the page again."""
    page.goto("/timeline")
    page.evaluate("window.loadedOnce = true")
    before = visits(page, "Stranger").count()
    expect(visits(page, "Stranger").nth(before)).to_be_visible(timeout=2 * PASS)
    assert page.evaluate("window.loadedOnce")
    expect(visits(page, "Grace Hopper").first).to_be_visible(timeout=PASS)


def name_the_stranger(page: Page) -> None:
    until = time.monotonic() + 3 * PASS / 1000
    while not can_be_named(page, "Eileen Collins"):  # their best faces are kept when a visit ends
        assert time.monotonic() < until, "the stranger had too few good faces"
        page.wait_for_timeout(2000)
    tap(page, "Save")
    page.goto("/people")
    expect(page.get_by_role("link", name=re.compile("Eileen Collins"))).to_be_visible()
    page.goto("/timeline")
    expect(visits(page, "Eileen Collins").first).to_be_visible()


def can_be_named(page: Page, name: str) -> bool:
    """Look at what naming the first visitor would store; return whether that is enough."""
    page.goto("/who")
    page.locator("main").get_by_role("link", name="Who is this?").first.click()
    page.get_by_label("Name, new or known").fill(name)
    tap(page, "Look at it first")
    expect(page.get_by_text("Nothing is stored before Save.")).to_be_visible()
    return page.get_by_role("button", name="Save").count() > 0


def correct_a_wrong_name(page: Page) -> None:
    """Grace's visit was not hers, somebody says, and takes the word back."""
    page.goto("/timeline")
    visits(page, "Grace Hopper").first.get_by_role("link").click()
    address = page.url
    page.get_by_text("Not Grace Hopper", exact=True).click()
    expect(page.get_by_text("What this changes:").first).to_be_visible()
    tap(page, "It was not Grace Hopper")
    confirm_password(page)
    page.goto(address)
    expect(page.get_by_text("Corrected", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Grace Hopper")


@pytest.fixture
def owner(home: House, sessions_of: Callable[[House, Role], object], browsing: Callable[..., Page]) -> Page:
    """Another owner's phone."""
    page: Page = browsing(home, sessions_of(home, Role.OWNER))
    return page


def test_arm_and_disarm(home, owner):
    owner.goto("/")
    tap(owner, "Away")
    expect(owner.get_by_role("heading", name="Nobody is home")).to_be_visible()
    assert "armed away" in home.command("status")
    tap(owner, "Off")
    confirm_password(owner)
    expect(owner.get_by_role("heading", name="Disarmed")).to_be_visible()
    assert "disarmed" in home.command("status")
    tap(owner, "Home")
    expect(owner.get_by_role("heading", name="Somebody is home")).to_be_visible()


def test_draw_a_mask_on_the_picture(home, owner):
    owner.goto("/zones")  # one camera: its picture at once
    tap(owner, "Add a mask")
    box = owner.locator(".draw svg").bounding_box()
    assert box is not None
    for across, down in ((0.1, 0.1), (0.3, 0.1), (0.3, 0.4)):
        owner.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
    expect(owner.get_by_text("3 corners")).to_be_visible()
    tap(owner, "Save")
    confirm_password(owner)
    if owner.get_by_text("3 corners").is_visible():
        tap(owner, "Save")
    owner.wait_for_timeout(500)
    home.wait_for_page()
    owner.goto("/zones")
    expect(owner.get_by_text("Mask 1")).to_be_visible()
    assert "mask = [" in home.home.config.read_text()


def test_change_a_setting_and_take_it_back(home, owner):
    before = home.home.config.read_text()
    owner.goto("/settings/policy")
    owner.locator("input[name='policy.known_cooldown']").or_(owner.locator("input[name='known_cooldown']")).fill("77")
    tap(owner, "Show what changes")
    expect(owner.locator("pre.diff")).to_contain_text("77")
    confirm_in_form(owner)
    tap(owner, "Save")
    home.wait_for_page()
    assert "known_cooldown = 77" in home.home.config.read_text()
    owner.goto("/settings")
    tap(owner, "Undo")
    confirm_in_form(owner)
    home.wait_for_page()
    assert home.home.config.read_text() == before


def confirm_in_form(page: Page) -> None:
    """Fill in the password where the form asks for it, once all of it is there."""
    page.wait_for_load_state("domcontentloaded")
    if page.locator("input[type=password]").count():
        confirm_password(page)
