"""An HTTP server that offers a recording to Cast devices, at an unguessable path, while an announcement lasts.

It listens on the address through which the device is connected, never on all. One thread serves all clients; slow ones,
and more than MAX_CLIENTS, are disconnected. Whoever else connects cannot take the places of the devices.
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
from facesecure_plugins.google_home.device import format_address

REQUEST_SECONDS = 3.0
SENDING_SECONDS = 20.0
MAX_CLIENTS = 16
MAX_STRANGERS = 4
"""Clients that may connect from other addresses than those of the devices that were asked to play."""

MAX_REQUEST = 8192
_CHUNK = 65536

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Offer:
    """A recording at ``url``. ``fetched`` is called once, when its last byte was sent."""

    origin: str
    path: str
    mp3: bytes
    fetched: Callable[[], None]
    requested: bool = False
    done: bool = field(default=False, repr=False)
    _telling: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def url(self) -> str:
        """The full URL."""
        return f"http://{self.origin}{self.path}"

    def sent(self) -> None:
        """Note that all of it was sent. Whichever thread calls it, ``fetched`` has returned before this does."""
        with self._telling:
            if not self.done:
                self.done = True
                self.fetched()


class FileServer:
    """Serve recordings within a ``with`` block; after it no port is open.

    Example::

        with FileServer() as server:
            offer = server.offer("192.168.1.5", mp3, fetched=lambda: print("fetched"))
            play(offer.url)
    """

    def __init__(self, address: str | None = None, ports: range = range(1)) -> None:
        """Listen on the first free one of ``ports`` (0 is any), at ``address`` or else where ``offer`` says."""
        self._address, self._ports = address, ports
        self._offers: dict[str, Offer] = {}
        self._origins: dict[str, str] = {}
        self._listeners: set[str] = set()
        self._servers: list[asyncio.Server] = []
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="google_home-server", daemon=True)
        self._adding = threading.Lock()

    def __enter__(self) -> FileServer:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Disconnect all clients and end the thread."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def offer(self, address: str, mp3: bytes, fetched: Callable[[], None], *, listener: str = "") -> Offer:
        """Serve ``mp3`` on ``address`` of this machine to the device at the address ``listener``.

        Others may fetch it too, since a group's members have addresses of their own, but only MAX_STRANGERS at once.
        Thread-safe. Raises PluginError.
        """
        local = self._address or address
        with self._adding:
            if local not in self._origins:
                self._origins[local] = format_address(local.partition("%")[0], self._run(self._listen(local)))
        offer = Offer(self._origins[local], f"/{secrets.token_urlsafe(24)}.mp3", mp3, fetched)
        self._listeners.add(listener.partition("%")[0])
        self._offers[offer.path] = offer
        return offer

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # On the server's thread ---------------------------------------------------------------------------------------

    async def _listen(self, address: str) -> int:
        for port in self._ports:
            try:
                server = await asyncio.start_server(self._connected, address, port, limit=MAX_REQUEST)
            except OSError as error:
                log.debug("cannot listen on %s: %s", format_address(address, port), error)
                failure = error
                continue
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])
        hint = "see serve_address and serve_ports in [plugins.google_home]"
        raise PluginError(f"the recording cannot be served on {address}: {failure.strerror}", hint)

    async def _stop(self) -> None:
        """Stop accepting, let pending connections be accepted, then close: asyncio would leak the latter otherwise."""
        self._offers.clear()
        for listening in [socket for server in self._servers for socket in server.sockets]:
            self._loop.remove_reader(listening.fileno())
        await _run_ready_callbacks()
        for server in self._servers:
            server.close()
        writers = list(self._clients.values())
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
        await _run_ready_callbacks()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle a new client. Not a coroutine: one cancelled before its first step would leak the connection."""
        if not self._has_place(_peer(writer)):
            writer.transport.abort()
            return
        task = self._loop.create_task(self._handle(reader, writer))
        self._clients[task] = writer
        task.add_done_callback(self._disconnected)

    def _has_place(self, peer: str) -> bool:
        peers = [_peer(writer) for writer in self._clients.values()]
        if peer in self._listeners:
            return peers.count(peer) < MAX_CLIENTS
        return sum(other not in self._listeners for other in peers) < MAX_STRANGERS

    def _disconnected(self, task: asyncio.Task[None]) -> None:
        self._clients.pop(task).transport.abort()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError) as error:
            log.debug("a client was disconnected: %s", error or type(error).__name__)

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
            return await _send_offer(writer, request, offer)


