"""Live, masks and zones, and drills in a browser: boxes appear, a mask is drawn and saved, a drill runs to its end."""

from __future__ import annotations

import re
from datetime import date

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from facesecure.domain.accounts import Role
from facesecure.web.live_socket import OVER
from support.faults.household import wait_until
from support.page.house import House
from support.page.looking import DESKTOP, confirm_password

HALF_A_MINUTE = 45_000
"""Milliseconds in which each caller of the film comes once."""
_GREENS = """canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let found = 0;
    for (let at = 0; at < pixels.length; at += 4)
        found += pixels[at] === 0x2f && pixels[at + 1] === 0xbf && pixels[at + 2] === 0x5f;
    return found;
}"""


def test_what_the_camera_sees_is_shown_with_a_box_and_a_name(signed_in):
    page = signed_in(Role.KIOSK)
    page.goto("/live")
    grace = page.get_by_role("img", name=re.compile("Grace Hopper"))
    grace.wait_for(timeout=HALF_A_MINUTE)
    assert grace.evaluate(_GREENS) > 200, "the box is drawn in the colour of who is known"
    expect(page.locator(".live-age")).to_have_text("Live")


def test_a_stranger_is_called_one_in_french_too(signed_in):
    page = signed_in(Role.VIEWER, DESKTOP, locale="fr-FR")
    page.goto("/live")
    page.get_by_role("img", name=re.compile("Inconnu")).wait_for(timeout=HALF_A_MINUTE)


def test_pictures_move_and_stop_while_nobody_sees_them(signed_in):
    page = signed_in(Role.KIOSK)
    with page.expect_websocket() as opened:
        page.goto("/live")
    first = opened.value
    first.wait_for_event("framereceived")
    first.wait_for_event("framereceived")
    with first.expect_event("close"):
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
    with page.expect_websocket() as again:
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    again.value.wait_for_event("framereceived")


def test_it_stops_after_a_while_and_goes_on_when_asked(page: Page):
    opened: list[WebSocketRoute] = []

    def over(socket: WebSocketRoute) -> None:
        opened.append(socket)
        if len(opened) == 1:
            socket.close(code=OVER)
        else:
            socket.connect_to_server()

    page.route_web_socket(re.compile("/live/socket$"), over)
    page.goto("/live")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("canvas")).to_be_visible()
    expect(page.get_by_role("button", name="Go on")).to_be_hidden()
    assert len(opened) == 2


def test_without_scripts_a_still_is_shown_that_a_link_renews(signed_in):
    page = signed_in(Role.KIOSK, javascript=False)
    ways = (lambda: page.goto("/live"), lambda: page.get_by_role("link", name="Newest pictures").click())
    for way in ways:
        with page.expect_response(re.compile(r"/live/front-door\.jpg")) as answer:
            way()
        assert answer.value.headers["content-type"] == "image/jpeg"
        expect(page.locator("img[alt='front door']")).to_be_visible()


@pytest.fixture
def unmasked(house: House):
    """The configuration as it was, afterwards."""
    before = house.home.config.read_text()
    yield
    if house.home.config.read_text() != before:
        began = len(started(house))
        house.home.config.write_text(before)
        house.daemon.process.send_signal(1)
        wait_until(lambda: len(started(house)) > began, "reload", 30)


def started(house: House) -> list[str]:
    """The lines with which the daemon began to watch."""
    return [line for line in house.daemon.said.splitlines() if "watching the front door" in line]


def draw(page: Page, kind: str, corners: list[tuple[float, float]]) -> None:
    """Tap the corners of an area, in fractions of the picture."""
    page.get_by_role("button", name=kind).click()
    svg = page.locator(".draw svg")
    box = svg.bounding_box()
    for x, y in corners:
        svg.click(position={"x": x * box["width"], "y": y * box["height"]})


def test_a_mask_is_drawn_tried_and_saved(house: House, page: Page, unmasked):
    page.goto("/zones")
    draw(page, "Add a mask", [(0.02, 0.1), (0.4, 0.1), (0.4, 0.5), (0.02, 0.5)])
    corner = page.get_by_role("button", name=re.compile("Mask 1, corner 1 of 4"))
    corner.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_role("button", name="Try on the last hour").click()
    expect(page.locator("#trial")).to_contain_text(re.compile("movements? in the last"))
    expect(page.locator("#trial")).to_contain_text("How the settings would change")
    page.get_by_role("button", name="Save").click()
    confirm_password(page)
    expect(page.get_by_text("Saved, and in use.")).to_be_visible(timeout=30_000)
    expect(page.locator(".areas")).to_contain_text("Mask 1")
    assert "mask = [[[0.0" in house.home.config.read_text()
    page.goto("/live")
    areas = page.get_by_role("button", name="Masks and zones")
    areas.click()
    expect(areas).to_have_attribute("aria-pressed", "true")
    page.goto("about:blank")  # before the daemon begins anew without the mask


def test_an_area_is_drawn_with_the_keyboard_alone(page: Page):
    page.goto("/zones")
    page.get_by_role("button", name="Add a zone").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=re.compile("Zone 1, corner 1 of 4"))).to_be_focused()
    for key in ("ArrowLeft", "ArrowUp", "Tab", "Delete"):
        page.keyboard.press(key)
    expect(page.locator(".areas")).to_contain_text("3 corners")
    drawn = page.locator("input[name=zones]").input_value()
    assert drawn.startswith("[[[0.34,0.34],[0.65,0.65]"), drawn


@pytest.mark.parametrize("javascript", [True, False])
def test_a_drill_runs_to_its_end(signed_in, javascript):
    page = signed_in(Role.MEMBER, javascript=javascript)
    day = date.today()
    page.goto("/drill")
    page.get_by_role("button", name="Begin at: front door").click()
    expect(page.get_by_text("The alarm works: every channel delivered.")).to_be_visible(timeout=60_000)
    expect(page.locator("#drill")).to_contain_text("Delivered by log")
    began = "Today" if date.today() == day else re.compile("Today|Yesterday")  # midnight may have come meanwhile
    expect(page.locator("#last-good")).to_contain_text(began)
