"""The five screens that a household cannot do without, in a browser that runs no script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from facesecure.domain.accounts import Role
from support.page.looking import confirm_password


@pytest.fixture
def page(signed_in: Callable[..., Page], visited: None) -> Page:
    """An owner's phone without JavaScript, in a house to which Grace and a stranger have come."""
    return signed_in(Role.OWNER, javascript=False)


def test_now_arms_and_disarms(house, page):
    page.goto("/")
    expect(page.locator("img.tile").first).to_be_visible()
    page.get_by_role("button", name="Away").click()
    expect(page.get_by_role("heading", name="Nobody is home")).to_be_visible()
    assert "armed away" in house.command("status")
    page.get_by_role("button", name="Home").click()
    confirm_password(page)
    page.goto("/")
    expect(page.get_by_role("heading", name="Somebody is home")).to_be_visible()


def test_the_timeline_is_filtered_and_leads_to_a_visit_that_is_marked_as_seen(page):
    page.goto("/timeline")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Verdict").select_option("stranger")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("verdict=stranger"))
    shown = page.locator("li.visit")
    expect(shown.first).to_be_visible()
    page.wait_for_load_state()
    assert shown.filter(has_text="Grace Hopper").count() == 0
    shown.last.get_by_role("link").click()
    expect(page.get_by_text("Who was told")).to_be_visible()
    page.wait_for_load_state()
    if page.get_by_role("button", name="Right", exact=True).count():
        page.get_by_role("button", name="Right", exact=True).click()
    expect(page.get_by_text("Reviewed", exact=True)).to_be_visible()


def test_who_is_this_shows_what_a_name_would_teach_before_anything_is_kept(house, page):
    page.goto("/who")
    page.locator("main").get_by_role("link", name="Who is this?").first.click()
    page.get_by_label("Name, new or known").fill("Eileen Collins")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_role("heading", name="Is this Eileen Collins?")).to_be_visible()
    assert [one["name"] for one in house.command("people", "list", "--json")["people"]] == ["Grace Hopper"]


def test_people_lead_to_a_person_and_to_adding_one(page):
    page.goto("/people")
    page.get_by_role("link", name=re.compile("Grace Hopper")).first.click()
    expect(page.get_by_role("heading", name="Grace Hopper", level=1)).to_be_visible()
    expect(page.locator("main img").nth(2)).to_be_attached()
    page.goto("/enrol")
    expect(page.get_by_label("Name")).to_be_visible()


def test_who_signs_out_is_out(house, browsing, sessions_of):
    sessions_of(house, Role.OWNER)  # without an owner there is nobody to be invited by
    page = browsing(house, {"cookies": [], "origins": []}, javascript=False)
    page.goto(house.invite("Erika", Role.VIEWER))
    boxes = page.locator("input[type=password]")
    for box in boxes.all():
        box.fill("seven grey stones by the river")
    page.get_by_role("button", name="Save and sign in").click()
    page.goto("/accounts")
    page.get_by_role("button", name=re.compile("^Sign out")).first.click()
    page.goto("/timeline")
    expect(page).to_have_url(re.compile("/sign-in"))