def _peer(writer: asyncio.StreamWriter) -> str:
    """Return the address of the client, without the zone of IPv6."""
    name = writer.get_extra_info("peername")
    return str(name[0]).partition("%")[0] if name else ""


async def _run_ready_callbacks() -> None:
    """Let the loop run all callbacks that are ready, and those that they schedule."""
    for _ in range(5):
        await asyncio.sleep(0)


async def _send_offer(writer: asyncio.StreamWriter, request: Request, offer: Offer) -> None:
    offer.requested = True
    response = response_to(request, offer.mp3, "audio/mpeg")
    await _send(writer, response, bodiless=request.method == "HEAD")
    if request.method == "GET" and response.final:
        offer.sent()


async def _send(writer: asyncio.StreamWriter, response: Response, *, bodiless: bool = False) -> None:
    """Send the response and wait until it has left: closing the connection earlier would truncate it."""
    writer.write(response.head())
    body = memoryview(b"" if bodiless else response.body)
    for start in range(0, len(body), _CHUNK):
        writer.write(body[start : start + _CHUNK])
        await writer.drain()
    writer.transport.set_write_buffer_limits(high=0)
    await writer.drain()


_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed request. The names in ``headers`` are in lower case."""

    method: str
    target: str
    headers: dict[str, str]

    @classmethod
    def parse(cls, head: bytes) -> Request:
        """Parse everything up to the empty line. Raises ValueError if it is not an HTTP/1 request."""
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, version = first.split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(f"{version!r} is not supported")
        pairs = (line.partition(":") for line in lines)
        return cls(method, target, {name.strip().lower(): value.strip() for name, _, value in pairs})


@dataclass(frozen=True, slots=True)
class Response:
    """A response; the one to HEAD is sent without ``body``. ``final``: it contains the last byte of the file."""

    status: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | memoryview = b""
    final: bool = False

    def head(self) -> bytes:
        """Return the status line and the headers."""
        fixed = (("Content-Length", str(len(self.body))), ("Cache-Control", "no-store"), ("Connection", "close"))
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in (*self.headers, *fixed))]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


NOT_FOUND = Response("404 Not Found")
BAD_REQUEST = Response("400 Bad Request")
NOT_ALLOWED = Response("405 Method Not Allowed", (("Allow", "GET, HEAD"),))


def response_to(request: Request, content: bytes, content_type: str) -> Response:
    """Return the response with ``content``, or with the requested range of it."""
    if request.method not in ("GET", "HEAD"):
        return NOT_ALLOWED
    headers = (("Content-Type", content_type), ("Accept-Ranges", "bytes"))
    size = len(content)
    match requested_range(request.headers.get("range", ""), size):
        case None:
            return Response("200 OK", headers, content, final=True)
        case (first, last) if first <= last:
            place = ("Content-Range", f"bytes {first}-{last}/{size}")
            part = memoryview(content)[first : last + 1]
            return Response("206 Partial Content", (*headers, place), part, final=last == size - 1)
    return Response("416 Range Not Satisfiable", (("Content-Range", f"bytes */{size}"),))


def requested_range(text: str, size: int) -> tuple[int, int] | None:
    """Return the (first, last) byte of a Range header; first > last if the range lies outside of the file.

    None without a range, or with one that a server may ignore: several ranges, or an invalid one.
    """
    match = _RANGE.fullmatch(text.replace(" ", ""))
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:  # the last N bytes
        wanted = int(match["last"])
        return (max(0, size - wanted), size - 1) if wanted else (size, -1)
    first, last = int(match["first"]), int(match["last"] or size - 1)
    if match["last"] and last < first:
        return None
    return (first, min(last, size - 1)) if first < size else (size, -1)
