"""As much of HTTP (RFC 9110) as a player needs to fetch a file: one request a connection, GET, HEAD, single ranges."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")


@dataclass(frozen=True, slots=True)
class Request:
    """``headers`` by their names in small letters."""

    method: str
    target: str
    headers: dict[str, str]

    @classmethod
    def parse(cls, head: bytes) -> Request:
        """From all up to the empty line. Raises ValueError where it is no HTTP/1 request."""
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, version = first.split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(f"{version!r} is not spoken here")
        pairs = (line.partition(":") for line in lines)
        return cls(method, target, {name.strip().lower(): value.strip() for name, _, value in pairs})


@dataclass(frozen=True, slots=True)
class Response:
    """``body`` is left out of the answer to HEAD, its length is not. ``final``: it holds the file's last byte."""

    status: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | memoryview = b""
    final: bool = False

    def head(self) -> bytes:
        fixed = (("Content-Length", str(len(self.body))), ("Cache-Control", "no-store"), ("Connection", "close"))
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in (*self.headers, *fixed))]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


NOT_FOUND = Response("404 Not Found")
BAD_REQUEST = Response("400 Bad Request")
NOT_ALLOWED = Response("405 Method Not Allowed", (("Allow", "GET, HEAD"),))


def response_to(request: Request, content: bytes, content_type: str) -> Response:
    """``content``, or the range of it that was asked for."""
    if request.method not in ("GET", "HEAD"):
        return NOT_ALLOWED
    headers = (("Content-Type", content_type), ("Accept-Ranges", "bytes"))
    size = len(content)
    match asked_range(request.headers.get("range", ""), size):
        case None:
            return Response("200 OK", headers, content, final=True)
        case (first, last) if first <= last:
            place = ("Content-Range", f"bytes {first}-{last}/{size}")
            part = memoryview(content)[first : last + 1]
            return Response("206 Partial Content", (*headers, place), part, final=last == size - 1)
    return Response("416 Range Not Satisfiable", (("Content-Range", f"bytes */{size}"),))


def asked_range(text: str, size: int) -> tuple[int, int] | None:
    """(first, last) byte that a Range header asks for; first > last if there is no such part.

    None where there is none, or it is one that a server may pass over: several ranges, or nonsense.
    """
    match = _RANGE.fullmatch(text.replace(" ", ""))
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:  # the last so many bytes
        wanted = int(match["last"])
        return (max(0, size - wanted), size - 1) if wanted else (size, -1)
    first, last = int(match["first"]), int(match["last"] or size - 1)
    if match["last"] and last < first:
        return None
    return (first, min(last, size - 1)) if first < size else (size, -1)
