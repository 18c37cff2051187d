"""Settings, hours and health in a browser: changed, seen as a difference, saved, put to use, and taken back."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from facesecure.domain.accounts import Role
from facesecure.services.sessions import LAG, token_hash
from facesecure.storage.store import Store
from support.page.house import House
from support.page.looking import DESKTOP, confirm_password, scrolls_sideways, violations

RESTART = 90_000
"""Milliseconds within which facesecure has restarted with other settings."""


@pytest.fixture
def written(house: House) -> Callable[..., Any]:
    """``written("policy", "quiet")``: what the configuration file says."""

    def value(section: str, name: str) -> Any:
        return tomllib.loads(house.home.config.read_text()).get(section, {}).get(name)

    return value


def confirmed(house: House, page: Page, at: datetime) -> None:
    """Have the person who is signed in in ``page`` have given the password at that time."""
    (token,) = (one["value"] for one in page.context.cookies() if one["name"].endswith("facesecure"))
    with Store.open(house.home.state) as store:
        store.page.sessions.update(token_hash(token), used_at=datetime.now(UTC), confirmed_at=at)
    time.sleep(2 * LAG)  # the daemon notices


def test_a_setting_is_changed_seen_saved_and_taken_back(house, page, written):
    before = house.home.config.read_text()
    page.goto("/settings")
    page.get_by_label("Search the settings").fill("quiet hours")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Quiet").first.click()
    page.get_by_label("Quiet", exact=True).fill("22:00-25:00")
    page.get_by_label("Known cooldown", exact=True).fill("-5")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_text("is not a time of day")).to_be_visible()
    expect(page.get_by_text("must be at least 0, not -5.0")).to_be_visible()
    assert violations(page) == []

    page.get_by_label("Quiet", exact=True).fill("22:00-07:00\nweekends 22:00-09:00")
    page.get_by_label("Known cooldown", exact=True).fill("60")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator(".diff .added").first).to_have_text('+quiet = ["22:00-07:00", "weekends 22:00-09:00"]\n')
    assert violations(page) == []
    assert not scrolls_sideways(page)
    assert house.home.config.read_text() == before, "a preview changed the file"

    page.get_by_role("button", name="Save").click()
    confirm_password(page)
    expect(page.get_by_text("Saved, and in use.")).to_be_visible(timeout=RESTART)
    assert written("policy", "quiet") == ["22:00-07:00", "weekends 22:00-09:00"]

    page.goto("/settings")
    page.get_by_role("button", name="Undo").click()
    confirm_password(page)
    expect(page.get_by_text("The last change was taken back")).to_be_visible(timeout=RESTART)
    assert house.home.config.read_text() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give the file to somebody else")
def test_beside_a_file_that_it_may_not_write_a_change_counts_and_can_be_taken_back(house, page):
    file = house.home.config
    before = file.read_text()
    os.chown(file, 65534, -1)
    try:
        page.goto("/settings/policy")
        page.get_by_label("Stranger cooldown", exact=True).fill("77")
        page.get_by_role("button", name="Show what changes").click()
        expect(page.get_by_text("this counts in its place")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        confirm_password(page)
        expect(page.get_by_text("Saved, and in use.")).to_be_visible(timeout=RESTART)
        assert file.read_text() == before
        assert house.command("config", "overrides", "--json")["overrides"] == {"policy.stranger_cooldown": 77.0}
        page.goto("/arm")
        expect(page.get_by_text("a stranger 1 min")).to_be_visible()
        page.goto("/settings")
        page.get_by_role("button", name="Undo").click()
        confirm_password(page)
        expect(page.get_by_text("The last change was taken back")).to_be_visible(timeout=RESTART)
        assert house.command("config", "overrides", "--json")["overrides"] == {}
    finally:
        os.chown(file, os.geteuid(), -1)


@pytest.mark.parametrize("asked", [False, True], ids=["password given lately", "password asked for"])
def test_the_hours_of_the_week_are_changed_by_a_member_without_javascript(house, signed_in, written, asked):
    before = house.home.config.read_text()
    page = signed_in(Role.MEMBER, javascript=False)
    confirmed(house, page, datetime.now(UTC) - timedelta(hours=1) if asked else datetime.now(UTC))
    page.goto("/arm")
    page.get_by_text("Change the hours").click()
    row = page.get_by_role("group", name="Quiet hours 1")
    for day in ("Mon", "Tue", "Wed"):
        row.get_by_label(day).check(force=True)
    row.get_by_label("Start").fill("22:00")
    row.get_by_label("End").fill("07:00")
    page.get_by_role("button", name="Save").click()
    if asked:
        expect(page.get_by_label("Your password, to save")).to_be_visible()
    confirm_password(page)
    expect(page.get_by_text("Saved, and in use.")).to_be_visible(timeout=RESTART)
    assert written("policy", "quiet") == ["Mon-Wed 22:00-07:00"]
    expect(page.get_by_text("Quiet hours: Mon to Wed, 22:00-07:00.")).to_be_visible()

    owner = signed_in(Role.OWNER)
    owner.goto("/settings")
    owner.get_by_role("button", name="Undo").click()
    confirm_password(owner)
    expect(owner.get_by_text("The last change was taken back")).to_be_visible(timeout=RESTART)
    assert house.home.config.read_text() == before


def test_what_would_happen_is_said_at_once(page):
    page.goto("/arm")
    expect(page.locator("#outcome")).to_contain_text("A stranger is at the front door")
    page.get_by_label("While it is").select_option("off")
    expect(page.locator("#outcome")).to_contain_text("the house is disarmed")
    assert violations(page) == []


def test_health_is_checked_and_the_copy_of_the_key_noted(signed_in):
    page = signed_in(Role.OWNER, DESKTOP)
    page.goto("/health")
    expect(page.get_by_role("heading", name="Is there a copy of the key?")).to_be_visible()
    page.get_by_role("button", name="Check everything").click()
    expect(page.get_by_text("checks are fine")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Checking:")).to_have_count(0, timeout=60_000)
    assert violations(page) == []
    page.get_by_role("button", name="I have a copy").click()
    confirm_password(page)
    expect(page.get_by_role("heading", name="Is there a copy of the key?")).to_have_count(0)


def test_a_viewer_sees_the_state_and_changes_nothing(signed_in):
    page = signed_in(Role.VIEWER)
    page.goto("/health")
    expect(page.get_by_role("button", name="Check everything")).to_have_count(0)
    page.goto("/arm")
    expect(page.get_by_text("Change the hours")).to_have_count(0)
