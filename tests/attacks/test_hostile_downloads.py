"""Servers that answer a download with anything but the file, over real TLS."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from facesecure.alerts.speech.voices.google import GoogleVoice
from facesecure.domain.errors import DownloadError, PluginError
from facesecure.util.https import Limits, open_https
from facesecure.vision.inference.download import RemoteFile, fetch
from support.faults.table import attack
from support.tls import Answer, Authority, Peer, hostile_peer

CONTENT = bytes(range(256)) * 400
HALF = len(CONTENT) // 2
LENGTH = b"Content-Length: %d\r\n" % len(CONTENT)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
IN_FLIGHT = 32 << 20
"""What the kernel's and TLS's buffers may hold between a client that hung up and a server that has not noticed."""


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The only authority that is trusted."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return authority


def remote(peer: Peer) -> RemoteFile:
    return RemoteFile(f"{peer.url}/m", "model.onnx", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def failure(peer: Peer, into: Path, total: float = 120.0) -> str:
    """What the download is refused with; never are there more bytes than the file has, nor its final name."""
    part, most = into / "model.onnx.part", 0

    def measure(_done: int, _total: int) -> None:
        nonlocal most
        most = max(most, part.stat().st_size)

    with pytest.raises(DownloadError) as caught:
        fetch(remote(peer), into, measure, timeout=60, total=total)
    assert caught.value.hint
    assert most <= len(CONTENT)
    assert not (into / "model.onnx").exists()
    return caught.value.message


def head(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(lines) + b"\r\n"


def saying(*pieces: bytes) -> Answer:
    """Sends ``pieces`` and closes."""

    def answer(_peer: Peer, connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return answer


def endless(first: bytes, piece: bytes, pause: float = 0.0) -> Answer:
    """Sends ``first``, then ``piece`` for ever, every ``pause`` seconds."""

    def answer(peer: Peer, connection: socket.socket) -> None:
        connection.sendall(first)
        peer.for_ever(connection, piece, pause)

    return answer


@attack(
    "a download that never ends",
    how="chunks without end, a body without a length and without end, a chunk said to have 2^60 bytes, trailers "
    "without end, answers `100 Continue` without end, headers without end, a redirect with an endless body",
)
def test_no_more_is_taken_than_the_file_has(authority: Authority, tmp_path: Path, saw: Callable[[str], None]) -> None:
    block = bytes(65536)
    tried = {
        "chunks": endless(head(CHUNKED), b"10000\r\n" + block + b"\r\n"),
        "no length": endless(head(), block),
        "a huge chunk": endless(head(CHUNKED) + b"1000000000000000\r\n", block),
        "trailers": endless(head(CHUNKED) + b"%x\r\n" % HALF + CONTENT[:HALF] + b"\r\n0\r\n", b"x: y\r\n" * 1000),
        "continue": endless(b"", head(status=b"100 Continue") * 1000),
        "headers": endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
        "a header": endless(b"HTTP/1.1 200 OK\r\nx: ", block),
        "redirect": endless(head(b"Location: http://127.0.0.1/\r\n", status=b"302 Found"), block),
    }
    for name, answer in tried.items():
        into = tmp_path / name
        with hostile_peer(answer, authority.context()) as peer:
            failure(peer, into, total=2)
            if name not in ("trailers", "continue"):  # these two end by the time that is allowed
                assert peer.sent < IN_FLIGHT, name
    saw(f"{len(tried)} of {len(tried)} given up; never more bytes on the disk than the file has")


@attack(
    "a download that trickles",
    how="a byte every 20 ms, within every time-out: of the body, of a chunk's length, of the headers, of the handshake",
)
def test_a_server_that_trickles_is_given_up_in_time(
    authority: Authority, tmp_path: Path, saw: Callable[[str], None]
) -> None:
    tried = {
        "body": endless(head(LENGTH), b"x", 0.02),
        "length": endless(head(CHUNKED), b"0", 0.02),
        "headers": endless(b"HTTP/1.1 200 OK\r\nx: ", b"y", 0.02),
        "handshake": endless(b"\x16\x03\x03\x40\x00", b"\0", 0.02),
    }
    for name, answer in tried.items():
        context = None if name == "handshake" else authority.context()
        with hostile_peer(answer, context) as peer:
            message = failure(peer, tmp_path / name, total=1)
        assert "longer than allowed" in message or not peer.requests, message
    saw(f"{len(tried)} of {len(tried)} given up after the second that was allowed")


@attack(
    "a download of another length or form than announced",
    how="a length that is too long, too short, negative, no number, not the body's; compressed though not asked for",
)
def test_what_is_announced_is_not_believed(authority: Authority, tmp_path: Path, saw: Callable[[str], None]) -> None:
    bomb = gzip.compress(bytes(50 << 20))
    tried = {
        "too long": (saying(head(b"Content-Length: 99999999999\r\n"), CONTENT), "has 99,999,999,999 bytes"),
        "too short": (saying(head(b"Content-Length: 5\r\n"), CONTENT), "has 5 bytes"),
        "body shorter": (saying(head(LENGTH), CONTENT[:HALF]), "interrupted"),
        "negative": (saying(head(b"Content-Length: -1\r\n"), CONTENT + b"!"), "sends more"),
        "no number": (saying(head(b"Content-Length: many\r\n"), CONTENT + b"!"), "sends more"),
        "gzip": (
            saying(head(b"Content-Encoding: gzip\r\n", b"Content-Length: %d\r\n" % len(bomb)), bomb),
            "compressed",
        ),
        "another file": (saying(head(LENGTH), CONTENT[::-1]), "SHA-256"),
    }
    for name, (answer, words) in tried.items():
        into = tmp_path / name
        with hostile_peer(answer, authority.context()) as peer:
            assert words in failure(peer, into), name
        kept = [path.name for path in into.iterdir()]
        assert kept == (["model.onnx.part"] if name == "body shorter" else []), name
    saw(f"{len(tried)} of {len(tried)} refused; kept is only the half of the true file that can be resumed")


@attack(
    "a download that is led elsewhere",
    how="redirects to http, ftp, file, data, an address with a password, no address, itself; a longer chain than five; "
    "a message redirected",
)
def test_redirects_lead_only_to_https_and_not_for_ever(
    authority: Authority, tmp_path: Path, saw: Callable[[str], None]
) -> None:
    plain = ("http://127.0.0.1:9/m", "//127.0.0.1:9/m", "ftp://127.0.0.1/m", "file:///etc/passwd", "data:,x")
    others = (
        "https://anna:secret@127.0.0.1/m",
        "https://[::1",
        "gopher://127.0.0.1/",
        "javascript:1",
        "HTTP://127.0.0.1:9/",
    )
    for number, target in enumerate((*plain, *others)):
        location = b"Location: " + target.encode() + b"\r\n"
        with hostile_peer(saying(head(location, status=b"302 Found")), authority.context()) as peer:
            message = failure(peer, tmp_path / str(number))
        assert "not https" in message or target.startswith("//"), target
        assert "secret" not in message
        assert len(peer.requests) == 1
    again = saying(head(b"Location: /m\r\n", status=b"307 Temporary Redirect"))
    with hostile_peer(again, authority.context()) as peer:
        assert "307" in failure(peer, tmp_path / "loop")
        assert len(peer.requests) == 6
        voice = GoogleVoice(url=peer.url, trust=str(authority.root))
        with pytest.raises(PluginError, match="refuses to speak: 307"):
            voice.say("Hello", "en")
        assert len(peer.requests) == 7
    tried = len(plain) + len(others) + 2
    saw(f"{tried} of {tried} refused: only to https, five at most, and a message goes nowhere else")


@attack(
    "a redirect that collects credentials",
    how="a server that sets a cookie and redirects to another host, a password for that host in ~/.netrc",
)
def test_nothing_secret_goes_to_another_host(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saw: Callable[[str], None]
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login anna password hunter2\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with hostile_peer(saying(head(LENGTH), CONTENT), authority.context()) as second:
        leads = head(f"Location: {second.url}/m\r\nSet-Cookie: a=b\r\n".encode(), status=b"302 Found")
        with hostile_peer(saying(leads), authority.context()) as first:
            assert fetch(remote(first), tmp_path / "in").read_bytes() == CONTENT
            own = {"Authorization": "Bearer hunter2", "Cookie": "s=hunter2", "X-Kind": "test"}
            with open_https(first.url, Limits(60, 60), own) as response:
                assert response.read() == CONTENT
    assert "hunter2" not in first.requests[0] + "".join(second.requests)
    assert "Bearer hunter2" in first.requests[1]
    assert "X-Kind: test" in second.requests[1]
    assert not any("cookie" in request.lower() for request in second.requests)
    saw("the other host got neither cookie nor password; those meant for the first went to it alone")


@attack(
    "a server in the middle",
    how="certificates of an authority that is not trusted, for another name, expired; a server without encryption",
)
def test_only_the_server_itself_is_believed(
    authority: Authority, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, saw: Callable[[str], None]
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"))
    for context in (other.context(), authority.context("127.0.0.2"), authority.context(days=-1)):
        with hostile_peer(saying(head(LENGTH), CONTENT), context) as peer:
            assert "CERTIFICATE_VERIFY_FAILED" in failure(peer, tmp_path / "in")
            assert peer.requests == []
    with hostile_peer(saying(head(LENGTH), CONTENT), None) as peer:
        assert "cannot reach" in failure(peer, tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == []
    saw("4 of 4 refused before anything was asked")


@attack(
    "a partial download is planted",
    how="a link to another file, a hard link to it, a pipe and a folder in the place of NAME.part; the file exchanged "
    "after it was checked",
)
def test_a_planted_partial_file_leads_nowhere(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saw: Callable[[str], None]
) -> None:
    secret, into = tmp_path / "secret", tmp_path / "in"
    secret.write_bytes(b"a letter")
    into.mkdir()
    part = into / "model.onnx.part"
    with hostile_peer(saying(head(LENGTH), CONTENT), authority.context()) as peer:
        for plant in (part.symlink_to, part.hardlink_to, lambda _: os.mkfifo(part)):
            plant(secret)
            path = fetch(remote(peer), into)
            assert path.read_bytes() == CONTENT
            assert path.stat().st_mode & 0o777 == 0o600
            assert secret.read_bytes() == b"a letter"
            path.unlink()
        part.mkdir()
        assert "cannot write" in failure(peer, into)
        part.rmdir()
        monkeypatch.setattr("os.fsync", partial(_exchange, part))
        assert "another process has changed" in failure(peer, into)
    saw("links and pipe are replaced, the other file is as it was; the folder and the exchanged file are refused")


def _exchange(part: Path, _descriptor: int) -> None:
    part.unlink()
    part.write_bytes(b"not a network")
