"""A change that concerns several parts of a page renews each of them, and the page does not blink meanwhile."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from playwright.sync_api import Page

from support.page.house import House
from support.page.looking import PHONE

BOTH_COME = 90.0
"""Seconds within which both callers come again: twenty where the machine keeps up with the film."""


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
    until = time.monotonic() + BOTH_COME
    while not set(concerned) <= set(asked) and time.monotonic() < until:
        page.wait_for_timeout(500)
    assert set(concerned) <= set(asked)
    page.wait_for_timeout(1000)  # the last of them may still be about to be shown
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
