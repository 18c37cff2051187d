"""The page's own files: what is bundled is what its makers published, and nothing else can be read."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import facesecure.web
from support.page.served import Served, served_page

STATIC = Path(facesecure.web.__file__).parent / "static"
NOTICE = Path(__file__).parents[3] / "NOTICE"
HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
"""SHA-256 of dist/htmx.min.js in htmx.org 2.0.11 of the npm registry."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_page(tmp_path_factory.mktemp("page") / "none.sock") as served:
        yield served


def test_htmx_is_the_file_that_was_published() -> None:
    assert hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest() == HTMX
    assert HTMX in NOTICE.read_text()


def test_no_file_names_another_site() -> None:
    for file in STATIC.iterdir():
        if file.suffix in (".js", ".css") and file.name != "htmx.min.js":
            text = file.read_text().replace("http://www.w3.org/2000/svg", "")  # a name, not an address
            assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", text), file.name


def test_the_manifest_describes_an_app_with_icons_that_are_there(page: Served) -> None:
    manifest = json.loads(page.get("/manifest.webmanifest").body)
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    for icon in manifest["icons"]:
        answer = page.get(icon["src"])
        assert (answer.status, answer.headers["content-type"]) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", answer.body[16:24])
            assert icon["sizes"] == f"{width}x{height}"
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])


def test_the_page_waits_for_a_daemon_that_is_away(page: Served) -> None:
    answer = page.get("/")
    assert answer.status == 503
    assert "facesecure is not running" in answer.text
    assert "sudo systemctl start facesecure" in answer.text
    assert answer.headers["refresh"] == answer.headers["retry-after"] == "5"
    french = page.get("/", None, {"Accept-Language": "fr"})
    assert "facesecure ne fonctionne pas" in french.text
    assert '<html lang="fr">' in french.text


def test_what_was_done_is_still_to_be_reported_once_the_daemon_is_back(page: Served) -> None:
    answer = page.get("/", None, {"Cookie": "done=hours-rejected"})
    assert answer.status == 503
    assert "set-cookie" not in answer.headers
    assert "the change was taken back" not in answer.text


def test_what_is_not_there_is_a_page_that_leads_back(page: Served) -> None:
    answer = page.get("/nowhere")
    assert answer.status == 404
    assert 'href="/"' in answer.text
