"""Attacks on the page by HTTP: other sites' pages, names that were pointed here, and browsers that are none."""

from __future__ import annotations

import base64
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import product
from pathlib import Path

import pytest

from facesecure.domain.accounts import Role
from facesecure.domain.mode import Mode
from facesecure.web.connections import Connection
from support.faults.table import attack
from support.page.served import Served, served_house
from support.page_socket import token_of

Saw = Callable[[str], None]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SECONDS = 30.0
ELSEWHERE = ("https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1", "file://", "")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_house(tmp_path, web={"trusted_proxies": ["127.0.0.7"]}) as served:
        yield served


def mode(house: Served) -> Mode:
    assert house.parts is not None
    return house.parts.policy.mode


def first_line(house: Served, request: bytes, *, source: str = "127.0.0.1") -> bytes:
    """The first line of what comes back; empty if the connection is closed."""
    with socket.create_connection(("127.0.0.1", house.port), SECONDS, source_address=(source, 0)) as connection:
        with suppress(OSError):  # refused before all was sent; the reason is still to be read
            connection.sendall(request)
        try:
            return connection.recv(65536).split(b"\r\n", 1)[0]
        except ConnectionResetError:
            return b""


@attack(
    "another site's page posts a form",
    how="a form of evil.example, of a sandbox, of a neighbouring name and of another port disarms and arms with the "
    "owner's cookie, with and without what new browsers say of where it comes from",
)
def test_no_other_site_can_post_in_a_browser_that_is_signed_in(house: Served, saw: Saw) -> None:
    tried = 0
    for origin, site, pressed in product(ELSEWHERE, (None, "cross-site", "same-site"), ("off", "away")):
        headers = {**FORM, "Origin": origin or None, "Sec-Fetch-Site": site}
        answer = house.ask("POST", "/mode", Role.OWNER, headers, f"mode={pressed}".encode())
        assert answer.status == 403, headers
        assert mode(house) is Mode.HOME
        tried += 1
    assert house.post("/mode", {"mode": "away"}, Role.OWNER).status == 303
    saw(f"{tried} of {tried} refused, and the mode stays; the page's own form arms")


@attack(
    "another site's page opens a WebSocket",
    how="the handshake of /live/socket with the owner's cookie from evil.example, a sandbox, another port and nowhere",
)
def test_no_other_site_can_open_a_web_socket(house: Served, saw: Saw) -> None:
    def handshake(origin: str) -> bytes:
        lines = (
            "GET /live/socket HTTP/1.1",
            f"Host: localhost:{house.port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            f"Cookie: facesecure={token_of(Role.OWNER)}",
            *([f"Origin: {origin}"] if origin else []),
        )
        return first_line(house, "\r\n".join([*lines, "", ""]).encode())

    assert [handshake(origin).split(b" ")[1] for origin in ELSEWHERE] == [b"403"] * len(ELSEWHERE)
    assert handshake(house.origin).split(b" ")[1] == b"101"
    saw(f"{len(ELSEWHERE)} of {len(ELSEWHERE)} refused before the handshake; the page's own is accepted")


@attack(
    "a name that is pointed at this machine (DNS rebinding)",
    how="pages of evil.example, localhost.evil.example, names with an address in them, two hosts and none",
)
def test_a_page_under_another_name_reads_nothing(house: Served, saw: Saw) -> None:
    hosts = ("evil.example", "localhost.evil.example", "192.168.1.20.nip.io", "127.0.0.1.evil.example", "local", "a,b")
    for host in hosts:
        answer = house.ask("GET", "/", Role.OWNER, {"Host": f"{host}:{house.port}"})
        assert answer.status == 421, host
        assert b"Watching" not in answer.body
    cookie = f"Cookie: facesecure={token_of(Role.OWNER)}\r\n"
    two = f"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n{cookie}\r\n".encode()
    none = f"GET / HTTP/1.1\r\n{cookie}\r\n".encode()
    absolute = f"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n{cookie}\r\n".encode()
    old = f"GET / HTTP/1.0\r\n{cookie}\r\n".encode()
    lines = [first_line(house, request) for request in (two, none, absolute, old)]
    assert [line.split(b" ")[1] in (b"400", b"421") for line in lines] == [True] * 4, lines
    saw(f"{len(hosts) + 4} of {len(hosts) + 4} refused, with the setting that would allow the name")


