"""Notifications in Chromium: its page, its service worker, and a push service of ours in place of Google's.

Chromium asks Google for a subscription, which no test may. So ``PushManager.subscribe`` is replaced, and what the
daemon sends to our push service is decrypted and handed to Chromium's own service worker by its developer tools.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from facesecure.domain.accounts import Role
from support.faults.household import wait_until
from support.page import house as houses
from support.page.house import House
from support.page.looking import DESKTOP, cookies_of
from support.push_service import PushService, SubscribedBrowser, claims_of, encoded, push_service
from support.tls import Authority

VISIT_SECONDS = 60.0
SHOWN_SECONDS = 30.0
SUBSCRIBE = """
PushManager.prototype.getSubscription = async () => null;
PushManager.prototype.subscribe = async (options) => {
  window.asked = { visible: options.userVisibleOnly, key: Array.from(options.applicationServerKey) };
  return { toJSON: () => (%s) };
};
"""
NOTIFICATIONS = """async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((one) => ({
  title: one.title, body: one.body, tag: one.tag, data: one.data, icon: one.icon,
  actions: (one.actions || []).map((action) => action.action)}))"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PushService, Authority]]:
    """A push service at home, whose certificate the household trusts."""
    authority = Authority(tmp_path_factory.mktemp("push"))
    with push_service(authority) as running:
        yield running, authority


@pytest.fixture(scope="module")
def notified(new_house: Callable[[], House], service: tuple[PushService, Authority]) -> Iterator[House]:
    """A household that uses push services in private networks."""
    house = new_house()
    house.home.environment["SSL_CERT_FILE"] = str(service[1].root)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(houses, "SETTINGS", houses.SETTINGS.replace("[web]\n", "[web]\npush_private = true\n"))
        house.begin()
    yield house
    house.end()


@pytest.fixture(scope="module")
def olga(notified: House) -> Any:
    """An owner's cookies."""
    return cookies_of(notified, "Olga", Role.OWNER)


def test_a_phone_subscribes_and_shows_who_came(
    notified: House, olga: Any, browsing: Callable[..., Page], service: tuple[PushService, Authority], tmp_path: Path
) -> None:
    running, browser = service[0], SubscribedBrowser()
    page = browsing(notified, olga)
    page.context.grant_permissions(["notifications"], origin=notified.url)
    subscription = {
        "endpoint": f"{running.url}/phone",
        "keys": {"p256dh": browser.p256dh, "auth": encoded(browser.auth)},
    }
    page.add_init_script(SUBSCRIBE % json.dumps(subscription))
    page.goto("/push")
    page.get_by_role("button", name="Notify this browser").click()
    expect(page.get_by_text("This browser is notified from now on.")).to_be_visible()
    expect(page.get_by_text("this one")).to_be_visible()
    key = page_key(notified, page)

    wait_until(lambda: about_stranger(running, browser), "message about a stranger", VISIT_SECONDS, every=0.5)
    push = about_stranger(running, browser)[0]
    claims_of(push, key, running.origin)
    message = browser.read(push)
    assert message["url"].startswith("/visit/")
    assert [one["action"] for one in message["actions"]] == ["disarm", "known"]

    shown = deliver(page, notified, browser.decrypt(push.body).decode())
    assert (shown["title"], shown["body"], shown["tag"]) == (message["title"], message["body"], message["tag"])
    assert shown["icon"].startswith("data:image/jpeg;base64,/9j/")
    assert shown["data"]["actions"]["disarm"] == "/confirm?next=/"

    page.goto(message["url"])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto("/push")
    page.get_by_role("button", name="No longer").click()
    expect(page.get_by_text("That browser is notified no longer.")).to_be_visible()


@pytest.mark.parametrize("pushed", ["", "no JSON", "[]", '{"title": 7}', '{"title": "a", "body": "b", "url": 7}'])
def test_whatever_is_pushed_something_harmless_is_shown(
    notified: House, olga: Any, browsing: Callable[..., Page], pushed: str
) -> None:
    page = browsing(notified, olga)
    page.context.grant_permissions(["notifications"], origin=notified.url)
    page.goto("/push")
    page.evaluate("navigator.serviceWorker.register('/worker.js')")
    shown = deliver(page, notified, pushed)
    assert shown["title"] in ("facesecure", "a")
    assert "<" not in json.dumps(shown)


def test_no_address_outside_of_the_page_is_asked_for_a_picture(
    notified: House, olga: Any, browsing: Callable[..., Page], service: tuple[PushService, Authority]
) -> None:
    page = browsing(notified, olga)
    page.context.grant_permissions(["notifications"], origin=notified.url)
    page.goto("/push")
    page.evaluate("navigator.serviceWorker.register('/worker.js')")
    picture = f"{service[0].url}/picture.jpg"
    shown = deliver(page, notified, json.dumps({"title": "a", "body": "b", "url": "/", "picture": picture}))
    assert shown["icon"] == ""
    assert service[0].at("/picture.jpg") == []


@pytest.mark.parametrize("size", [None, DESKTOP])
def test_a_browser_that_forbids_it_says_so(
    notified: House, olga: Any, browsing: Callable[..., Page], size: Any
) -> None:
    page = browsing(notified, olga, **({"size": size} if size else {}))
    page.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    page.goto("/push")
    expect(page.get_by_text("This browser forbids it.")).to_be_visible()
    expect(page.get_by_role("button", name="Notify this browser")).to_be_hidden()


def about_stranger(running: PushService, browser: SubscribedBrowser) -> list[Any]:
    return [one for one in running.at("/phone") if "tranger" in browser.read(one)["body"]]


def page_key(house: House, page: Page) -> str:
    """The household's key, as the page gave it to the browser."""
    token = next(one["value"] for one in page.context.cookies() if "facesecure" in one["name"])
    return str(house.ask(token, "push")["key"])


def deliver(page: Page, house: House, data: str) -> dict[str, Any]:
    """Push ``data`` to the page's service worker, and return the notification that it shows."""
    page.wait_for_function("navigator.serviceWorker.ready.then((one) => one.active.state === 'activated')")
    tools, registrations = page.context.new_cdp_session(page), list[str]()
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(
            one["registrationId"] for one in event["registrations"] if not one["isDeleted"]
        ),
    )
    tools.send("ServiceWorker.enable")
    until = time.monotonic() + SHOWN_SECONDS
    while not registrations and time.monotonic() < until:
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)  # the newest is the last that it tells of
    return _pushed(tools, page, house, registrations[-1], data)


def _pushed(tools: CDPSession, page: Page, house: House, registration: str, data: str) -> dict[str, Any]:
    words = {"origin": house.url + "/", "registrationId": registration, "data": data}
    for attempt in range(round(10 * SHOWN_SECONDS)):
        if attempt % 20 == 0:  # on a busy machine Chromium may lose one to a worker that is starting
            tools.send("ServiceWorker.deliverPushMessage", words)
        if found := page.evaluate(NOTIFICATIONS):
            return dict(found[-1])
        page.wait_for_timeout(100)
    raise AssertionError("no notification was shown")
