"""What needs the password is done once the password is given, and not before."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.datastructures import FormData

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.server import WebServer
from facesecure.domain.mode import Mode
from facesecure.web.again import repeated
from support.page.served import Answered, Served, served_page
from support.page_accounts import OTHER, PASSWORD, Page, Time
from support.page_socket import page_parts

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Browser:
    """Anna's, who signed in an hour ago."""

    served: Served
    token: str
    page: Page

    def post(self, path: str, form: Mapping[str, str] | list[tuple[str, str]], **headers: str) -> Answered:
        cookie = {"Cookie": f"facesecure={self.token}"}
        return self.served.ask("POST", path, None, {**FORM, **cookie, **headers}, urlencode(form).encode())

    def mode(self) -> Mode:
        assert self.served.parts is not None
        return self.served.parts.policy.mode


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Browser]:
    path = tmp_path / "web.sock"
    with page_parts(tmp_path) as parts:
        page = Page(parts.store, Time())
        token = page.ask("accept-invitation", code=page.link("Anna"), password=PASSWORD)["token"]
        page.time.wait(3600)
        real = replace(parts, any_account=page.sign_in.any_account, sign_in=page.sign_in)
        guard = Guard(all_verbs(), real, page.sign_in.sessions, page.time.now)
        with WebServer(guard, path), served_page(path) as served:
            served.parts = parts
            yield Browser(served, token, page)


def hidden(answer: Answered) -> dict[str, str]:
    """The hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.text)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def test_who_presses_off_and_gives_the_password_has_disarmed(anna: Browser) -> None:
    asked = anna.post("/mode", {"mode": "off"}, Referer=f"{anna.served.origin}/")
    assert asked.status == 403
    assert anna.mode() is Mode.HOME
    fields = hidden(asked)
    assert fields == {"next": "/", "again": "/mode", "again.mode": "off"}

    wrong = anna.post("/confirm", {**fields, "password": OTHER})
    assert wrong.status == 400
    assert anna.mode() is Mode.HOME
    assert hidden(wrong) == fields

    done = anna.post("/confirm", {**fields, "password": PASSWORD})
    assert (done.status, done.headers["location"]) == (303, "/")
    assert "done=disarmed" in done.headers["set-cookie"]
    assert anna.mode() is Mode.OFF


def test_without_a_form_the_way_leads_back_to_the_page(anna: Browser) -> None:
    done = anna.post("/confirm", {"next": "/people/Ann%20B", "password": PASSWORD})
    assert (done.status, done.headers["location"]) == (303, "/people/Ann%20B")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example/", "/confirm", "/sign-in", "", "/nowhere"])
def test_what_is_carried_reaches_screens_of_this_page_alone(anna: Browser, path: str) -> None:
    done = anna.post("/confirm", {"again": path, "again.mode": "off", "next": "/", "password": PASSWORD})
    assert done.status in (303, 404)
    assert done.headers.get("location", "/") == "/"
    assert anna.mode() is Mode.HOME


def test_hostile_fields_are_carried_as_text(anna: Browser) -> None:
    name = '"><script>alert(1)</script>'
    asked = anna.post("/mode", {"mode": "off", name: name})
    assert "<script>alert" not in asked.text
    assert hidden(asked)[f"again.{name}"] == name


def test_too_much_is_not_carried(anna: Browser) -> None:
    asked = anna.post("/mode", [("mode", "off"), *((f"field{n}", "x") for n in range(200))])
    assert (asked.status, asked.headers["location"]) == (303, "/confirm?next=/")
    assert repeated(FormData([("again", "/mode"), ("again.mode", "x" * 40_000)])) is None
