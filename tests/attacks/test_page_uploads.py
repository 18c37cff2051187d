"""Pictures and forms that people upload to the page, made to take its memory, to break out, or to become another's."""

from __future__ import annotations

import http.client
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from facesecure.app.web_api.protocol import BODY_LIMIT
from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.domain.accounts import Role
from facesecure.util.plain_text import is_plain
from facesecure.web.uploads import LARGEST_FILE, LARGEST_FORM, MOST_FIELDS, MOST_FILES
from support.bombs.pictures import REFUSED, encoded
from support.faces import empty_scene, portrait, scaled
from support.faults.table import attack
from support.page.forms import BOUNDARY, MULTIPART, begin, field_part, file_part, form, jpeg, upload
from support.page.weighed import Weighed, weighed_house
from support.page_socket import call, token_of

MOST_MEMORY = 64_000_000
"""Bytes of the web process with a picture of 1600 by 1600 pixels on its way to the daemon, which are 8 MB twice."""
MEGABYTE = 1_000_000
Saw = Callable[[str], None]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Weighed]:
    with weighed_house(tmp_path / "state") as page:
        yield page
        assert page.process.poll() is None, "the web process ended"


def photo() -> bytes:
    return jpeg(enrolment_images(1)[0])


def pictures(house: Weighed, draft: str) -> list[Mapping[str, Any]]:
    """What the daemon has of an enrolment."""
    arguments = {"draft": draft.rpartition("/")[2]}
    reply = call(_socket(house), "enrol-draft", arguments, token=token_of(Role.MEMBER))
    return list(reply.result["pictures"])


def _socket(house: Weighed) -> Path:
    assert house.parts is not None
    return house.parts.state_dir / "web.sock"


def send(house: Weighed, path: str, size: int, body: Iterator[bytes]) -> int:
    """Send a form of ``size`` bytes as it is made; return the status, or 0 if the connection was closed."""
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=60)
    headers = {
        **MULTIPART, "Host": f"localhost:{house.port}", "Origin": house.origin, "Accept": "text/html",
        "Cookie": f"facesecure={token_of(Role.MEMBER)}", "Content-Length": str(size),
    }  # fmt: skip
    try:
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        return 0
    finally:
        connection.close()


@pytest.mark.slow
@attack(
    "picture bomb uploaded to the page",
    how="the 28 picture bombs, all in one form, then a photo; the real web process and its decoder",
)
def test_every_uploaded_bomb_is_refused_and_the_next_photo_is_judged(house: Weighed, saw: Saw) -> None:
    draft = begin(house)
    bombs = [file_part(make(), f"{name}.jpg") for name, make in REFUSED.items()]
    assert upload(house, draft, form([*bombs, file_part(photo())])).status == 303
    found = pictures(house, draft)
    assert len(found) == len(REFUSED) + 1
    assert [one["code"].startswith("file-") for one in found] == [True] * len(REFUSED) + [False]
    assert not any(one["accepted"] for one in found[:-1])
    assert house.peak < MOST_MEMORY
    saw(
        f"{len(REFUSED)} of {len(REFUSED)} refused, the photo after them judged; "
        f"at most {house.peak // MEGABYTE} MB in the web process"
    )


