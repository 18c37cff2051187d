"""A page that is served for tests: the real web process' server on a loopback port, before the real socket."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.server import WebServer
from facesecure.domain.accounts import Role
from facesecure.web.serve import PageServer, ServeOptions, prepare
from support.page_socket import SignedIn, page_parts, token_of

HTML = {"Accept": "text/html"}
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What a browser got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Served:
    """The page at ``port``, and the parts of the daemon behind it. Example::

    served.get("/", Role.MEMBER).status
    """

    port: int
    server: PageServer
    parts: WebParts | None = None
    origin: str = field(init=False)

    def __post_init__(self) -> None:
        self.origin = f"http://localhost:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        role: Role | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: bytes | None = None,
        *,
        confirmed: bool = True,
    ) -> Answered:
        """Send a request as the browser of ``role`` does; a header that is None is left out."""
        wanted: dict[str, str | None] = {**HTML, "Host": f"localhost:{self.port}"}
        if role is not None:
            wanted["Cookie"] = f"facesecure={token_of(role, confirmed)}"
        if method != "GET":
            wanted["Origin"] = self.origin
        sent = {name: value for name, value in (wanted | dict(headers or {})).items() if value is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None and "Content-Length" not in sent:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, role: Role | None = None, headers: Mapping[str, str] | None = None) -> Answered:
        """Read a page."""
        return self.ask("GET", path, role, headers)

    def post(self, path: str, form: Mapping[str, str], role: Role | None = None, *, confirmed: bool = True) -> Answered:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, role, kind, urlencode(form).encode(), confirmed=confirmed)


@contextmanager
def served_page(socket: Path, **options: object) -> Iterator[Served]:
    """Serve the page before the daemon at ``socket``, which need not be there; ``options`` of ``ServeOptions``."""
    server, sockets = prepare(ServeOptions(**{"port": 0, "socket": socket, **options}))  # type: ignore[arg-type]
    port = sockets[0].getsockname()[1]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets)), name="page")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield Served(port, server)
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        assert not thread.is_alive(), "the page did not end"


@contextmanager
def served_house(state_dir: Path, **settings: Any) -> Iterator[Served]:
    """Serve the page before a daemon's real answering part with the store in ``state_dir``; see ``page_parts``."""
    with (
        page_parts(state_dir, **settings) as parts,
        WebServer(Guard(all_verbs(), parts, SignedIn()), state_dir / "web.sock"),
        served_page(state_dir / "web.sock") as served,
    ):
        served.parts = parts
        yield served
