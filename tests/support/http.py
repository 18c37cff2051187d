"""A web server on the loopback that serves one file, well or badly, and remembers what it was asked."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.tls import Authority


class FileServer(ThreadingHTTPServer):
    """Serves ``content`` at any path. Its attributes choose how it misbehaves; ``ranges`` are what was asked."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.scheme = "http"
        self.status = 200
        self.cut_after: int | None = None
        """Cut the connection after this many bytes of the body."""
        self.hang_after: int | None = None
        """Say nothing more after this many bytes of the body."""
        self.resumes = True
        self.resumes_at_offset = 0
        """How many bytes off the place that was asked for."""
        self.states_length = True
        self.ranges: list[str | None] = []
        self.posted: list[bytes] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.resumes else 0
        self._send(start + self.server.resumes_at_offset if start else 0, resumed=bool(start))

    def do_POST(self) -> None:
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, start: int, *, resumed: bool) -> None:
        server, body = self.server, self.server.content[start:]
        self.send_response(206 if resumed else server.status)
        if resumed:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.states_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.hang_after is not None:
            self.wfile.write(body[: server.hang_after])
            server.released.wait(30)
        elif server.cut_after is not None:
            self.wfile.write(body[: server.cut_after])
            self._cut()
        else:
            self.wfile.write(body)

    def _cut(self) -> None:
        """End in the middle: with a reset, as when a router goes, or, where no length was stated, without a word."""
        if self.server.states_length:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def serving(content: bytes, monkeypatch: pytest.MonkeyPatch, secure: Path | None = None) -> Iterator[FileServer]:
    """A running server; a proxy of the machine's is not asked for it.

    With a folder ``secure`` it speaks https; its authority lies there, and is the only one that is trusted.
    """
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = FileServer(content)
    if secure is not None:
        authority = Authority(secure)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
        server.scheme = "https"
        server.socket = authority.context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def refused_url() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"
