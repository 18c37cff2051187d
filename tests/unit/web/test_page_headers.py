"""Every answer of the page limits what a browser may do with it."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from facesecure.domain.accounts import Role
from facesecure.services.certificates.folder import AUTHORITY, SERVER, SERVER_KEY, issue
from facesecure.services.certificates.names import Names
from facesecure.web.app import SCREENS
from facesecure.web.static import NAMES, static
from support.page.served import Served, served_house, served_page

ENDLESS = {"/events", "/live/{camera}.mjpeg"}
PUBLIC = {"/manifest.webmanifest", "/authority.crt"}
READ = [
    route.path
    for screen in SCREENS
    for route in screen.ROUTES
    if isinstance(route, Route) and "GET" in (route.methods or ()) and route.path not in ENDLESS
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_house(tmp_path_factory.mktemp("house")) as served:
        yield served


@pytest.mark.parametrize("path", [*READ, "/nowhere", "/static/0/page.css", "/favicon.ico"])
@pytest.mark.parametrize("role", [None, Role.OWNER])
def test_every_answer_has_the_headers_that_limit_it(house: Served, path: str, role: Role | None) -> None:
    answer = house.get(re.sub(r"\{[^}]*\}", "7", path), role)
    headers = answer.headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["permissions-policy"].startswith("camera=(self), microphone=()")
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "strict-transport-security" not in headers
    assert "server" not in headers


@pytest.mark.parametrize("path", READ)
def test_what_only_people_may_see_is_kept_by_no_browser(house: Served, path: str) -> None:
    answer = house.get(re.sub(r"\{[^}]*\}", "7", path), Role.OWNER)
    if path in PUBLIC:
        return
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", READ)
def test_no_page_has_a_script_or_a_style_in_it(house: Served, path: str) -> None:
    answer = house.get(re.sub(r"\{[^}]*\}", "7", path), Role.OWNER)
    if "html" not in answer.headers.get("content-type", ""):
        return
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", answer.text, re.IGNORECASE)
    assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//""", answer.text)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_own_files_may_be_kept_for_ever_at_an_address_that_changes_with_them(house: Served, name: str) -> None:
    now, before = house.get(static(name)), house.get(f"/static/0123456789ab/{name}")
    assert now.status == before.status == 200
    assert now.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert before.headers["cache-control"] == "no-cache"
    assert now.body == before.body


def test_only_a_name_under_tls_is_bound_to_tls(tmp_path: Path) -> None:
    issue(tmp_path, Names.of(["localhost", "127.0.0.1"]))
    trusted = ssl.create_default_context(cafile=str(tmp_path / AUTHORITY))
    with served_page(tmp_path / "none.sock", certificate=tmp_path / SERVER, key=tmp_path / SERVER_KEY) as served:
        for host, bound in (("localhost", True), ("127.0.0.1", False)):
            connection = http.client.HTTPSConnection(host, served.port, context=trusted, timeout=20)
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert answer.status == 503  # the daemon is away
            assert (answer.getheader("Strict-Transport-Security") is not None) == bound
            assert answer.getheader("Cross-Origin-Opener-Policy") == "same-origin"
            connection.close()


def test_who_is_signed_in_finds_the_way_back_from_what_is_not_there(house: Served) -> None:
    lost = house.get("/nowhere", Role.OWNER)
    assert lost.status == 404
    assert '<nav class="bar"' in lost.text
    assert '<nav class="bar"' not in house.get("/nowhere").text
