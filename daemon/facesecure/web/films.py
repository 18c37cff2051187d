"""Films for browsers: pieces of them as players ask for them, of which this process holds one at a time."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from facesecure.web.daemon import Answer
from facesecure.web.request import ask

PIECE = 1 << 18
"""Bytes that are asked for at a time."""
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The bytes that a player asks for: from ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


def wanted(header: str | None, size: int) -> Wanted | None:
    """Return what a Range header asks for of ``size`` bytes; all of them if it is none that players send.

    None if nothing of it is there.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return Wanted(0, size - 1)
    if not match[1]:
        return Wanted(max(0, size - int(match[2])), size - 1) if int(match[2]) else None
    first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    return Wanted(first, last) if first <= last else None


async def send_film(request: Request, film: str) -> Response:
    """Send a film, or the piece of it that a player asks for: phones play nothing without. Raises as ``ask``."""
    begin = await _piece(request, film, 0, 1)
    size = int(begin.result["size"])
    header = request.headers.get("range")
    part = wanted(header, size)
    headers = {"Accept-Ranges": "bytes", "Content-Type": "video/mp4"}
    if part is None:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Length"] = str(part.length)
    if header is not None and _RANGE.fullmatch(header.strip()):
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{size}"
    status = 206 if "Content-Range" in headers else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_pieces(request, film, part, size), status, headers)


async def _pieces(request: Request, film: str, part: Wanted, size: int) -> AsyncIterator[bytes]:
    at = part.first
    while at <= part.last:
        answer = await _piece(request, film, at, min(PIECE, part.last - at + 1))
        if not answer.body or answer.result["size"] != size:  # it has grown: what follows would not fit
            raise ConnectionAbortedError("the film has changed")
        yield answer.body
        at += len(answer.body)


async def _piece(request: Request, film: str, start: int, length: int) -> Answer:
    return await ask(request, "film", {"film": film, "start": start, "length": length})
