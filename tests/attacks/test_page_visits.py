"""Visits on the page under attack: guessed names and paths, planted pictures and films, names that are HTML."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from facesecure.domain.accounts import Role
from facesecure.storage.store import DATABASE_NAME, Store
from support.builders import NOON
from support.faults.table import attack
from support.page.served import Served, served_house
from support.page_visits import fill, film_pieces, keep_film
from support.store import known, picture, sighting

Saw = Callable[[str], None]

GUESSES = (
    "..", ".", "...", "../../facesecure.db", "%2e%2e%2ffacesecure.db", "..%2f..%2fkey", "%2fetc%2fpasswd", "tom%00",
    "tom%0a", "tom%20", "to", "t", "TOM", "tom.jpg", "tom%2f..%2fcat", "*", "%25", "_", "tom'--", "tom%22", "1 OR 1=1",
    "-1", "a" * 101, "%F0%9F%98%80", "tom;cat", "tom~cat", "0" * 32, "%EF%BC%8E%EF%BC%8E", "con", "snapshots",
)  # fmt: skip
WAYS = (
    "/visit/{}", "/visit/{}/small.jpg", "/visit/{}/snapshot.jpg", "/visit/{}/face/1.jpg", "/film/{}.mp4",
    "/visit/tom/face/{}.jpg",
)  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_house(tmp_path / "state") as served:
        assert served.parts is not None
        fill(served.parts.store)
        yield served


def store_of(house: Served) -> Store:
    assert house.parts is not None
    return house.parts.store


def content(page: str) -> str:
    """A page without the menu: the web process asks who is signed in only where there could be something."""
    return page.partition("<main")[2].partition("</main>")[0]


@attack(
    "visits, faces and films are guessed",
    how="30 identifiers and paths (dots, encoded slashes, null bytes, beginnings of real ones, other case, SQL) in 6 "
    "addresses, as a viewer",
)
def test_whatever_is_guessed_looks_the_same(house: Served, saw: Saw) -> None:
    pages = set()
    for way in WAYS:
        for guess in GUESSES:
            if "face/{}" in way and guess == "-1":
                continue
            path = way.format(quote(guess, safe="%;~*'"))
            answer = house.get(path, Role.VIEWER)
            assert answer.status == 404, path
            assert answer.headers["content-type"].startswith("text/html"), path
            pages.add(content(answer.text))
    assert len(pages) == 1, "nothing tells what is there from what is not"
    assert house.get("/visit/tom", Role.VIEWER).status == 200
    saw(f"{len(WAYS) * len(GUESSES) - 1} times the same page (404)")


@attack(
    "visits are asked for without a session, or as a kiosk",
    how="every address of the timeline and of visits, pictures and films included, by nobody and by a kiosk",
)
def test_who_may_not_see_visits_sees_none(house: Served, saw: Saw, tmp_path: Path) -> None:
    film = keep_film(store_of(house), NOON, film_pieces(tmp_path))
    number = store_of(house).faces_seen("tom")[0].identifier
    paths = (
        "/timeline", "/timeline/newest?after=", "/visit/tom", "/visit/cat/small.jpg", "/visit/cat/snapshot.jpg",
        f"/visit/tom/face/{number}.jpg", f"/film/{film}.mp4",
    )  # fmt: skip
    for path in paths:
        assert house.get(path, Role.VIEWER).status in (200, 204), path
        nobody, kiosk = house.get(path), house.get(path, Role.KIOSK)
        assert (nobody.status, kiosk.status) == (303, 403), path
        assert b"Tom" not in nobody.body + kiosk.body
    saw("nobody is sent to sign in, a kiosk is refused (403), and neither gets a byte")


def _planted(state: Path, name: str) -> Path:
    (found,) = (state / "snapshots").rglob(f"{name}.jpg")
    return found


@attack(
    "a snapshot is replaced by another file",
    how="a link to the key, a hard link to it, a pipe, a folder, a linked folder, HTML, and 20 MB; then its pictures "
    "are asked for",
)
def test_no_other_file_is_shown_as_a_snapshot(house: Served, saw: Saw, tmp_path: Path) -> None:
    state, store = store_of(house).state_dir, store_of(house)
    secret = state / "secret.jpg"
    secret.write_bytes(b"\xff\xd8\xff s3cret")
    path = _planted(state, "cat")

    def plants() -> Iterator[str]:
        for what, plant in (
            ("link", lambda: path.symlink_to(secret)),
            ("hard link", lambda: os.link(secret, path)),
            ("pipe", lambda: os.mkfifo(path)),
            ("folder", lambda: path.mkdir()),
            ("HTML", lambda: path.write_bytes(b"<script>alert(1)</script>")),
            ("large", lambda: path.write_bytes(b"\xff\xd8\xff" + bytes(20_000_000))),
        ):
            path.rmdir() if path.is_dir() else path.unlink()
            plant()
            yield what
        path.unlink()
        day = path.parent
        day.rename(tmp_path / "elsewhere")
        (tmp_path / "elsewhere" / "cat.jpg").write_bytes(secret.read_bytes())
        day.symlink_to(tmp_path / "elsewhere")
        yield "linked folder"

    tried = []
    for what in plants():
        for name in ("small", "snapshot"):
            answer = house.get(f"/visit/cat/{name}.jpg", Role.VIEWER)
            assert answer.status == 404, what
            assert b"s3cret" not in answer.body
        tried.append(what)
    assert house.get("/timeline", Role.VIEWER).status == 200
    assert store.sightings(1)[0].identifier == "cat"
    saw(f"{len(tried)} files: none is shown (404), and the timeline goes on")


@attack(
    "names, cameras and reasons are HTML",
    how="script tags, quotes and templates as a camera's name, a doubt and a verdict's reason, written into "
    "the database",
)
def test_nothing_that_is_stored_becomes_html(house: Served, saw: Saw) -> None:
    evil = "\"><script>alert(1)</script>{{ 7 * 7 }}<img src=x onerror=alert(1)>'"
    store = store_of(house)
    store.record(sighting("evil", known("Tom"), snapshot=picture()))
    with closing(sqlite3.connect(store.state_dir / DATABASE_NAME)) as database, database:
        changed = "UPDATE sightings SET source = ?, why = ?, doubt = ? WHERE identifier = 'evil'"
        database.execute(changed, (evil, evil, evil))
    for path in ("/timeline", f"/timeline?camera={quote(evil)}", "/visit/evil"):
        answer = house.get(path, Role.MEMBER)
        assert answer.status == 200, path
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "49" not in re.sub(r"[0-9a-f]{6,}|\d\d:\d\d|data-[a-z]+=\"[^\"]*\"", "", answer.text.split("<main")[1])
        assert "&lt;script&gt;" in answer.text
    saw("shown as text on the timeline, in its filter and on the visit")


@attack(
    "identifiers of visits in the database are paths and HTML",
    how="a sighting called ../../etc/passwd and one called <script>, written into the database",
)
def test_an_identifier_that_is_none_leads_nowhere(house: Served, saw: Saw) -> None:
    store = store_of(house)
    for number, name in enumerate(("../../etc/passwd", "<script>alert(1)</script>", "a b")):
        store.record(sighting(f"plain-{number}"))
        with closing(sqlite3.connect(store.state_dir / DATABASE_NAME)) as database, database:
            database.execute("UPDATE sightings SET identifier = ? WHERE identifier = ?", (name, f"plain-{number}"))
    answer = house.get("/timeline", Role.VIEWER)
    assert answer.status == 200
    assert "<script>alert" not in answer.text
    for way in re.findall(r'href="(/visit/[^"]*)"', answer.text):
        assert house.get(way.replace("&lt;", "%3C").replace("&gt;", "%3E").replace(" ", "%20"), Role.VIEWER).status in (
            200,
            404,
        )
    saw("the timeline shows them as text, and their pages are not found (404)")


@attack(
    "corrections are posted by a viewer, from elsewhere, and for other visits",
    how="each correction as a viewer, with another site's Origin, without any, and for visits that do not exist",
)
def test_nobody_corrects_what_they_may_not(house: Served, saw: Saw) -> None:
    store = store_of(house)
    before = [(one.identifier, one.kind, one.name) for one in store.sightings()]
    forms = {"was-not": {"name": "Tom"}, "was": {"name": "Tom"}, "right": {"seen": "yes"}}
    count = 0
    for way, form in forms.items():
        assert house.post(f"/visit/tom/{way}", form, Role.VIEWER).status == 403
        assert house.post(f"/visit/tom/{way}", form).status == 303  # to sign in
        assert house.post(f"/visit/another/{way}", form, Role.OWNER).status == 404
        for origin in ({"Origin": "https://evil.example"}, {"Origin": None}, {"Sec-Fetch-Site": "cross-site"}):
            body = "&".join(f"{key}={value}" for key, value in form.items()).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded", **origin}
            assert house.ask("POST", f"/visit/tom/{way}", Role.OWNER, headers, body).status == 403
            count += 1
        count += 3
    assert [(one.identifier, one.kind, one.name) for one in store.sightings()] == before
    assert store.timeline.find("tom").reviewed_at is None
    saw(f"{count} posts, nothing changed")


@attack(
    "a film is asked for in bad pieces",
    how="ranges that are reversed, beyond the end, of a million parts, huge, and in other digits",
)
def test_ranges_cost_no_more_than_the_film(house: Served, saw: Saw, tmp_path: Path) -> None:
    film = keep_film(store_of(house), NOON, film_pieces(tmp_path))
    path = f"/film/{film}.mp4"
    size = len(house.get(path, Role.VIEWER).body)
    for header in (
        "bytes=9-1", f"bytes={10**14}-", "bytes=" + ",".join(f"{n}-{n}" for n in range(300)), "bytes=0-" + "9" * 15,
        "bytes=٣-٤", "bytes= 0-1", "bytes=0x1-0x2", "items=0-1", "bytes=--1", "bytes=1-2-3", "",
    ):  # fmt: skip
        answer = house.get(path, Role.VIEWER, {"Range": header.encode("utf-8").decode("latin-1")})
        assert answer.status in (200, 206, 416), header
        assert len(answer.body) <= max(size, 5000)
    saw("each is answered with the film, a piece of it, or 416")