@attack(
    "uploaded file that is two things",
    how="JPEG with HTML after it, JPEG with a script in a comment, SVG, GIF with a script, TIFF, HTML called .jpg, "
    "ZIP, a photo cut short at every tenth",
)
def test_what_is_shown_of_an_upload_is_never_the_upload(house: Weighed, saw: Saw) -> None:
    script, whole = b"<script>alert(1)</script>", photo()
    comment = whole[:2] + b"\xff\xfe" + (len(script) + 2).to_bytes(2, "big") + script + whole[2:]
    files = [
        whole + b"<html>" + script, comment, b"<svg xmlns='http://www.w3.org/2000/svg'>" + script + b"</svg>",
        encoded("gif") + script, encoded("tiff"), b"<!doctype html>" + script, b"PK\x03\x04" + script,
        *(whole[: len(whole) * tenth // 10] for tenth in range(1, 10)),
    ]  # fmt: skip
    draft = begin(house)
    kinds = ("image/jpeg", "text/html", "image/svg+xml", "application/octet-stream", "multipart/mixed", "")
    parts = [file_part(data, f"{n}.html", kind=kinds[n % len(kinds)]) for n, data in enumerate(files)]
    assert upload(house, draft, form(parts)).status == 303
    found = pictures(house, draft)
    read = [one["picture"] for one in found if not one["code"].startswith("file-")]
    assert read == [1, 2]
    for number in range(1, len(files) + 1):
        view = house.get(f"{draft}/pictures/{number}.jpg", Role.MEMBER)
        assert view.headers["content-type"] == "image/jpeg"
        assert view.headers["x-content-type-options"] == "nosniff"
        assert b"script" not in view.body
    assert script.decode() not in house.get(draft, Role.MEMBER).text
    saw(f"{len(read)} of {len(files)} read, as pixels; what is shown was encoded anew, the others refused")


@attack(
    "200 MB uploaded to the page",
    how="one file of 200 MB, and two forms of 300 MB by their headers",
)
def test_a_huge_upload_takes_no_memory(house: Weighed, saw: Saw) -> None:
    draft, piece = begin(house), bytes(MEGABYTE)
    head, tail = file_part(b"", "huge.jpg")[:-2], b"\r\n" + f"--{BOUNDARY}--\r\n".encode()

    def huge() -> Iterator[bytes]:
        yield head
        yield from (piece for _ in range(200))
        yield tail

    assert send(house, f"{draft}/pictures", len(head) + 200 * MEGABYTE + len(tail), huge()) == 303
    (found,) = pictures(house, draft)
    assert found["code"] == "file-too-large"
    assert 200 * MEGABYTE > LARGEST_FILE
    begun = time.monotonic()
    assert send(house, f"{draft}/pictures", 300 * MEGABYTE, iter([head])) == 413
    assert 300 * MEGABYTE > LARGEST_FORM
    assert send(house, f"{draft}/save", 300 * MEGABYTE, iter([head])) == 413
    assert time.monotonic() - begun < 5
    assert upload(house, draft, form([file_part(photo())])).status == 303
    assert house.peak < MOST_MEMORY
    saw(f"refused for its size, and the next photo judged; at most {house.peak // MEGABYTE} MB in the web process")


@attack(
    "form made to flood the page",
    how="31 files, 9 fields, a field of 5 kB, names and headers of 100 kB, 1000 headers, no boundary, another content "
    "type, a boundary that never comes, a form cut short, parts without a name",
)
def test_forms_nobody_sends_are_refused_and_the_page_goes_on(house: Weighed, saw: Saw) -> None:
    draft, tiny = begin(house), file_part(b"x")
    nameless = f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n".encode()
    long_header = f"--{BOUNDARY}\r\nX: {'y' * 100_000}\r\n\r\nx\r\n".encode()
    thousand = "".join(f"X-{n}: y\r\n" for n in range(1000))
    many_headers = f"--{BOUNDARY}\r\n{thousand}\r\nx\r\n".encode()
    bodies: dict[str, tuple[bytes, Mapping[str, str]]] = {
        "files": (form([tiny] * (MOST_FILES + 1)), {}),
        "fields": (form([field_part(str(n)) for n in range(MOST_FIELDS + 1)]), {}),
        "value": (form([field_part("face", b"9" * 5000)]), {}),
        "name": (form([field_part("n" * 100_000)]), {}),
        "header": (form([long_header]), {}),
        "headers": (form([many_headers]), {}),
        "cut": (form([tiny])[:-20], {}),
        "never": (b"-" * 200_000, {}),
        "nothing": (b"", {}),
        "no boundary": (form([tiny]), {"Content-Type": "multipart/form-data"}),
        "long boundary": (form([tiny]), {"Content-Type": f"multipart/form-data; boundary={'b' * 5000}"}),
        "json": (b"{}", {"Content-Type": "application/json"}),
        "image": (photo(), {"Content-Type": "image/jpeg"}),
        "odd": (form([tiny]), {"Content-Type": "multipart/form-data; boundary=\xff\xfe"}),
    }
    for name, (body, headers) in bodies.items():
        answer = upload(house, draft, body, headers=headers)
        assert 400 <= answer.status < 500, (name, answer.status)
    assert upload(house, draft, form([nameless, file_part(photo())])).status == 303
    assert pictures(house, draft)[-1]["code"] == "good"
    assert house.peak < MOST_MEMORY
    saw(f"{len(bodies)} of {len(bodies)} refused, the next form taken; at most {house.peak // MEGABYTE} MB")


@attack(
    "pixels that are not what they are said to be",
    how="the socket asked directly: more and fewer bytes than width times height, sizes of 0, -1, 1601 and 2^63, no "
    "body, 16 MB",
)
def test_pixels_must_be_as_many_as_is_said(house: Weighed, saw: Saw) -> None:
    draft = begin(house).rpartition("/")[2]
    tried = 0
    for width, height, size in (
        (20, 20, 1199), (20, 20, 1201), (20, 20, 0), (0, 0, 0), (-1, -1, 3), (1601, 12, 12), (2**63, 1, 12),
        (12, 12, BODY_LIMIT), (1600, 1600, 12), ("20", "20", 1200), (20.5, 20, 1230),
    ):  # fmt: skip
        arguments = {"draft": draft, "source": "a", "width": width, "height": height}
        reply = call(_socket(house), "enrol-picture", arguments, b"\0" * size, token=token_of(Role.MEMBER))
        assert reply.kind == "invalid", (width, height, size)
        tried += 1
    assert pictures(house, draft) == []
    saw(f"{tried} of {tried} refused")


@attack(
    "another person's enrolment",
    how="its address taken to another browser: seen, added to, chosen in, saved, given up; 500 guessed identifiers; "
    "without a session, as a viewer, and from another site",
)
def test_an_enrolment_is_reached_from_its_own_browser_only(house: Weighed, saw: Saw) -> None:
    draft = begin(house)
    upload(house, draft, form([file_part(photo())]))
    body = form([file_part(photo())])
    for role, status in ((Role.OWNER, 404), (Role.VIEWER, 403), (Role.KIOSK, 403), (None, 303)):
        tries = [
            house.get(draft, role),
            house.get(f"{draft}/pictures/1.jpg", role),
            house.ask("POST", f"{draft}/pictures", role, MULTIPART, body),
            house.post(f"{draft}/pictures/1", {"do": "drop"}, role),
        ]
        assert [one.status for one in tries] == [status] * len(tries), role
        assert house.post(f"{draft}/save", {"few": "yes"}, role).status in (status, 303)
        house.post(f"{draft}/cancel", {}, role)
    elsewhere = {"Origin": "https://evil.example", **MULTIPART}
    assert house.ask("POST", f"{draft}/pictures", Role.MEMBER, elsewhere, body).status == 403
    guesses = [house.get(f"/enrol/{secrets.token_hex(16)}", Role.MEMBER).status for _ in range(500)]
    assert set(guesses) == {404}
    assert house.get("/enrol/..%2f..%2fetc%2fpasswd", Role.MEMBER).status in (400, 404)
    assert len(pictures(house, draft)) == 1
    assert house.parts is not None
    assert house.parts.store.people() == []
    saw("all refused; the enrolment is as it was, and nothing was stored")


@attack(
    "file name that is a path",
    how="../../etc/passwd, C:\\windows, line breaks, NUL, marks that turn the text around, HTML, 3 kB, the "
    "database's own name; looked for in the state folder, the pages and the store",
)
def test_a_file_name_is_a_label_only(house: Weighed, saw: Saw, tmp_path: Path) -> None:
    names = [
        "../../../../etc/cron.d/facesecure", "C:\\windows\\..\\a.jpg", "a\u202egpj.exe", "<img src=x onerror=alert(1)>",
        "x" * 3000, "/dev/null", "facesecure.db", "\x00", "a\x1b[31mb", "..",
    ]  # fmt: skip
    assert house.parts is not None
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    draft = begin(house)
    images = enrolment_images(len(names))
    parts = [file_part(jpeg(image), name) for name, image in zip(names, images, strict=True)]
    upload(house, draft, form([*parts, file_part(jpeg(empty_scene()), "b\r\nX-Evil: 1")]))
    shown = house.get(draft, Role.MEMBER)
    assert "x-evil" not in shown.headers
    assert "<img src=x" not in shown.text
    sources = [one["source"] for one in pictures(house, draft)]
    assert all(is_plain(source) and "/" not in source and "\\" not in source for source in sources)
    assert max(map(len, sources)) < 120
    assert house.post(f"{draft}/save", {"few": "yes"}, Role.MEMBER).headers["location"] == "/people/Grace"
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert {path.name for path in new if not path.name.startswith(("facesecure.db", "audit."))} == set()
    saw(f"{len(names)} of {len(names)} became one short line of text; no file was made")


@attack(
    "enrolments begun without end",
    how="60 begun in one browser, each with a picture of 1600 by 1600 pixels, while another browser has one open",
)
def test_open_enrolments_are_few(house: Weighed, saw: Saw) -> None:
    other = begin(house, "Tom", Role.OWNER)
    large = scaled(portrait(), 1600 / max(portrait().shape[:2]))
    body = form([file_part(jpeg(large))])
    drafts = []
    for number in range(60):
        drafts.append(begin(house, f"Person {number}"))
        if number % 10 == 0:
            upload(house, drafts[-1], body)
    assert house.parts is not None
    assert len(house.parts.drafts) == house.parts.drafts.most
    open_still = [draft for draft in drafts if house.get(draft, Role.MEMBER).status == 200]
    assert open_still == drafts[-3:]
    assert house.get(other, Role.OWNER).status == 200
    saw(f"{house.parts.drafts.most} open at most, the other browser's among them")
