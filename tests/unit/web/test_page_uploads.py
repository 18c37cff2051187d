"""Forms with files, read as they arrive: whatever the pieces are, in memory, and nothing is left open."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from facesecure.web import uploads
from facesecure.web.uploads import parts_of
from support.page.forms import MULTIPART, field_part, file_part, form

Kept = tuple[str, str, str, bytes | None, bool]


def request_of(pieces: Iterable[bytes], content_type: str = MULTIPART["Content-Type"]) -> Request:
    """A request whose body comes in these pieces."""
    left = list(pieces)

    async def receive() -> Message:
        piece = left.pop(0) if left else b""
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    headers = [(b"content-type", content_type.encode("latin-1"))]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def read(pieces: Iterable[bytes], **how: str) -> list[Kept]:
    async def all_of() -> list[Kept]:
        found = list[Kept]()
        async for part in parts_of(request_of(pieces, **how)):
            data = None if part.file is None else os.pread(part.file.fileno(), 100_000, 0)
            found.append((part.name, part.value, part.file_name, data, part.too_large))
        return found

    return asyncio.run(all_of())


def in_pieces(body: bytes, seed: int) -> list[bytes]:
    """The same bytes, cut at random places."""
    cuts = sorted(random.Random(seed).sample(range(len(body)), min(40, len(body))))
    return [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_are_the_same_however_the_form_is_cut(seed: int) -> None:
    data = random.Random(seed).randbytes(500) + b"\r\n--not the boundary\r\n"
    body = form([field_part("name", "Éloïse".encode()), file_part(data, "é.jpg"), file_part(b"", "empty.jpg")])
    wanted = [("name", "Éloïse", "", None, False), ("photos", "", "é.jpg", data, False)]
    wanted.append(("photos", "", "empty.jpg", b"", False))
    assert read(in_pieces(body, seed)) == wanted
    assert read(bytes([one]) for one in body) == wanted


def test_an_empty_file_field_is_left_out() -> None:
    assert read([form([file_part(b"", ""), field_part("a", b"1")])]) == [("a", "1", "", None, False)]


def test_what_is_too_large_is_forgotten_and_the_rest_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_FILE", 1000)
    body = form([file_part(bytes(3000), "large.jpg"), file_part(b"x" * 1000, "fits.jpg")])
    large, fits = read(body[at : at + 100] for at in range(0, len(body), 100))
    assert (large[3], large[4]) == (b"", True)
    assert (fits[3], fits[4]) == (b"x" * 1000, False)


@pytest.mark.parametrize(
    ("body", "how", "status"),
    [
        (form([file_part(b"x")])[:-6], {}, 400),
        (b"", {}, 400),
        (b"nonsense" * 100, {}, 400),
        (form([field_part("a", b"x" * 5000)]), {}, 413),
        (form([field_part("n" * 65)]), {}, 413),
        (form([field_part("a")] * 9), {}, 413),
        (form([file_part(b"x")] * 31), {}, 413),
        (form([]), {"content_type": "application/json"}, 415),
        (form([]), {"content_type": "multipart/form-data"}, 415),
        (form([]), {"content_type": "multipart/form-data; boundary="}, 415),
    ],
)
def test_what_no_browser_sends_is_refused(body: bytes, how: dict[str, str], status: int) -> None:
    with pytest.raises(HTTPException) as refused:
        read([body], **how)
    assert refused.value.status_code == status


def open_uploads() -> int:
    """How many files of uploads are open; those of other tests, of any kind, may be closed at any time."""
    return sum("memfd:upload" in _target(file) for file in Path("/proc/self/fd").iterdir())


def _target(file: Path) -> str:
    with suppress(OSError):  # closed meanwhile
        return str(file.readlink())
    return ""


def test_nothing_is_left_open() -> None:
    with os.fdopen(os.memfd_create("upload"), "wb"):
        assert open_uploads() == 1, "or they would not be found"
    before = open_uploads()
    body = form([file_part(b"x"), file_part(b"y"), file_part(b"z")])
    for end in (len(body), len(body) - 6, len(body) // 2, 200):
        with suppress(HTTPException):
            read([body[:end]])
    assert open_uploads() == before