@attack(
    "requests that are too large",
    how="a header of 1 MB, 5,000 headers, an address of 100 kB, a form of 100 MB, with its length and without",
)
def test_what_is_too_large_is_refused_while_it_arrives(house: Served, saw: Saw) -> None:
    head = f"Host: localhost:{house.port}\r\nOrigin: {house.origin}\r\nCookie: facesecure={token_of(Role.OWNER)}\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    chunks = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    requests = {
        "header": f"GET / HTTP/1.1\r\n{head}X: {'a' * 1_000_000}\r\n\r\n".encode(),
        "headers": f"GET / HTTP/1.1\r\n{head}".encode() + b"X: abcdef\r\n" * 5000,
        "address": f"GET /{'a' * 100_000} HTTP/1.1\r\n{head}\r\n".encode(),
        "announced": f"POST /mode HTTP/1.1\r\n{head}{form}Content-Length: 100000000\r\n\r\nmode=off".encode(),
        "endless": f"POST /mode HTTP/1.1\r\n{head}{form}Transfer-Encoding: chunked\r\n\r\n".encode() + 100 * chunks,
    }
    begun = time.monotonic()
    statuses = {name: first_line(house, request).split(b" ")[1:2] for name, request in requests.items()}
    assert all(status in ([b"400"], [b"413"], [b"414"], [b"431"], []) for status in statuses.values()), statuses
    assert time.monotonic() - begun < 10
    assert mode(house) is Mode.HOME
    assert house.get("/", Role.OWNER).status == 200
    saw(f"{len(requests)} of {len(requests)} refused before they are read to the end, and the next page is shown")


@attack(
    "slow browsers",
    how="150 connections that send nothing, half a header, or half a form, and never end",
)
def test_slow_browsers_do_not_keep_others_out(house: Served, saw: Saw) -> None:
    found = house.server.config.http_protocol_class
    assert issubclass(found, Connection)
    found.request_seconds = 6.0  # 10 in earnest
    head = f"POST /mode HTTP/1.1\r\nHost: localhost:{house.port}\r\n"
    beginnings = (b"", head.encode(), f"{head}Origin: {house.origin}\r\nContent-Length: 9\r\n\r\nmode".encode())
    with ExitStack() as stack:
        connections = []
        for number in range(150):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", house.port), SECONDS))
            connection.sendall(beginnings[number % 3])
            connections.append(connection)
        begun = time.monotonic()
        assert house.get("/", Role.OWNER).status == 200
        answered = time.monotonic() - begun
        for connection in connections[0::3] + connections[1::3]:
            with suppress(ConnectionResetError):
                assert connection.recv(65536) == b""
        closed = time.monotonic() - begun
    assert answered < 5.5, "it does not wait for them"
    assert closed < 30
    saw("a page is shown meanwhile; who has sent no whole header is disconnected")


@attack(
    "paths out of the page's own files",
    how="../, %2e%2e, //, backslashes, a NUL and absolute paths in /static and in addresses of pictures",
)
def test_no_path_leads_out_of_the_page_s_own_files(house: Served, saw: Saw) -> None:
    names = ("../serve.py", "..%2fserve.py", "%2e%2e/serve.py", "..%5cserve.py", "%00page.css", "page.css%00.html")
    paths = [f"/static/0/{name}" for name in names]
    paths += [f"/static/{name}/page.css" for name in ("..", "%2e%2e")]
    paths += ["/static//etc/passwd", "/static/0//etc/passwd", "//etc/passwd", "/static/0/.", "/static/0/__init__.py"]
    paths += [f"/visit/{name}/snapshot.jpg" for name in ("..%2f..%2fkey", "%2e%2e", "*", "%27%20OR%201=1")]
    paths += [f"/live/{name}.jpg" for name in ("..%2f..%2fkey", "%00", "a" * 900)]
    for path in paths:
        answer = house.get(path, Role.OWNER)
        served = answer.status == 200 and answer.headers["content-type"].startswith("text/css")
        assert served or answer.status in (400, 404), (path, answer.status)
        assert b"root:" not in answer.body
        assert b"from __future__" not in answer.body
    saw(f"{len(paths)} of {len(paths)} find nothing")


