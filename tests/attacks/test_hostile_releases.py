"""Servers that answer the question for the newest version with anything else, over real TLS."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from facesecure.services.updates import LARGEST, UpdateError, newest_version
from facesecure.util.https import Limits
from support.faults.table import attack
from support.tls import Answer, Authority, Peer, hostile_peer

SHORT = Limits(silence=60, total=2, redirects=0)
PATIENT = Limits(silence=60, total=60, redirects=0)
IN_FLIGHT = 32 << 20
"""What the kernel's and TLS's buffers may hold between a client that hung up and a server that has not noticed."""


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The only authority that is trusted."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return authority


def saying(head: bytes, body: bytes = b"") -> Answer:
    def answer(_peer: Peer, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 " + head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    return answer


def endless(first: bytes, piece: bytes, pause: float = 0.0) -> Answer:
    def answer(peer: Peer, connection: socket.socket) -> None:
        connection.sendall(first)
        peer.for_ever(connection, piece, pause)

    return answer


def refusal(peer: Peer, limits: Limits = PATIENT) -> str:
    with pytest.raises(UpdateError) as caught:
        newest_version(f"{peer.url}/releases", limits=limits)
    assert caught.value.hint
    assert peer.url.removeprefix("https://") not in str(caught.value)
    return caught.value.message


@attack(
    "an answer about versions that never ends",
    how="a body without end, chunks without end, a byte every 20 ms, headers without end, a list of 600 kB",
)
def test_no_more_is_read_than_a_feed_has(authority: Authority, saw: Callable[[str], None]) -> None:
    block = b" " * 65536
    tried = {
        "body": endless(b"HTTP/1.1 200 OK\r\n\r\n[", block),
        "chunks": endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + block + b"\r\n"),
        "bytes": endless(b"HTTP/1.1 200 OK\r\n\r\n", b" ", 0.02),
        "headers": endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
        "large": saying(b"200 OK", b"[" + b" " * LARGEST + b"]"),
    }
    for name, answer in tried.items():
        with hostile_peer(answer, authority.context()) as peer:
            message = refusal(peer, SHORT if name == "bytes" else PATIENT)  # only these end by the time
            assert peer.sent < IN_FLIGHT, name
        assert ("larger than" in message) == (name in ("body", "chunks", "large")), message
    saw(f"{len(tried)} of {len(tried)} given up after two seconds or {LARGEST // 1024} kB")


@attack(
    "an answer about versions that leads elsewhere",
    how="redirects to a file, to http, to another host with https, to itself; statuses of refusal",
)
def test_no_other_host_and_no_file_is_asked(authority: Authority, saw: Callable[[str], None]) -> None:
    with hostile_peer(saying(b"200 OK", b'{"version": "99.0"}'), authority.context()) as other:
        targets = (
            "file:///etc/passwd",
            "http://127.0.0.1:9/",
            f"{other.url}/releases",
            "/releases",
            "ftp://x/",
            "data:,9",
        )
        for target in targets:
            leads = saying(f"302 Found\r\nLocation: {target}".encode())
            with hostile_peer(leads, authority.context()) as peer:
                assert refusal(peer) == "the server redirects, which is not followed"
                assert len(peer.requests) == 1
        assert other.requests == []
    for status in (b"404 Not Found", b"500 \xff\x1b[31m", b"401 Unauthorized\r\nWWW-Authenticate: Basic"):
        with hostile_peer(saying(status, b'{"version": "99.0"}'), authority.context()) as peer:
            assert refusal(peer) == f"the server answered {status[:3].decode()}"
    saw(f"{len(targets) + 3} of {len(targets) + 3} refused; the other host was never asked")


@attack(
    "an answer about versions that is none",
    how="HTML, a nest of 100,000 lists, numbers and lists as versions, versions with terminal codes, commands, paths, "
    "spaces, 5,000 digits, epochs, Arabic digits; drafts and candidates only",
)
def test_only_a_plain_version_is_taken(authority: Authority, tmp_path: Path, saw: Callable[[str], None]) -> None:
    versions = (
        "99.0; reboot",
        "\x1b[2J99.0",
        "99.0\n",
        " 99.0",
        "9" * 5000,
        "1!99.0",
        "٩٩.0",
        "../99.0",
        "99.0+x",
        "",
        None,
    )
    odd = [99, 99.0, ["99.0"], {"a": 1}, True]
    documents: list[bytes] = [
        b"<html>99.0</html>",
        b"",
        b"null",
        b"[]",
        b"99",
        b'"99.0"',
        b"[" * 100_000,
        b"\xff\xfe99",
    ]
    documents += [json.dumps({"version": one}).encode() for one in (*versions, *odd)]
    documents += [json.dumps([{"tag_name": f"v{one}"}]).encode() for one in versions]
    hidden = ({"tag_name": "v99.0", "draft": True}, {"tag_name": "v99.0rc1"}, {"tag_name": "v99.0", "prerelease": "no"})
    documents += [json.dumps([one]).encode() for one in hidden]
    for document in documents:
        with hostile_peer(saying(b"200 OK", document), authority.context()) as peer:
            message = refusal(peer)
        assert message in ("the answer names no version", "the answer offers no version for everybody"), document[:80]
    saw(f"{len(documents)} of {len(documents)} refused, and nothing of them is shown")


@attack(
    "a server in the middle of the question for a version",
    how="certificates of an authority that is not trusted, for another name, expired; a server without encryption",
)
def test_only_the_server_itself_is_asked(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory, saw: Callable[[str], None]
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"))
    answer = saying(b"200 OK", b'{"version": "99.0"}')
    for context in (other.context(), authority.context("127.0.0.2"), authority.context(days=-1), None):
        with hostile_peer(answer, context) as peer:
            assert refusal(peer).startswith("the server cannot be asked")
            assert peer.requests == []
    saw("4 of 4 refused before anything was asked")
