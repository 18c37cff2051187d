"""A browser's end of a WebSocket, with the headers that a test wants, over a plain connection or TLS."""

from __future__ import annotations

import json
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

SECONDS = 30.0


class LiveSocket:
    """The socket of the screen Live. ``rejected`` is the status with which the page refused it, ``closed`` the code.

    Example::

        with LiveSocket(port, {"Cookie": cookie, "Origin": origin}) as live:
            live.say({"watch": ["front-door"], "width": 640})
            head, jpeg = live.picture()
    """

    def __init__(
        self, port: int, headers: Mapping[str, str], *, path: str = "/live/socket", tls: ssl.SSLContext | None = None
    ) -> None:
        self.rejected: int | None = None
        self.closed: int | None = None
        self.compressed = False
        self._events: deque[Event] = deque()
        self._partial = b""
        plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._connection = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self._protocol = WSConnection(ConnectionType.CLIENT)
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]
        offered = [PerMessageDeflate()]  # as browsers do
        self._send(Request(f"localhost:{port}", path, extensions=offered, extra_headers=extra))
        first = self._next()
        if isinstance(first, RejectConnection):
            self.rejected = first.status_code
        elif first is not None:
            assert isinstance(first, AcceptConnection), first
            self.compressed = bool(first.extensions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def say(self, message: Any) -> None:
        """Send ``message`` as JSON, a text as it is."""
        self._send(TextMessage(message if isinstance(message, str) else json.dumps(message)))

    def picture(self, seconds: float = SECONDS) -> tuple[dict[str, Any], bytes] | None:
        """The next picture, and what is said with it; None if the page closes the socket, or sends none in time."""
        self._connection.settimeout(seconds)
        try:
            while (event := self._next()) is not None:
                if isinstance(event, CloseConnection):
                    self.closed = event.code
                    return None
                if isinstance(event, BytesMessage):
                    self._partial += event.data
                    if event.message_finished:
                        data, self._partial = self._partial, b""
                        length = int.from_bytes(data[:4], "big")
                        return json.loads(data[4 : 4 + length]), data[4 + length :]
        except TimeoutError:
            pass
        return None

    def acknowledge(self, head: Mapping[str, Any]) -> None:
        """Say that a picture was drawn."""
        self.say({"camera": head["camera"], "number": head["number"]})

    def _send(self, event: Event) -> None:
        self._connection.sendall(self._protocol.send(event))

    def _next(self) -> Event | None:
        while not self._events:
            data = self._connection.recv(65536)
            self._protocol.receive_data(data or None)
            self._events.extend(self._protocol.events())
            if not data and not self._events:
                return None
        return self._events.popleft()
