"""A change that concerns several parts of a page renews each of them, and the page does not blink meanwhile."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Page

from support.page.house import House
from support.page.looking import PHONE


def test_every_part_that_a_change_concerns_is_renewed(house: House, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto("/")
    concerned = page.evaluate(
        "[...document.querySelectorAll('[data-live~=visits][data-from]')].map((one) => one.dataset.from)"
    )
    assert len(concerned) >= 3
    page.wait_for_timeout(1000)
    asked.clear()
    page.evaluate(_WATCH)
    page.wait_for_timeout(25_000)  # both callers come meanwhile
    assert set(concerned) <= set(asked)
    assert page.evaluate("window.faintest") == 1
    assert page.viewport_size == PHONE


_WATCH = """
window.faintest = 1;
new MutationObserver(() => {
  for (const one of [document.body, ...document.querySelectorAll("[data-live]")]) {
    window.faintest = Math.min(window.faintest, Number(getComputedStyle(one).opacity));
  }
}).observe(document.documentElement, {attributes: true, subtree: true, attributeFilter: ["class"]});
"""
