"""Serving the recording: only at its path, in whole or in part, and while it is played."""

import contextlib
import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home import media_server as served
from facesecure_plugins.google_home.media_server import FileServer, requested_range

MP3 = bytes(range(256)) * 400


class Fetched(list):
    """What the server's thread told; it may do so after the client has all of it."""

    def wait(self):
        deadline = time.monotonic() + 30
        while not self and time.monotonic() < deadline:
            time.sleep(0.005)
        return list(self)


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """A machine that pauses cuts nobody off, except where a test is about that."""
    monkeypatch.setattr(served, "REQUEST_SECONDS", 60.0)


@pytest.fixture
def fetched():
    return Fetched()


@pytest.fixture
def server():
    with FileServer() as running:
        yield running


@pytest.fixture
def url(server, fetched):
    return server.offer("127.0.0.1", MP3, lambda: fetched.append(True), listener="127.0.0.1").url


def ask(url, method="GET", path=None, **headers):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.request(method, path or parts.path, headers=headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def plain(url):
    return socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=60)


def cut_off(client, whole=20_000_000):
    """Whether the connection ends, and before all of a big file came."""
    received = 0
    try:
        while chunk := client.recv(1_000_000):
            received += len(chunk)
    except ConnectionResetError:
        pass  # that is an end too
    return received < whole


def test_the_whole_file_comes_with_its_type_and_length(url, fetched):
    status, headers, body = ask(url)
    assert (status, body) == (200, MP3)
    assert headers["Content-Type"] == "audio/mpeg"
    assert headers["Content-Length"] == str(len(MP3))
    assert headers["Accept-Ranges"] == "bytes"
    assert fetched.wait() == [True]


def test_nothing_tells_what_serves_it(url):
    assert set(ask(url)[1]) == {"Content-Type", "Content-Length", "Accept-Ranges", "Cache-Control", "Connection"}


