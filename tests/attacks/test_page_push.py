"""Web Push under attack: addresses that lead into the house, hostile push services, and edited subscriptions."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from facesecure.alerts.push.sending import Sender
from facesecure.domain import Alert, AlertKind
from facesecure.domain.accounts import Role
from facesecure.domain.errors import PluginError, StoreError, UsageError
from facesecure.services import push
from facesecure.util.public_addresses import is_public
from support.faults.table import attack
from support.page_push import Household, notified_household
from support.push_service import SubscribedBrowser, answering, encoded

INSIDE = (
    "127.0.0.1", "localhost", "[::1]", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "[::ffff:127.0.0.1]", "[::ffff:192.168.1.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fd00::1]",
    "[fe80::1]", "2130706433", "0x7f000001", "127.1", "017700000001",
)  # fmt: skip

COPIED = "SELECT 'x', session, endpoint, public_key, auth, created_at, seal FROM push_subscriptions"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    with notified_household(tmp_path) as home:
        yield home


def an_alert() -> Alert:
    return Alert(AlertKind.SERVICE, "The disk is full")


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port of the house, and what was said to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server.getsockname()[1], heard
        with suppress(TimeoutError):
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(100))


@attack(
    "a subscription that leads into the house",
    how="a signed-in browser says that its push service is the router, this machine, a cloud's metadata or a name of "
    "those, in each spelling of an address; also a name that leads elsewhere only once it was looked at",
)
def test_nothing_in_the_house_is_reached(
    home: Household, monkeypatch: pytest.MonkeyPatch, saw: Callable[[str], None]
) -> None:
    plugin, reached, connect = home.plugin(private=False, seconds=2.0), list[object](), socket.create_connection

    def noted(*words: Any, **more: Any) -> socket.socket:
        reached.append(words)
        return connect(*words, **more)

    monkeypatch.setattr(socket, "create_connection", noted)
    session, browser = home.session("Mallory", Role.VIEWER), SubscribedBrowser()
    for host in INSIDE:
        push.subscribe(home.store, session, f"https://{host}/x", browser.p256dh, encoded(browser.auth))
        with pytest.raises(PluginError, match=r"private network|cannot be reached"):
            plugin.send(an_alert())
    addresses = iter(["93.184.216.34", "127.0.0.1"])
    info = socket.getaddrinfo

    def rebound(host: str, *words: Any, **more: Any) -> Any:
        return info(next(addresses) if host == "rebound.example.com" else host, *words, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    socket.getaddrinfo("rebound.example.com", 443)
    push.subscribe(home.store, session, "https://rebound.example.com/x", browser.p256dh, encoded(browser.auth))
    with pytest.raises(PluginError, match="private network"):
        plugin.send(an_alert())
    assert reached == []
    saw(f"{len(INSIDE)} spellings and a name that was rebound: no connection was begun")


@attack(
    "a push service on another port, or no https",
    how="a browser names a port of a service, plain http, a user and password, or a file; nobody connects to any",
)
def test_only_https_on_its_port_is_taken(home: Household, saw: Callable[[str], None]) -> None:
    session, browser, refused = home.session("Mallory"), SubscribedBrowser(), 0
    for endpoint in (
        "http://push.example.com/", "https://push.example.com:22/", "https://push.example.com:8883/", "file:///etc/passwd",
        "https://a:b@push.example.com/", "ftp://push.example.com/", "https://push.example.com/\r\nX: y", "//x/", "",
    ):  # fmt: skip
        with pytest.raises(UsageError):
            push.subscribe(home.store, session, endpoint, browser.p256dh, encoded(browser.auth))
        refused += 1
    assert home.store.page.push.all() == []
    saw(f"all {refused} were refused before they were stored")


@attack("a push service that redirects", how="it answers 301, 302, 303, 307 and 308 with an address in the house")
def test_no_redirect_is_followed(home: Household, saw: Callable[[str], None]) -> None:
    plugin = home.plugin()
    with listener() as (port, heard):
        for status in (301, 302, 303, 307, 308):
            home.browser("Mallory", f"/{status}")
            home.service.answers[f"/{status}"] = answering(status, Location=f"https://127.0.0.1:{port}/")
            with pytest.raises(PluginError, match=f"answered {status}"):
                plugin.send(an_alert())
    assert heard == []
    saw("5 redirects, and none was followed")


def endless(request: BaseHTTPRequestHandler) -> None:
    """An answer that has no end."""
    request.send_response(201)
    request.end_headers()
    with suppress(OSError):
        while True:
            request.wfile.write(b"x" * 65536)


def trickling(request: BaseHTTPRequestHandler) -> None:
    """Head after head, a byte at a time."""
    with suppress(OSError):
        for byte in b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 200:
            request.wfile.write(bytes([byte]))
            time.sleep(0.05)


def huge_head(request: BaseHTTPRequestHandler) -> None:
    """A head of 50 MB."""
    with suppress(OSError):
        request.wfile.write(b"HTTP/1.1 201 Created\r\n")
        for _ in range(800):
            request.wfile.write(b"X: " + b"y" * 65000 + b"\r\n")


@attack(
    "a push service that does not end",
    how="four browsers of one account whose push services answer for ever, a byte at a time, with a head of 50 MB, and "
    "with 201 after which nothing is read; a fifth browser is somebody else's",
)
def test_who_hangs_keeps_nobody_else_waiting(home: Household, saw: Callable[[str], None]) -> None:
    for name, answer in (("endless", endless), ("trickling", trickling), ("huge", huge_head)):
        home.browser("Mallory", f"/{name}")
        home.service.answers[f"/{name}"] = answer
    home.service.answers["/silent"] = lambda _: time.sleep(15)
    home.browser("Mallory", "/silent")
    home.browser("Ben", "/ben")
    plugin, began = home.plugin(seconds=6.0), time.monotonic()  # also a busy machine tells Ben in that
    with pytest.raises(PluginError):
        plugin.send(an_alert())
    first = time.monotonic() - began
    assert len(home.service.at("/ben")) == 1
    with pytest.raises(PluginError):
        plugin.send(Alert(AlertKind.SERVICE, "another"))
    assert len(home.service.at("/ben")) == 2
    assert first < 20
    saw(f"the attempt ended within {first:.0f} s; the fifth browser got every message")


@attack(
    "somebody else's notifications ended",
    how="a member and a viewer try to end the subscription of another account by its identifier, and to take it over "
    "with its address and keys",
)
def test_nobody_ends_another_account_s_subscription(home: Household, saw: Callable[[str], None]) -> None:
    browser = home.browser("Anna", "/anna", Role.OWNER)
    [hers] = home.store.page.push.all()
    for name, role in (("Mallory", Role.MEMBER), ("Mike", Role.VIEWER)):
        session = home.session(name, role)
        assert not push.unsubscribe(home.store, session, hers.identifier)
        push.subscribe(
            home.store,
            session,
            home.service.url + "/anna",
            SubscribedBrowser().p256dh,
            encoded(bytes(16)),
            private=True,
        )
    assert hers in home.store.page.push.all()
    home.plugin().send(an_alert())
    assert sum(_reads(browser, one) for one in home.service.at("/anna")) == 1
    saw("refused 2 times; her browser still reads its message")


def _reads(browser: SubscribedBrowser, one: object) -> bool:
    try:
        browser.read(one)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - it is another's
        return False
    return True


@attack(
    "subscriptions edited in the database",
    how="somebody who can write to the database sends a subscription to an address and key of their own, moves it to "
    "another session, adds one, and replaces the household's key for push services",
)
def test_edited_subscriptions_get_nothing(home: Household, tmp_path: Path, saw: Callable[[str], None]) -> None:
    home.browser("Anna", "/anna", Role.OWNER)
    home.session("Mallory")
    tried = 0
    for change in (
        f"UPDATE push_subscriptions SET endpoint = '{home.service.url}/mallory'",
        f"UPDATE push_subscriptions SET public_key = '{SubscribedBrowser().p256dh}='",
        "UPDATE push_subscriptions SET auth = 'AAAAAAAAAAAAAAAAAAAAAA=='",
        "UPDATE push_subscriptions SET session = (SELECT token_sha256 FROM sessions ORDER BY began_at DESC LIMIT 1)",
        "UPDATE push_subscriptions SET endpoint = 7, public_key = x'00', auth = 'é'",
        f"INSERT INTO push_subscriptions {COPIED}",
    ):
        with edited(tmp_path / "state", change):
            genuine = [one.identifier for one in home.store.page.push.all()]
            assert "x" not in genuine
            assert len(genuine) == ("INSERT" in change)
            assert any("browsers to notify are refused" in one for one in home.store.page.accounts.problems())
        tried += 1
    home.plugin().send(an_alert())
    assert [one.path for one in home.service.pushes] == ["/anna"]
    with edited(tmp_path / "state", "UPDATE push_keys SET private = x'00'"), pytest.raises(StoreError):
        home.plugin().send(an_alert())
    saw(f"{tried} edited rows counted as absent, and the doctor says so; without its key nothing is sent")


@contextmanager
def edited(state: Path, change: str) -> Iterator[None]:
    """The database with ``change``, and as it was before afterwards."""
    with closing(sqlite3.connect(state / "facesecure.db")) as connection, connection:
        rows = {
            name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in ("push_subscriptions", "push_keys")
        }
        connection.execute(change)
    yield
    with closing(sqlite3.connect(state / "facesecure.db")) as connection, connection:
        for name, kept in rows.items():
            connection.execute(f"DELETE FROM {name}")
            for row in kept:
                connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)


def test_addresses_of_the_internet_are_used() -> None:
    assert all(is_public(one) for one in ("142.250.74.10", "2a00:1450:4001:80b::200a", "::ffff:8.8.8.8"))


def test_a_sender_says_no_more_than_the_host_of_an_address(home: Household) -> None:
    home.browser("Ben", "/secret-path")
    home.service.answers["/secret-path"] = answering(500)
    with pytest.raises(PluginError) as raised:
        home.plugin().send(an_alert())
    assert "secret-path" not in f"{raised.value} {raised.value.hint}"
    assert "secret-path" not in repr(home.store.page.push.all())
    assert Sender(b"x" * 32, "mailto:a@b.c").trust is None
