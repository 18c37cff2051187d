"""Serves a recording to Cast devices for as long as an announcement lasts: unguessable paths, and nothing else.

It listens on the address that the device's own connection came to, never on all. One thread serves everybody; a client
that dawdles, and one too many, is cut off.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.device import written

REQUEST_SECONDS = 3.0
SENDING_SECONDS = 20.0
MOST_CLIENTS = 16
LONGEST_REQUEST = 8192
_PIECE = 65536

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Offer:
    """A recording at ``url``. ``fetched`` is called, on the server's thread, once its last byte went out first."""

    origin: str
    path: str
    mp3: bytes
    fetched: Callable[[], None]
    asked_for: bool = False
    done: bool = field(default=False, repr=False)

    @property
    def url(self) -> str:
        return f"http://{self.origin}{self.path}"

    def sent(self) -> None:
        if not self.done:
            self.done = True
            self.fetched()


class FileServer:
    """Use with ``with``: when it ends, nothing is served any more, and nobody listens."""

    def __init__(self, address: str | None = None, ports: range = range(1)) -> None:
        """``address``: listen there, whatever the device's connection says. ``ports``: the first free one; 0 is any."""
        self._address, self._ports = address, ports
        self._offers: dict[str, Offer] = {}
        self._origins: dict[str, str] = {}
        self._servers: list[asyncio.Server] = []
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="google_home-server", daemon=True)
        self._adding = threading.Lock()

    def __enter__(self) -> FileServer:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def offer(self, address: str, mp3: bytes, fetched: Callable[[], None]) -> Offer:
        """Serve ``mp3`` to who can reach ``address`` of this machine. Any thread may call. Raises PluginError."""
        where = self._address or address
        with self._adding:
            if where not in self._origins:
                self._origins[where] = written(where.partition("%")[0], self._do(self._listen(where)))
        offer = Offer(self._origins[where], f"/{secrets.token_urlsafe(24)}.mp3", mp3, fetched)
        self._offers[offer.path] = offer
        return offer

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # what follows runs on the server's thread

    async def _listen(self, address: str) -> int:
        for port in self._ports:
            try:
                server = await asyncio.start_server(self._connected, address, port, limit=LONGEST_REQUEST)
            except OSError as error:
                log.debug("cannot listen on %s: %s", written(address, port), error)
                trouble = error
                continue
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])
        hint = "see serve_address and serve_ports in [plugins.google_home]"
        raise PluginError(f"the recording cannot be served on {address}: {trouble.strerror}", hint)

    async def _stop(self) -> None:
        """First nobody new is let in, then who was on the way is in: asyncio would forget the latter's connection."""
        self._offers.clear()
        for listening in [socket for server in self._servers for socket in server.sockets]:
            self._loop.remove_reader(listening.fileno())
        await _turns()
        for server in self._servers:
            server.close()
        writers = list(self._clients.values())
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
        await _turns()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Not a coroutine: one that is cancelled before its first step would never close its connection."""
        if len(self._clients) >= MOST_CLIENTS:
            writer.transport.abort()
            return
        task = self._loop.create_task(self._attend(reader, writer))
        self._clients[task] = writer
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._clients.pop(task).transport.abort()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError) as error:
            log.debug("a client was cut off: %s", error or type(error).__name__)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(REQUEST_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(SENDING_SECONDS):
            try:
                request = Request.parse(head)
            except ValueError:
                return await _send(writer, BAD_REQUEST)
            if (offer := self._offers.get(request.target)) is None:
                return await _send(writer, NOT_FOUND)
            return await _hand_over(writer, request, offer)


async def _turns() -> None:
    """Let everything that is ready run, and what that makes ready."""
    for _ in range(5):
        await asyncio.sleep(0)


async def _hand_over(writer: asyncio.StreamWriter, request: Request, offer: Offer) -> None:
    offer.asked_for = True
    response = response_to(request, offer.mp3, "audio/mpeg")
    await _send(writer, response, bodiless=request.method == "HEAD")
    if request.method == "GET" and response.final:
        offer.sent()


async def _send(writer: asyncio.StreamWriter, response: Response, *, bodiless: bool = False) -> None:
    """All of it, and wait until it is gone: who closes with bytes left over cuts them off."""
    writer.write(response.head())
    body = memoryview(b"" if bodiless else response.body)
    for start in range(0, len(body), _PIECE):
        writer.write(body[start : start + _PIECE])
        await writer.drain()
    writer.transport.set_write_buffer_limits(high=0)
    await writer.drain()


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
