"""The timeline and a visit in Chromium, on a store of known visits: what slides in, filters, films, corrections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from facesecure.app.changes import Topic
from facesecure.domain.accounts import Role
from facesecure.storage.store import Store
from support.builders import NOON
from support.page.looking import DESKTOP, PHONE, Watched, scrolls_sideways, violations
from support.page.served import Served, served_house
from support.page_socket import token_of
from support.page_visits import fill, film_pieces, keep_film
from support.store import UNIDENTIFIED, known, picture, sighting
from support.visitors import visit

SOON = NOON + timedelta(days=2, hours=1)
"""When the cat came: the newest visit there is."""
PAGES = ("/timeline", "/timeline?verdict=stranger", "/visit/cat", "/visit/stranger-2", "/visit/tom")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with served_house(tmp_path / "state") as house:
        assert house.parts is not None
        fill(house.parts.store)
        keep_film(house.parts.store, NOON, film_pieces(tmp_path))
        yield house


@pytest.fixture
def store(served: Served) -> Store:
    assert served.parts is not None
    return served.parts.store


@pytest.fixture
def look(served: Served, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """``look("/timeline", size=DESKTOP, dark=True)`` opens a page of a member, which is watched."""
    opened: list[tuple[Any, Watched]] = []

    def open_page(path: str, role: Role = Role.MEMBER, size: Any = PHONE, **how: Any) -> Page:
        context = chromium.new_context(
            base_url=served.origin, viewport=size, reduced_motion="reduce", **{"locale": "en-GB", **how}
        )
        context.add_cookies([{"name": "facesecure", "value": token_of(role), "url": served.origin}])
        context.set_default_timeout(30_000)
        page = context.new_page()
        opened.append((context, Watched(page, served.origin)))
        page.goto(path)
        return page

    yield open_page
    for context, watched in opened:
        context.close()
        watched.check()


def come(served: Served, *visits: Any) -> None:
    """Let somebody come, and the daemon say so."""
    assert served.parts is not None
    for one in visits:
        served.parts.store.record(one)
    served.parts.changes.bump(Topic.VISITS)


@pytest.mark.parametrize("path", PAGES)
def test_everybody_can_use_it(look: Callable[..., Page], path: str) -> None:
    for size, scheme in ((PHONE, "light"), (DESKTOP, "dark"), (PHONE, "dark")):
        page = look(path, size=size, color_scheme=scheme)
        for closed in page.locator("details").all():
            closed.locator("summary").click()
        assert not scrolls_sideways(page), (size, scheme)
        assert violations(page) == [], (size, scheme)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_lies_beyond_the_edge_in_french(look: Callable[..., Page], path: str) -> None:
    page = look(path, locale="fr-FR")
    assert page.locator("html").get_attribute("lang") == "fr"
    assert not scrolls_sideways(page)


def test_a_filter_shows_what_was_chosen(look: Callable[..., Page]) -> None:
    page = look("/timeline")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Person").select_option("Tom")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("li.visit")).to_have_count(1)
    expect(page.get_by_label("Person")).to_have_value("Tom")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("li.visit")).to_have_count(4)


def test_a_stranger_slides_in_above_the_others(served: Served, look: Callable[..., Page]) -> None:
    page = look("/timeline")
    page.evaluate("window.loadedOnce = true")
    for number in (1, 2):
        come(served, sighting(f"new-{number}", when=SOON + timedelta(seconds=number), snapshot=picture()))
        expect(page.locator("li.visit").first).to_have_id(f"visit-new-{number}")
    expect(page.locator("li.visit")).to_have_count(6)
    assert page.evaluate("window.loadedOnce"), "it was not loaded again"


def test_what_came_on_a_busy_day_slides_in_in_order(served: Served, look: Callable[..., Page]) -> None:
    begun = SOON + timedelta(hours=1)
    come(served, *(sighting(f"busy-{number:02}", when=begun + timedelta(seconds=number)) for number in range(45)))
    page = look("/timeline")
    expect(page.locator("li.visit")).to_have_count(30)
    come(served, sighting("last", when=begun + timedelta(seconds=60)))
    expect(page.locator("#visit-last")).to_be_visible()
    shown = page.locator("li.visit").evaluate_all("all => all.map(one => one.id)")
    assert shown == ["visit-last", *(f"visit-busy-{number:02}" for number in range(44, 14, -1))]


def test_a_later_verdict_takes_the_place_of_the_earlier_one(served: Served, look: Callable[..., Page]) -> None:
    page = look("/timeline")
    expect(page.locator("#visit-cat")).to_be_visible()
    come(served, replace(sighting("later", when=SOON + timedelta(seconds=1)), supersedes="cat"))
    expect(page.locator("#visit-later")).to_be_visible()
    expect(page.locator("#visit-cat")).to_have_count(0)


def test_a_visit_that_goes_on_is_updated_where_it_stands(
    served: Served, store: Store, look: Callable[..., Page]
) -> None:
    begun = sighting("begun", UNIDENTIFIED, SOON + timedelta(seconds=1), picture())
    store.record(begun)
    page, asked = look("/timeline"), list[str]()
    expect(page.locator("#visit-begun")).to_contain_text("2 s")
    page.on("request", lambda request: asked.append(request.url))
    store.update(replace(begun, last_seen=begun.first_seen + timedelta(seconds=40), snapshot=None, closing=True))
    come(served)
    expect(page.locator("#visit-begun")).to_contain_text("40 s")
    expect(page.locator("#visit-begun")).to_have_count(1)
    assert not [url for url in asked if url.endswith("begun/small.jpg")]


def test_a_filtered_page_lets_only_in_what_fits(served: Served, look: Callable[..., Page]) -> None:
    page = look("/timeline?verdict=stranger")
    first = NOON + timedelta(days=2)
    come(
        served,
        sighting("known", known("Tom"), first + timedelta(seconds=1)),
        sighting("unknown", when=first + timedelta(seconds=2)),
    )
    expect(page.locator("#visit-unknown")).to_be_visible()
    expect(page.locator("#visit-known")).to_have_count(0)


def test_a_film_plays_and_can_be_wound_forward(look: Callable[..., Page]) -> None:
    page = look("/visit/tom")
    film = page.locator("video")
    expect(film).to_be_visible()
    page.wait_for_function("() => document.querySelector('video').readyState >= 1")
    assert film.evaluate("film => film.duration") == pytest.approx(3.0, abs=0.2)
    film.evaluate("film => { film.muted = true; film.currentTime = 2; return film.play(); }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 2.3")
    assert film.evaluate("film => film.error") is None


def test_a_wrong_name_is_corrected_after_it_was_said_what_that_changes(store: Store, look: Callable[..., Page]) -> None:
    visit(store, "mistaken", 7, verdict=known("Tom"), when=SOON + timedelta(seconds=9), side=48)
    page = look("/timeline")
    page.locator("#visit-mistaken").get_by_role("link").click()
    page.get_by_text("Not Tom", exact=True).click()
    expect(page.get_by_text("3 faces are remembered as a stranger's, not Tom's.")).to_be_visible()
    page.get_by_role("button", name="It was not Tom").click()
    expect(page.get_by_role("status")).to_have_text("Corrected. The faces are remembered as a stranger's.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Visitor 2, first time")
    expect(page.get_by_text(re.compile("Corrected: not Tom"))).to_be_visible()
    page.get_by_role("link", name="Timeline").first.click()
    expect(page.locator("#visit-mistaken")).to_contain_text("corrected")


def test_right_marks_a_visit_and_one_button_marks_all(store: Store, look: Callable[..., Page]) -> None:
    page = look("/visit/tom")
    page.get_by_role("button", name="Right").click()
    expect(page.get_by_role("status")).to_have_text("Marked as reviewed.")
    assert store.timeline.to_review() == 3
    page.goto("/timeline")
    page.get_by_role("button", name="Mark all 3 as reviewed").click()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator(".unseen")).to_have_count(0)
    assert store.timeline.to_review() == 0
