"""The TLS socket that two threads share, against a peer that echoes."""

import contextlib
import selectors
import socket
import ssl
import threading
import time

import pytest

from facesecure_plugins.google_home import connection
from facesecure_plugins.google_home import tls as tls_module
from facesecure_plugins.google_home.connection import open_connection
from facesecure_plugins.google_home.tls import LockedTls
from support.cast.certificates import self_signed
from support.cast.receiver import cast_device

BYE = b"bye"
LETTER = b"a message of forty bytes, give or take.."


def echo(listening):
    """Give back what comes, in pieces that TLS packs as it likes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed())
    plain, _ = listening.accept()
    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as tls:
        while (data := tls.recv(65536)) not in (b"", BYE):
            tls.sendall(data)


@pytest.fixture
def tls():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        peer = threading.Thread(target=echo, args=[listening])
        peer.start()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        locked = LockedTls(context.wrap_socket(socket.create_connection(listening.getsockname())))
        yield locked
        locked.close()
        peer.join()


def read(tls, count):
    received = bytearray()
    while len(received) < count:
        with contextlib.suppress(TimeoutError):
            chunk = tls.recv(count - len(received))
            assert chunk, "it ended early"
            received += chunk
    return bytes(received)


class Watched:
    """A TLS socket that takes its time, and counts how often two threads were in it at once."""

    def __init__(self, tls):
        self._tls, self._inside, self.overlaps = tls, threading.Lock(), 0

    def _watched(self, work, *arguments):
        alone = self._inside.acquire(blocking=False)
        self.overlaps += not alone
        try:
            time.sleep(0.0002)
            return work(*arguments)
        finally:
            if alone:
                self._inside.release()

    def recv(self, count):
        return self._watched(self._tls.recv, count)

    def send(self, data):
        return self._watched(self._tls.send, data)

    def __getattr__(self, name):
        return getattr(self._tls, name)


def test_one_thread_may_read_while_another_writes(tls):
    tls._tls = watched = Watched(tls._tls)
    count, got = 300, []
    reader = threading.Thread(target=lambda: got.append(read(tls, count * len(LETTER))))
    reader.start()
    for _ in range(count):
        tls.sendall(LETTER)
    reader.join(60)
    assert got == [LETTER * count]
    assert watched.overlaps == 0


def test_a_peer_that_is_silent_does_not_keep_the_writer_waiting(tls, monkeypatch):
    monkeypatch.setattr(tls_module, "READ_SECONDS", 60.0)
    reader = threading.Thread(target=read, args=[tls, len(LETTER)])
    reader.start()
    time.sleep(0.05)  # the reader waits now
    began = time.monotonic()
    tls.sendall(LETTER)
    assert time.monotonic() - began < 30
    reader.join()


def test_what_tls_has_decrypted_already_is_known_to_be_there(tls):
    tls.sendall(LETTER + LETTER)
    read(tls, len(LETTER))
    selector = connection._Selector()
    selector.tls = tls
    with contextlib.closing(selector):
        selector.register(tls, selectors.EVENT_READ)
        began = time.monotonic()
        ((key, _),) = selector.select(60)
        assert key.fileobj is tls
        assert time.monotonic() - began < 30
        read(tls, len(LETTER))
        assert selector.select(0.01) == []


def test_what_tls_keeps_to_itself_wakes_nobody(tls):
    """The session tickets of TLS 1.3 make the socket readable, and are nothing to read."""
    selector = connection._Selector()
    selector.tls = tls
    with contextlib.closing(selector):
        selector.register(tls, selectors.EVENT_READ)
        time.sleep(0.1)
        assert selector.select(0.1) == []


def test_an_end_is_told(tls):
    tls.sendall(BYE)
    deadline = time.monotonic() + 30
    while not tls.readable() and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(OSError):
        assert tls.recv(1) == b""


def test_a_peer_that_never_shakes_hands_is_given_up():
    with cast_device(no_handshake=True) as device:
        began = time.monotonic()
        with pytest.raises(OSError, match="timed out"), open_connection(device.host, device.port, 0.3):
            pass
        assert time.monotonic() - began < 10, "the device itself would wait for ever"


def test_a_connection_that_nobody_started_is_closed_all_the_same():
    with cast_device() as device, open_connection(device.host, device.port, 30) as cast:
        assert not cast.is_alive()
    assert cast.socket.fileno() == -1
