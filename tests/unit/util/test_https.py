"""Requests over HTTPS as they should be; tests/attacks has the servers that are not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.error import HTTPError, URLError

import pytest

from facesecure.util.https import InsecureAddressError, Limits, TooSlowError, open_https
from support.tls import Authority, Peer, hostile_peer

LIMITS = Limits(silence=60, total=120)


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return authority


def hello(_peer: Peer, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


def moved(_peer: Peer, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 301 Moved\r\nLocation: /new\r\n\r\n")


def test_a_response_is_read_and_headers_arrive(authority: Authority) -> None:
    with hostile_peer(hello, authority.context()) as peer:
        response = open_https(f"{peer.url}/a?b=c", LIMITS, {"X-Kind": "test"}, trust=str(authority.root))
        with response:
            assert (response.status, response.read()) == (200, b"hello")
    assert peer.requests[0].startswith("GET /a?b=c HTTP/1.1\r\n")
    assert "X-Kind: test" in peer.requests[0]


def test_a_message_is_posted_and_never_redirected(authority: Authority) -> None:
    with hostile_peer(moved, authority.context()) as peer, pytest.raises(HTTPError, match="301"):
        open_https(peer.url, LIMITS, {}, body=b"secret", trust=str(authority.root))
    assert [request.split()[0] for request in peer.requests] == ["POST"]


@pytest.mark.parametrize("allowed", [0, 1, 5])
def test_so_many_redirects_are_followed(authority: Authority, allowed: int) -> None:
    with hostile_peer(moved, authority.context()) as peer, pytest.raises(HTTPError, match="301"):
        open_https(peer.url, Limits(60, 120, redirects=allowed), {}, trust=str(authority.root))
    assert len(peer.requests) == 1 + allowed


def test_no_address_but_https_is_asked() -> None:
    for url in ("http://127.0.0.1/", "file:///etc/passwd", "https://a:b@127.0.0.1/", "https://[", "", "127.0.0.1"):
        with pytest.raises(InsecureAddressError):
            open_https(url, LIMITS, {})


def test_no_time_left_is_said_before_connecting() -> None:
    with pytest.raises((TooSlowError, URLError), match="longer than allowed"):
        open_https("https://127.0.0.1:9/", Limits(1, 0), {})


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy for one connection: its address, and the hosts that it was asked for."""
    asked: list[str] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            asked.append(head.split()[1].decode())
            host, _, port = asked[0].partition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=pump, args=(server, client))
                back.start()
                pump(client, server)
                back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        thread.join()


def test_the_machines_proxy_is_used_and_sees_no_more_than_the_host(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with hostile_peer(hello, authority.context()) as peer, proxy() as (address, asked):
        monkeypatch.setenv("https_proxy", address)
        with open_https(peer.url, LIMITS, {}, trust=str(authority.root)) as response:
            assert response.read() == b"hello"
    assert [f"https://{host}" for host in asked] == [peer.url]
    assert len(peer.requests) == 1
