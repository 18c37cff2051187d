"""pychromecast's connection to a device, made safe for the two threads that use it.

pychromecast 14.0.10 reads on its own thread and writes on its caller's, through one TLS object and with no lock.
OpenSSL allows no such thing: writes fail with "EOF occurred" or "bad length", and one announcement in some 20 is lost
without a word. Here one lock guards the TLS object and another each message with its number. pychromecast also leaves
a message lying that TLS decrypted along with the one before, connects by IPv4 alone, and connects again for ever; this
connection is made once, by either, and its end is an end. Written against 14.0: pyproject.toml holds it there.
"""

from __future__ import annotations

import contextlib
import select
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

from pychromecast.const import CAST_TYPE_AUDIO
from pychromecast.error import ChromecastConnectionError
from pychromecast.models import HostServiceInfo, MDNSServiceInfo
from pychromecast.socket_client import SocketClient

from facesecure_plugins.google_home.deadline import Deadline

READ_SECONDS = 0.5
SEND_SECONDS = 3.0
CLOSE_SECONDS = 2.0


class LockedTls:
    """A TLS socket that one thread may read while others write. Nobody waits for the network with the lock held."""

    def __init__(self, tls: ssl.SSLSocket) -> None:
        tls.setblocking(False)
        self._tls = tls
        self._lock = threading.Lock()
        self._arrived = bytearray()
        self._end: OSError | None = None
        self._ended = False

    def fileno(self) -> int:
        return self._tls.fileno()

    def readable(self) -> bool:
        """Take in what has come. True if ``recv`` has bytes to give, or an end to tell of."""
        with self._lock, contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._take_in()
        return bool(self._arrived) or self._ended

    def _take_in(self) -> None:
        try:
            while not self._ended:
                chunk = self._tls.recv(16384)
                self._arrived += chunk
                self._ended = not chunk
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError as error:
            self._end, self._ended = error, True

    def recv(self, count: int) -> bytes:
        """1 to ``count`` bytes; none at the end. Raises TimeoutError where none come in time, or what ended it."""
        if not self.readable():
            self._wait(select.POLLIN, READ_SECONDS)
            if not self.readable():
                raise TimeoutError("nothing came")
        if not self._arrived and self._end is not None:
            raise self._end
        with self._lock:
            chunk = bytes(self._arrived[:count])
            del self._arrived[:count]
        return chunk

    def sendall(self, data: bytes) -> None:
        """Send all of ``data``. Raises OSError. One caller at a time."""
        rest, deadline = memoryview(data), Deadline(SEND_SECONDS)
        while rest:
            sent = 0
            with self._lock, contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                sent = self._tls.send(rest)
            rest = rest[sent:]
            if not sent and not self._wait(select.POLLOUT, deadline.left()):
                raise TimeoutError("the device takes nothing more")

    def close(self) -> None:
        with self._lock:
            self._tls.close()

    def _wait(self, event: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._tls, event)
        return bool(poll.poll(seconds * 1000))


class _Selector(selectors.DefaultSelector):
    """Knows of bytes that TLS has decrypted already, and is not woken by those that TLS keeps to itself."""

    tls: LockedTls

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if self.tls.readable() else timeout)
        others = [(key, events) for key, events in ready if key.fileobj is not self.tls]
        mine = [(self.get_key(self.tls), selectors.EVENT_READ)] if self.tls.readable() else []
        return others + mine


class Connection(SocketClient):
    """An open connection with its reading thread. ``open_connection`` makes one; ``close`` ends it."""

    def __init__(self, tls: LockedTls, host: str, port: int, local_address: str) -> None:
        services: set[HostServiceInfo | MDNSServiceInfo] = {HostServiceInfo(host, port)}
        super().__init__(
            cast_type=CAST_TYPE_AUDIO, tries=1, timeout=SEND_SECONDS, retry_wait=0.1, services=services, zconf=None
        )
        self.name = f"cast-{host}"
        self.host, self.port, self.local_address = host, port, local_address
        self._adopted: LockedTls | None = tls
        self._sending = threading.RLock()
        self._use(tls)

    def _use(self, tls: LockedTls) -> None:
        self.selector.close()
        self.selector = _Selector()
        self.selector.tls = tls
        self.wakeup_selector_key = self.selector.register(self.socketpair[0], selectors.EVENT_READ)
        self.remote_selector_key = self.selector.register(tls, selectors.EVENT_READ)
        self.socket = tls  # type: ignore[assignment]

    def initialize_connection(self) -> None:
        """Called by pychromecast where it would connect: it is connected already, or has lost what it had."""
        if self._adopted is None:
            self._release()
            raise ChromecastConnectionError("the connection was lost")
        self._adopted = None
        self.connecting = self.first_connection = False
        self.receiver_controller.update_status()
        self.heartbeat_controller.ping()
        self.heartbeat_controller.reset()

    def _release(self) -> None:
        """Wake those who wait for an answer that will not come."""
        waiting, self._request_callbacks = self._request_callbacks, {}
        for callback in waiting.values():
            callback(False, None)

    def send_message(self, destination_id: str, namespace: str, data: dict[str, Any], **options: Any) -> None:
        """As pychromecast's, one message at a time: its number and its bytes."""
        with self._sending:
            super().send_message(destination_id, namespace, data, **options)

    def close(self) -> None:
        """Say goodbye to the device and end the thread."""
        if self.ident is None:
            self._cleanup()
            return
        self.disconnect()
        self.join(CLOSE_SECONDS)


@contextlib.contextmanager
def open_connection(host: str, port: int, seconds: float) -> Iterator[Connection]:
    """A connection, its thread not started yet, closed in the end. Raises OSError if there is none within ``seconds``.

    The device's certificate is its own and proves nothing that we could check: neither does Google's own sender.
    """
    deadline = Deadline(max(0.05, seconds))
    plain = socket.create_connection((host, port), timeout=deadline.left())
    try:
        plain.settimeout(max(0.05, deadline.left()))
        local = plain.getsockname()[0]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        tls = LockedTls(context.wrap_socket(plain))
    except BaseException:
        plain.close()
        raise
    connection = Connection(tls, host, port, local)
    try:
        yield connection
    finally:
        connection.close()
