"""Every screen on a phone and on a desk, in light and dark: usable by everybody, nothing beyond its edge, no error."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from starlette.routing import Route

from facesecure.domain.accounts import Role
from facesecure.web.app import SCREENS
from facesecure.web.navigation import PLACES
from support.page.looking import DESKTOP, PHONE, scrolls_sideways, violations

SHOWN = [place.path for place in PLACES] + ["/more"]


@pytest.fixture(scope="module")
def there() -> set[str]:
    """The addresses of pages that the screens have."""
    return {route.path for screen in SCREENS for route in screen.ROUTES if isinstance(route, Route)}


def opened(page: Page, path: str) -> None:
    """Open ``path``, which must answer, and let it settle."""
    answer = page.goto(path, wait_until="load")
    assert answer is not None
    assert answer.status == 200, (path, answer.status)


@pytest.mark.parametrize("path", SHOWN)
def test_a_screen_is_for_everybody_and_fits(there, signed_in, path):
    """axe-core looks for what people who cannot see well, or use no mouse, could not use."""
    assert path in there, "the menu leads to it"
    for size, dark in ((PHONE, False), (DESKTOP, True)):
        page = signed_in(Role.OWNER, size, dark=dark)
        opened(page, path)
        assert not scrolls_sideways(page), (path, size)
        assert violations(page) == [], (path, size)
        if size is PHONE:
            assert page.evaluate(_SMALL) == [], "44 by 44 pixels, or a link within text"


@pytest.mark.parametrize("path", SHOWN)
def test_a_screen_speaks_french(there, signed_in, path):
    page = signed_in(Role.OWNER, PHONE, locale="fr-FR")
    opened(page, path)
    assert page.locator("html").get_attribute("lang") == "fr"
    assert not scrolls_sideways(page), path


@pytest.mark.parametrize("role", [Role.KIOSK, Role.VIEWER, Role.MEMBER])
def test_the_menu_of_each_role_leads_only_to_what_it_may_see(signed_in, role):
    page = signed_in(role, DESKTOP)
    opened(page, "/")
    ways = {str(link.get_attribute("href")) for link in page.get_by_role("navigation").get_by_role("link").all()}
    assert "/" in ways
    assert ("/settings" in ways) == (role is Role.OWNER)
    assert page.evaluate(_ANSWERS, sorted(ways)) == dict.fromkeys(ways, 200)


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_who_is_not_signed_in_sees_only_the_way_in(house, chromium, size):
    context = chromium.new_context(base_url=house.url, viewport=size, locale="en-GB")
    page = context.new_page()
    page.goto("/timeline")
    assert page.url.startswith(f"{house.url}/sign-in")
    assert not scrolls_sideways(page)
    assert violations(page) == []
    context.close()


_ANSWERS = """
async (ways) => Object.fromEntries(await Promise.all(ways.map(async (way) => {
  const answer = await fetch(way, {redirect: "manual"});
  return [way, answer.status || answer.type];
})))
"""
_SMALL = """
() => [...document.querySelectorAll("button, summary, select, [role=button], nav a, input:not([type=hidden])")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one, (one.closest("label") || one).getBoundingClientRect()])
  .filter(([one, box]) => box.width > 1 && box.height > 1 && (box.height < 43.5 || box.width < 43.5))
  .map(([one, box]) => `${one.outerHTML.slice(0, 120)} ${Math.round(box.width)}x${Math.round(box.height)}`)
"""
