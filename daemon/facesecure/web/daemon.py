"""Ask the daemon: one connection to its socket for each request, with limits of time and size.

The daemon is trusted to decide, but not to be there, to be quick, or to be of the same version.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facesecure.app.control.protocol import address_of
from facesecure.app.web_api.protocol import ANSWER_BODY_LIMIT, ANSWER_LINE_LIMIT, VERSION, Refusal

SECONDS = 35.0
"""How long an answer may take; the longest wait for changes is 25 s."""
_CONNECT_SECONDS = 3.0
_PAUSE = 0.05
_PAUSES = (0.1, 0.3, 0.9)
"""Seconds before a request is made again that the daemon had no time for."""
_CHUNK = 65536
_START = "start it: sudo systemctl start facesecure"
_AGAIN = "install again: sudo make install"
_LOG = "see: systemctl status facesecure"


class DaemonAway(Exception):
    """The daemon cannot be asked. ``message`` says why, ``hint`` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class DaemonRefused(Exception):
    """The daemon refuses. ``field`` is the argument that is wrong, ``seconds`` until a limit ends."""

    def __init__(
        self,
        kind: Refusal,
        message: str,
        hint: str | None = None,
        field: str | None = None,
        seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind, self.message, self.hint, self.field, self.seconds = kind, message, hint, field, seconds


@dataclass(frozen=True, slots=True)
class Client:
    """The browser that asks, for the daemon's limits and for people to read."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the daemon answered: facts, and bytes such as a picture."""

    result: dict[str, Any]
    body: bytes = b""


NOBODY = Client()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: a verb with its arguments, in the session of ``token``, and bytes after it."""

    verb: str
    arguments: Mapping[str, Any]
    token: str | None = None
    client: Client = NOBODY
    body: bytes = b""

    def line(self) -> bytes:
        """Return the request's line. Raises ValueError for numbers that JSON cannot express."""
        document = {
            "version": VERSION,
            "verb": self.verb,
            "token": self.token,
            "client": asdict(self.client),
            "arguments": dict(self.arguments),
            "body": len(self.body),
        }
        return json.dumps(document, allow_nan=False).encode() + b"\n"


class Daemon:
    """Asks the daemon that listens at the first of ``places`` that answers.

    Example::

        answer = await Daemon([Path("/run/facesecure-web/web.sock")]).call("hello")
        answer.result["program"]
    """

    def __init__(self, places: Sequence[Path], seconds: float = SECONDS) -> None:
        """``seconds``: how long an answer may take."""
        self._places, self._seconds = tuple(places), seconds

    async def call(
        self,
        verb: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        client: Client = NOBODY,
        body: bytes = b"",
        seconds: float | None = None,
    ) -> Answer:
        """Return the daemon's answer. Raises DaemonRefused if it refuses, DaemonAway if it gives none."""
        request = Request(verb, arguments or {}, token, client, body)
        async with self.stream(request, seconds) as streamed:
            return Answer(streamed.result, b"".join([chunk async for chunk in streamed.chunks()]))

    @asynccontextmanager
    async def stream(self, request: Request, seconds: float | None = None) -> AsyncIterator[Streamed]:
        """Ask, and yield the answer whose bytes are still to be read: a film is larger than this process may be.

        ``seconds`` is for the beginning of the answer, and again for all that follows. Raises as ``call`` does.
        """
        limit = self._seconds if seconds is None else seconds
        try:
            async with asyncio.timeout(limit):
                streamed = await self._patiently(request)
            with closing(streamed):
                async with asyncio.timeout(limit):
                    yield streamed
        except TimeoutError:
            raise DaemonAway("the daemon did not answer in time", _LOG) from None

    async def _patiently(self, request: Request) -> Streamed:
        """Ask; while the daemon is answering too much, ask again a few times: it has not begun with the request."""
        for pause in _PAUSES:
            try:
                return await self._ask(request)
            except DaemonRefused as refused:
                if refused.kind is not Refusal.BUSY or refused.seconds is None:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        return await self._ask(request)

    async def _ask(self, request: Request) -> Streamed:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            await self._connect(connection)
            return await _ask(connection, request)
        except BaseException:
            connection.close()
            raise

    async def _connect(self, connection: socket.socket) -> None:
        forbidden: Path | None = None
        for place in self._places:
            try:
                with address_of(place) as address:
                    return await _connect(connection, address)
            except PermissionError:
                forbidden = forbidden or place
            except OSError:  # not there, or nobody listens
                continue
        if forbidden:
            raise DaemonAway(f"this process may not ask the daemon: no permission for {forbidden}", _AGAIN)
        raise DaemonAway("facesecure is not running", _START)


class Streamed:
    """An answer whose bytes have not been read yet: ``size`` of them, to be read once with ``chunks``."""

    def __init__(self, connection: socket.socket, result: dict[str, Any], size: int, beginning: bytes) -> None:
        self.result, self.size = result, size
        self._connection, self._beginning = connection, beginning

    def close(self) -> None:
        """Read no more."""
        self._connection.close()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes, a piece at a time. Raises DaemonAway if they end too soon."""
        chunk, left = self._beginning[: self.size], self.size
        while left:
            if chunk:
                left -= len(chunk)
                yield chunk
            chunk = await _received(self._connection, min(left, _CHUNK)) if left else b""


async def _connect(connection: socket.socket, address: str) -> None:
    """Connect; while more are waiting than the kernel keeps, try again for a moment."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _CONNECT_SECONDS
    while True:
        try:
            return connection.connect(address)
        except BlockingIOError:
            if loop.time() >= deadline:
                raise DaemonAway("the daemon does not take any more requests", _LOG) from None
        await asyncio.sleep(_PAUSE)


async def _ask(connection: socket.socket, request: Request) -> Streamed:
    loop = asyncio.get_running_loop()
    with suppress(BrokenPipeError, ConnectionResetError):  # who was refused still finds the reason to read
        await loop.sock_sendall(connection, request.line())
        await loop.sock_sendall(connection, request.body)
    received = bytearray()
    while (end := received.find(b"\n")) < 0:
        if len(received) > ANSWER_LINE_LIMIT:
            raise _nonsense()
        received += await _received(connection, _CHUNK)
    answer = _parsed(bytes(received[:end]))
    if answer.get("ok") is not True:
        raise _refused(answer)
    result, size = answer.get("result"), answer.get("body")
    if not isinstance(result, dict) or type(size) is not int or not 0 <= size <= ANSWER_BODY_LIMIT:
        raise _nonsense()
    return Streamed(connection, result, size, bytes(received[end + 1 :]))


async def _received(connection: socket.socket, most: int) -> bytes:
    try:
        chunk = await asyncio.get_running_loop().sock_recv(connection, most)
    except OSError:
        chunk = b""
    if not chunk:
        raise DaemonAway("the daemon closed the connection", _LOG)
    return chunk


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        raise _nonsense() from None
    if not isinstance(answer, dict) or answer.get("version") != VERSION:
        raise _nonsense()
    return answer


def _refused(answer: Mapping[str, Any]) -> DaemonRefused:
    kind = Refusal.FAILED
    with suppress(ValueError):
        kind = Refusal(str(answer.get("kind")))
    hint, field, seconds = answer.get("hint"), answer.get("field"), answer.get("seconds")
    return DaemonRefused(
        kind,
        str(answer.get("error", "the daemon refused")),
        hint if isinstance(hint, str) else None,
        field if isinstance(field, str) else None,
        float(seconds) if isinstance(seconds, int | float) else None,
    )


def _nonsense() -> DaemonAway:
    return DaemonAway(
        "the daemon's answer cannot be understood",
        "restart both after an upgrade: sudo systemctl restart facesecure facesecure-web",
    )
