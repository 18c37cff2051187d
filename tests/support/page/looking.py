"""What browser tests do with a page: sign in, watch for what must not happen, and look for what people cannot use."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Request, expect

from facesecure.domain.accounts import Role
from support.page.house import PASSWORD, House

PHONE: Any = {"width": 390, "height": 844}
DESKTOP: Any = {"width": 1280, "height": 800}


class Watched:
    """Notes errors in the console of ``page``, and requests that leave the page's own origin."""

    def __init__(self, page: Page, origin: str) -> None:
        self._origin = origin
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)

    def check(self) -> None:
        """Fail if there was one."""
        assert not self.errors, self.errors
        assert not self.elsewhere, self.elsewhere

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} ({message.location})")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self._origin}/", "data:", "blob:", self._origin.replace("https", "wss"))):
            self.elsewhere.append(request.url)


def cookies_of(house: House, name: str, role: Role) -> Any:
    """Return the state of a browser in which a new account, with that role, has signed in by its one-time link."""
    cookie = {
        "name": "__Host-facesecure", "value": house.token(name, role), "domain": "localhost", "path": "/",
        "expires": -1, "httpOnly": True, "secure": True, "sameSite": "Lax",
    }  # fmt: skip
    return {"cookies": [cookie], "origins": []}


def choose_password(page: Page) -> None:
    """Fill in the form behind a one-time link."""
    for box in page.locator("input[type=password]").all():
        box.fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page).to_have_url(f"{page.url.split('/', 3)[0]}//{page.url.split('/', 3)[2]}/")


def confirm_password(page: Page) -> None:
    """Give the password again where the page asks for it; do nothing where it does not.

    The form with the password is sent: a page may have other buttons before it. What was clicked before leads to a
    page that has begun to come, and is not looked at before all of it is there.
    """
    page.wait_for_load_state("domcontentloaded")
    form = page.locator("main form").filter(has=page.locator("input[type=password]"))
    if form.count():
        form.locator("input[type=password]").fill(PASSWORD)
        form.get_by_role("button").first.click()


def scrolls_sideways(page: Page) -> bool:
    """Return whether a part of the page lies beyond its right edge."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def violations(page: Page) -> list[str]:
    """Return what axe-core finds that keeps people from using the page, each with the elements it is about."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']][:4]}" for one in found]
