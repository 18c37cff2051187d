"""A web server on the loopback that takes posts, keeps them with their headers, and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass(frozen=True)
class Post:
    """One request: its path, its headers (names in lower case) and its body."""

    path: str
    headers: dict[str, str]
    body: bytes


class Mailbox(ThreadingHTTPServer):
    """``answers`` are the next statuses, then 200 for ever; ``hangs`` makes it take a post and never answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posts: list[Post] = []
        self.answers: list[int] = []
        self.hangs = False
        self.released = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Mailbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(Post(self.path, {key.lower(): value for key, value in self.headers.items()}, body))
        if self.server.hangs:
            self.server.released.wait(30)
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", f"http://127.0.0.1:{self.server.port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A running one; a proxy of the machine's is not asked for it."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mailbox = Mailbox()
    thread = threading.Thread(target=mailbox.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield mailbox
    finally:
        mailbox.released.set()
        mailbox.shutdown()
        thread.join()
        mailbox.server_close()
