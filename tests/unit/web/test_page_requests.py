"""Who may ask: hosts, origins, methods, proxies, sizes, slow browsers, and where redirects lead."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from facesecure.domain.accounts import Role
from facesecure.web.connections import Connection, only_this_machine
from facesecure.web.limits import BodyLimits
from facesecure.web.request import local_path
from facesecure.web.settings import plain_address
from facesecure.web.static import static
from support.faults.household import wait_until
from support.page.served import Served, served_house, served_page

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {"hosts": ["home.example.org"], "trusted_proxies": ["127.0.0.7"]}
    with served_house(tmp_path_factory.mktemp("house"), web=settings) as served:
        yield served


def test_the_page_answers_to_this_machine_s_names_and_addresses(house: Served) -> None:
    own = socket.gethostname()
    for host in ("localhost", "127.0.0.1", "[::1]", "192.168.1.20", own, f"{own.split('.')[0]}.local".upper()):
        for port in ("", f":{house.port}"):
            assert house.ask("GET", "/", headers={"Host": host + port}).status == 303, host
    assert house.ask("GET", "/", headers={"Host": "Home.Example.org"}).status == 303


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "a b", "[", "127.0.0.1.nip.io"])
def test_the_page_answers_to_no_other_name(house: Served, host: str) -> None:
    answer = house.ask("GET", "/", Role.OWNER, {"Host": host})
    assert answer.status in (400, 421)
    assert b"facesecure</title>" not in answer.body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": None, "Sec-Fetch-Site": "none"},
    ],
)
def test_what_another_site_posts_is_refused(house: Served, headers: dict[str, str | None]) -> None:
    before = house.parts.policy.mode if house.parts else None
    answer = house.ask("POST", "/mode", Role.OWNER, {**FORM, **headers}, b"mode=away")
    assert answer.status == 403
    assert house.parts is not None
    assert house.parts.policy.mode == before


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}])
def test_what_the_page_itself_posts_is_taken(house: Served, headers: dict[str, str | None]) -> None:
    answer = house.ask("POST", "/mode", Role.OWNER, {**FORM, **headers}, b"mode=away")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert house.parts is not None
    assert house.parts.policy.mode == "away"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "PROPFIND", "GETT"])
def test_only_three_methods_are_answered(house: Served, method: str) -> None:
    assert house.ask(method, "/", Role.OWNER).status == 405


def test_a_trusted_proxy_is_believed_and_nobody_else(house: Served) -> None:
    settings = house.server.settings
    assert settings.trusts("127.0.0.7")
    assert not settings.trusts("127.0.0.1")
    over_tls = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Origin": house.origin}
    over_tls["Origin"] = house.origin.replace("http", "https")
    assert house.ask("POST", "/mode", Role.OWNER, {**FORM, **over_tls}, b"mode=home").status == 403
    assert proxied(house, over_tls) == 303


def test_an_address_is_the_same_on_a_socket_of_both_ips(house: Served) -> None:
    assert plain_address("::ffff:192.168.1.7") == "192.168.1.7"
    assert [plain_address(text) for text in ("::1", "fe80::1%eth0", "x", "")] == ["::1", "fe80::1%eth0", "x", ""]
    assert house.server.settings.trusts("::ffff:127.0.0.7")
    assert only_this_machine("::ffff:127.0.0.1")
    assert only_this_machine("::1")
    assert not only_this_machine("::ffff:192.168.1.7")


def proxied(house: Served, headers: dict[str, str]) -> int:
    """The status of a post that arrives from the proxy's address, over TLS from the browser to the proxy."""
    with socket.create_connection(("127.0.0.1", house.port), 20, source_address=("127.0.0.7", 0)) as connection:
        lines = [
            "POST /mode HTTP/1.1",
            f"Host: localhost:{house.port}",
            "Cookie: __Host-facesecure=token-of-the-owner-confirmed",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: 9",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        connection.sendall("\r\n".join([*lines, "", "mode=home"]).encode())
        return int(connection.recv(65536).split(b" ", 2)[1])


def test_a_form_may_be_of_64_kib_and_no_more(house: Served) -> None:
    fits, too_large = b"mode=home&x=" + b"a" * 60_000, b"mode=home&x=" + b"a" * 66_000
    assert house.ask("POST", "/mode", Role.OWNER, FORM, fits).status == 303
    assert house.ask("POST", "/mode", Role.OWNER, FORM, too_large).status == 413
    assert b"too large" in house.ask("POST", "/mode", Role.OWNER, FORM, too_large).body


def test_a_body_that_states_no_length_is_cut_off_at_the_same_size(house: Served) -> None:
    head = (
        f"POST /mode HTTP/1.1\r\nHost: localhost:{house.port}\r\nOrigin: {house.origin}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", house.port), 20) as connection:
        connection.sendall(head.encode() + 17 * chunk)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    statuses = []

    async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass

    async def trickle() -> Message:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def never() -> Message:
        await asyncio.sleep(60)
        return {}

    async def ignored(message: Message) -> None:
        raise AssertionError(message)

    for receive in (trickle, never):
        limits = BodyLimits(read_all, piece_seconds=0.2, seconds=-1.8)
        with pytest.raises(HTTPException) as error:
            asyncio.run(limits({"type": "http", "headers": []}, receive, ignored))
        statuses.append(error.value.status_code)
    assert statuses == [408, 408]


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("/", "/"),
        ("/visit/7?a=b", "/visit/7?a=b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: b=c", "/"),
        ("/a b", "/"),
        ("/ä", "/"),
        ("/" + "a" * 3000, "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_a_redirect_stays_on_the_page(path: str | None, safe: str) -> None:
    assert local_path(path) == safe


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back(house: Served) -> None:
    answer = house.get("/timeline?camera=gate&verdict=stranger")
    assert answer.status == 303
    assert answer.headers["location"] == "/sign-in?next=/timeline%3Fcamera%3Dgate%26verdict%3Dstranger"
    assert house.get("/now/state", None, {"HX-Request": "true"}).headers["hx-redirect"] == "/sign-in?next=/"


def test_who_sends_no_request_is_disconnected(tmp_path: Path) -> None:
    with served_page(tmp_path / "none.sock") as served:
        connections(served).request_seconds = 0.5
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n"):
            with socket.create_connection(("127.0.0.1", served.port), 20) as connection:
                begun = time.monotonic()
                connection.sendall(sent)
                assert ended(connection)
                assert time.monotonic() - begun < 9, "sooner than what is not told to hurry"


def test_one_address_may_not_take_every_connection(tmp_path: Path) -> None:
    with served_page(tmp_path / "none.sock") as served, ExitStack() as stack:
        connections(served).from_one_address = 3
        open_ones = [stack.enter_context(socket.create_connection(("127.0.0.1", served.port), 20)) for _ in range(6)]
        # This machine's own address is not limited: it may be a proxy's.
        for connection in open_ones:
            connection.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(20).startswith(b"HTTP/1.1 200")


def test_another_address_has_its_share_of_connections(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("facesecure.web.connections._is_own", lambda address: address == "127.0.0.1")
    with served_page(tmp_path / "none.sock", host="127.0.0.1") as served, ExitStack() as stack:
        connections(served).from_one_address = 3
        answered = []
        for _ in range(6):
            connection = socket.create_connection(("127.0.0.1", served.port), 20, source_address=("127.0.0.9", 0))
            stack.enter_context(connection)
            connection.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answered.append(not ended(connection))
        assert answered == [True] * 3 + [False] * 3


def test_a_browser_that_does_not_read_is_disconnected(tmp_path: Path) -> None:
    with served_page(tmp_path / "none.sock") as served, socket.socket() as connection:
        connections(served).read_seconds = 0.5
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", served.port))
        request = f"GET {static('htmx.min.js')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        with suppress(OSError):
            connection.sendall(200 * request)
        state = served.server.server_state
        wait_until(lambda: state.total_requests and not state.connections, "end of a browser that does not read")
        received, alive = 0, True
        while alive:
            try:
                chunk = connection.recv(65536)
            except ConnectionResetError:
                chunk = b""
            received, alive = received + len(chunk), bool(chunk)
        assert received < 200 * 52_000


def connections(served: Served) -> type[Connection]:
    """The class of the connections of this page alone."""
    found = served.server.config.http_protocol_class
    assert issubclass(found, Connection)
    return found


def ended(connection: socket.socket) -> bool:
    """Return whether the other end closes or resets ``connection``."""
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True