def test_head_tells_the_same_of_it_and_does_not_count_as_fetched(url, fetched):
    status, headers, body = ask(url, "HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(MP3)), b"")
    assert fetched == []


@pytest.mark.parametrize(
    ("asked", "part", "place"),
    [
        ("bytes=0-", MP3, "bytes 0-102399/102400"),
        ("bytes=0-0", MP3[:1], "bytes 0-0/102400"),
        ("bytes=100-199", MP3[100:200], "bytes 100-199/102400"),
        ("bytes=102000-", MP3[102000:], "bytes 102000-102399/102400"),
        ("bytes=102000-999999", MP3[102000:], "bytes 102000-102399/102400"),
        ("bytes=-5", MP3[-5:], "bytes 102395-102399/102400"),
        ("bytes=-999999", MP3, "bytes 0-102399/102400"),
    ],
)
def test_a_part_of_it_may_be_requested(url, asked, part, place):
    status, headers, body = ask(url, Range=asked)
    assert (status, body, headers["Content-Range"]) == (206, part, place)
    assert headers["Content-Length"] == str(len(part))


@pytest.mark.parametrize("asked", ["bytes=102400-", "bytes=999999-1000000", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused_with_the_size(url, asked):
    status, headers, body = ask(url, Range=asked)
    assert (status, headers["Content-Range"], body) == (416, "bytes */102400", b"")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=", "bytes=-", "bytes=9-3", "lines=1-2", "bytes=a-b", "x"])
def test_what_is_no_single_range_gets_the_whole(url, asked):
    assert ask(url, Range=asked)[0] == 200


def test_a_range_of_an_empty_file_is_never_there():
    assert requested_range("bytes=0-", 0) == (0, -1)


def test_it_counts_as_fetched_once_however_it_is_requested(url, fetched):
    ask(url, Range="bytes=0-99")
    assert fetched == []
    ask(url, Range="bytes=100-")
    fetched.wait()
    ask(url)
    time.sleep(0.05)
    assert fetched == [True]


def test_whoever_goes_on_after_it_was_sent_does_so_after_that_was_told(server):
    told, telling, go_on = [], threading.Event(), threading.Event()

    def fetched():
        telling.set()
        assert go_on.wait(30)
        told.append("fetched")

    offer = server.offer("127.0.0.1", MP3, fetched)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(offer.sent)
        assert telling.wait(30)
        player = pool.submit(lambda: (offer.sent(), told.append("playing")))
        with pytest.raises(TimeoutError):
            player.result(0.2)
        go_on.set()
    assert told == ["fetched", "playing"]


@pytest.mark.parametrize("path", ["/", "/said.mp3", "/../../etc/passwd", "/%2e%2e/etc/passwd", "//", "*", "/.mp3"])
def test_there_is_nothing_else(url, path):
    status, _, body = ask(url, path=path)
    assert (status, body) == (404, b"")


def test_every_path_is_long_and_its_own(server):
    paths = {urlsplit(server.offer("127.0.0.1", MP3, print).url).path for _ in range(20)}
    assert len(paths) == 20
    assert all(len(path) >= 32 for path in paths)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_can_only_be_read(url, method):
    assert ask(url, method)[0] == 405
    assert ask(url, method, path="/other")[0] == 404


@pytest.mark.parametrize("nonsense", [b"hello\r\n\r\n", b"GET / SPDY/3\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n"])
def test_nonsense_is_refused(url, nonsense):
    with plain(url) as client:
        client.sendall(nonsense)
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_head_without_an_end_is_cut_off(url):
    with plain(url) as client:
        for _ in range(served.MAX_REQUEST // 1000 + 2):
            client.sendall(b"X-Long: " + b"x" * 1000 + b"\r\n")
        assert cut_off(client)


@contextlib.contextmanager
def dawdling(url):
    """Clients that begin a request and do not end it."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(plain(url)) for _ in range(5)]
        for client in clients:
            client.sendall(b"GET / HT")
        yield clients


def test_clients_that_dawdle_keep_nobody_waiting(url):
    with dawdling(url):
        began = time.monotonic()
        assert ask(url)[0] == 200
        assert time.monotonic() - began < served.REQUEST_SECONDS / 2


def test_clients_that_dawdle_are_cut_off(url, monkeypatch):
    monkeypatch.setattr(served, "REQUEST_SECONDS", 0.5)
    with dawdling(url) as clients:
        assert [cut_off(client) for client in clients] == [True] * 5


def test_others_cannot_take_the_places_of_the_device(url, monkeypatch):
    monkeypatch.setattr(served, "REQUEST_SECONDS", 3.0)
    host, port = urlsplit(url).hostname, urlsplit(url).port
    others = [socket.create_connection((host, port), 60, ("127.0.0.2", 0)) for _ in range(40)]
    try:
        assert ask(url)[0] == 200
        assert sum(not cut_off(other) for other in others[:4]) == 0, "they are cut off in the end"
    finally:
        for other in others:
            other.close()


def test_a_client_that_takes_nothing_is_cut_off(monkeypatch):
    monkeypatch.setattr(served, "SENDING_SECONDS", 0.3)
    with FileServer() as server:
        url = server.offer("127.0.0.1", b"x" * 20_000_000, print).url
        with plain(url) as client:
            client.sendall(f"GET {urlsplit(url).path} HTTP/1.1\r\n\r\n".encode())
            assert client.recv(1), "from here on its time is counted"
            time.sleep(0.6)
            assert cut_off(client)


def test_one_client_too_many_is_turned_away(url):
    waiting = [plain(url) for _ in range(served.MAX_CLIENTS)]
    try:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            ask(url)
    finally:
        for client in waiting:
            client.close()


def test_when_it_ends_nobody_listens_any_more_and_no_thread_is_left(fetched):
    before = own_threads()
    with FileServer() as server:
        url = server.offer("127.0.0.1", MP3, print).url
        idle = plain(url)
    with idle, pytest.raises(OSError, match="refused"):
        plain(url)
    assert own_threads() == before


def own_threads() -> int:
    """Return how many threads belong to such servers; those of other tests end when they like."""
    return sum(thread.name.startswith("google_home-server") for thread in threading.enumerate())


def test_it_listens_where_the_device_comes_from_and_nowhere_else(url):
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", urlsplit(url).port), timeout=2)


def test_the_port_may_be_chosen_for_a_firewall():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        with FileServer(ports=range(first, first + 20)) as server:
            assert first < urlsplit(server.offer("127.0.0.1", MP3, print).url).port < first + 20
        refusal = pytest.raises(PluginError, match=r"cannot be served on 127\.0\.0\.1")
        with FileServer(ports=range(first, first + 1)) as server, refusal as caught:
            server.offer("127.0.0.1", MP3, print)
    assert "serve_ports" in caught.value.hint


def test_the_address_may_be_chosen_too(fetched):
    with FileServer("127.0.0.3") as server:
        url = server.offer("127.0.0.1", MP3, print).url
        assert url.startswith("http://127.0.0.3:")
        assert ask(url)[0] == 200
    with FileServer("192.0.2.1") as server, pytest.raises(PluginError, match=r"192\.0\.2\.1"):
        server.offer("127.0.0.1", MP3, print)
