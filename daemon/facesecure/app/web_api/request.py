"""Read a request of the page: its line, checked once, and the bytes that follow it."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from facesecure.app.control.protocol import time_left
from facesecure.app.web_api.protocol import BODY_LIMIT, VERSION, Refusal
from facesecure.app.web_api.verb import Client, Refused
from facesecure.util.plain_text import one_line

_LONGEST_ADDRESS, _LONGEST_AGENT = 64, 300
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}", re.ASCII)
_CHUNK = 65536
_OTHER_VERSION = "restart both after an upgrade: sudo systemctl restart facesecure facesecure-web"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was sent: nothing but its shape has been checked. ``body``: the bytes that follow it."""

    verb: str
    arguments: Mapping[str, Any]
    token: str | None
    client: Client
    body: int

    @classmethod
    def parse(cls, line: bytes) -> Request:
        """Return the request in ``line``. Raises Refused."""
        document = _document(line)
        if document.get("version") != VERSION:
            raise Refused(Refusal.FAILED, "the page and the daemon are of different versions", _OTHER_VERSION)
        verb, arguments, body = document.get("verb"), document.get("arguments", {}), document.get("body", 0)
        if not isinstance(verb, str) or not isinstance(arguments, dict):
            raise _malformed("a verb and its arguments are needed")
        if type(body) is not int or not 0 <= body <= BODY_LIMIT:
            raise _malformed("that many bytes cannot follow a request")
        return cls(verb, arguments, _token(document.get("token")), _client(document.get("client")), body)


def read_body(connection: socket.socket, size: int, seconds: float, beginning: bytes = b"") -> bytes:
    """Read ``size`` bytes, of which ``beginning`` was read already. Raises Refused if that takes over ``seconds``."""
    deadline, body, filled = time.monotonic() + seconds, bytearray(size), min(size, len(beginning))
    body[:filled] = beginning[:filled]
    with memoryview(body) as view:
        while filled < size:
            try:
                connection.settimeout(time_left(deadline))
                count = connection.recv_into(view[filled:], min(_CHUNK, size - filled))
            except TimeoutError:
                raise _malformed(f"the request was not complete within {seconds:g} s") from None
            if not count:
                raise _malformed("the request ended before its last byte")
            filled += count
    return bytes(body)


def discard(connection: socket.socket, size: int, seconds: float) -> None:
    """Read ``size`` bytes at most, for ``seconds`` at most, and forget them: the peer gets to read its answer."""
    deadline = time.monotonic() + seconds
    while size > 0 and (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        count = len(connection.recv(min(_CHUNK, size)))
        if not count:
            return
        size -= count


def _document(line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _malformed("that is not JSON") from None
    if not isinstance(document, dict):
        raise _malformed("that is not a JSON object")
    return document


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)


def _token(given: object) -> str | None:
    """Return the token of a session if ``given`` has the form of one: nothing else is looked up."""
    return given if isinstance(given, str) and _TOKEN.fullmatch(given) else None


def _client(given: object) -> Client:
    told = given if isinstance(given, dict) else {}
    address, agent = told.get("address"), told.get("agent")
    return Client(
        one_line(address, _LONGEST_ADDRESS) if isinstance(address, str) else "",
        one_line(agent, _LONGEST_AGENT) if isinstance(agent, str) else "",
    )


def _malformed(what: str) -> Refused:
    return Refused(Refusal.INVALID, what)