@attack(
    "redirects to elsewhere, and headers within them",
    how="//evil.example, \\\\evil.example, javascript:, and line breaks in the address that sign-in goes on to",
)
def test_no_redirect_leads_to_another_site_or_sets_a_header(house: Served, saw: Saw) -> None:
    targets = ("//evil.example", "/%5cevil.example", "https://evil.example", "javascript:alert(1)", "/%2fevil.example")
    injected = ("/%0d%0aSet-Cookie:%20facesecure=mine", "/%0aX-Injected:%20yes", "/%E5%98%8D%E5%98%8ASet-Cookie:x")
    answers = [house.get(f"/sign-in?next={target}", Role.OWNER) for target in targets + injected]
    answers += [house.get(f"/timeline/{target}") for target in injected]
    answers += [house.get(f"/{target.lstrip('/')}?{target}") for target in targets + injected]
    for answer in answers:
        location = answer.headers.get("location", "/")
        assert location.startswith("/"), location
        assert not location.startswith(("//", "/\\")), location
        assert "x-injected" not in answer.headers
        assert "mine" not in answer.headers.get("set-cookie", "")
    saw(f"{len(answers)} of {len(answers)} stay on the page")


@attack(
    "methods that the page does not have",
    how="TRACE, CONNECT, PUT, DELETE, PATCH, OPTIONS and PROPFIND, a method named in a header or a field, and GET and "
    "HEAD where only POST acts",
)
def test_no_other_method_does_anything(house: Served, saw: Saw) -> None:
    methods = ("TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "mode", "POST%20")
    for method in methods:
        answer = house.ask(method, "/mode", Role.OWNER, FORM, b"mode=away")
        assert answer.status == 405, method
        assert token_of(Role.OWNER).encode() not in answer.body
    for method in ("GET", "HEAD"):
        assert house.ask(method, "/mode?mode=away", Role.OWNER).status == 405
    overriding = {"X-HTTP-Method-Override": "POST"}
    assert house.ask("GET", "/mode?_method=POST&mode=away", Role.OWNER, overriding).status == 405
    assert mode(house) is Mode.HOME
    saw(f"{len(methods) + 3} of {len(methods) + 3} refused, and nothing changes")


@attack(
    "X-Forwarded-For and X-Forwarded-Proto from anybody",
    how="a browser says that it is somebody else, a proxy, or behind TLS; a proxy passes on what a browser wrote",
)
def test_nobody_but_a_trusted_proxy_says_who_asks(house: Served, saw: Saw) -> None:
    assert house.parts is not None
    forged = {
        "X-Forwarded-For": "203.0.113.9, 127.0.0.7",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=203.0.113.9;proto=https",
        "X-Real-IP": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
    }
    answer = house.ask("GET", "/", Role.OWNER, forged)
    assert answer.status == 200  # the cookie of plain HTTP still counts: it was not taken for TLS
    assert "strict-transport-security" not in answer.headers
    assert client_of(house, "127.0.0.1", forged["X-Forwarded-For"]) == "127.0.0.1"
    assert client_of(house, "127.0.0.7", "6.6.6.6, 203.0.113.9") == "203.0.113.9"
    assert client_of(house, "127.0.0.7", "203.0.113.9, 127.0.0.7") == "203.0.113.9"
    assert client_of(house, "127.0.0.7", "<script>") == "127.0.0.7"
    saw("taken only from the proxy's address, and of it only what the proxy itself wrote")


def client_of(house: Served, source: str, forwarded: str) -> str:
    """The address that the daemon is told of a browser that connects from ``source``."""
    told: list[str] = []
    daemon = house.server.page.daemon
    call = daemon.call

    async def listening(verb: str, *arguments: object, **named: object) -> object:
        told.append(named["client"].address)  # type: ignore[attr-defined]
        return await call(verb, *arguments, **named)  # type: ignore[arg-type]

    daemon.call = listening  # type: ignore[method-assign, assignment]
    try:
        host = f"Host: localhost:{house.port}"
        cookies = f"Cookie: facesecure={token_of(Role.OWNER)}; __Host-facesecure={token_of(Role.OWNER)}"
        lines = ("GET / HTTP/1.1", host, cookies, "Accept: text/html", f"X-Forwarded-For: {forwarded}", "", "")
        assert b" 200 " in first_line(house, "\r\n".join(lines).encode(), source=source)
    finally:
        daemon.call = call  # type: ignore[method-assign]
    (address,) = set(told)
    return address
