"""pychromecast's connection to a device, made safe for the two threads that use it.

pychromecast 14.0.10 reads on its own thread and writes on its caller's, through one TLS object without a lock. OpenSSL
does not allow that: writes fail with "EOF occurred" or "bad length", and one announcement in some 20 is lost silently.
Here one lock guards the TLS object and another each message with its number. pychromecast also overlooks a message
that TLS decrypted together with the previous one, uses IPv4 only, and reconnects for ever; this connection uses both IP
versions and is opened once. Written against 14.0, to which pyproject.toml pins it.
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
    """A TLS socket that one thread may read while others write. The lock is never held while waiting for the network.

    Example::

        tls = LockedTls(context.wrap_socket(plain))
        tls.sendall(message)
    """

    def __init__(self, tls: ssl.SSLSocket) -> None:
        """Take over ``tls`` after its handshake."""
        tls.setblocking(False)
        self._tls = tls
        self._lock = threading.Lock()
        self._arrived = bytearray()
        self._end: OSError | None = None
        self._ended = False

    def fileno(self) -> int:
        """Return the file descriptor, for select."""
        return self._tls.fileno()

    def readable(self) -> bool:
        """Read what has arrived. Returns whether ``recv`` would return at once, with bytes or the end."""
        with self._lock, contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._fill()
        return bool(self._arrived) or self._ended

    def _fill(self) -> None:
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
        """Return 1 to ``count`` bytes, or none at the end. Raises TimeoutError, or the OSError that ended it."""
        if not self.readable():
            self._wait(select.POLLIN, READ_SECONDS)
            if not self.readable():
                raise TimeoutError("no data arrived")
        if not self._arrived and self._end is not None:
            raise self._end
        with self._lock:
            chunk = bytes(self._arrived[:count])
            del self._arrived[:count]
        return chunk

    def sendall(self, data: bytes) -> None:
        """Send all of ``data``; one caller at a time. Raises OSError."""
        rest, deadline = memoryview(data), Deadline(SEND_SECONDS)
        while rest:
            sent = 0
            with self._lock, contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                sent = self._tls.send(rest)
            rest = rest[sent:]
            if not sent and not self._wait(select.POLLOUT, deadline.left()):
                raise TimeoutError("the device does not accept data")

    def close(self) -> None:
        """Close the socket."""
        with self._lock:
            self._tls.close()

    def _wait(self, event: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._tls, event)
        return bool(poll.poll(seconds * 1000))


class _Selector(selectors.DefaultSelector):
    """A selector that counts bytes that TLS has decrypted already, and ignores those of incomplete records."""

    tls: LockedTls

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if self.tls.readable() else timeout)
        others = [(key, events) for key, events in ready if key.fileobj is not self.tls]
        mine = [(self.get_key(self.tls), selectors.EVENT_READ)] if self.tls.readable() else []
        return others + mine


class Connection(SocketClient):
    """An open connection with its reading thread, opened by ``open_connection``.

    Example::

        with open_connection(host, port, seconds=2.5) as connection:
            connection.start()
    """

    def __init__(self, tls: LockedTls, host: str, port: int, local_address: str) -> None:
        """Use ``tls``, which is connected to ``host``; the thread is not started yet."""
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
        """Replace pychromecast's connecting: it is connected already, or raises because the connection was lost."""
        if self._adopted is None:
            self._release()
            raise ChromecastConnectionError("the connection was lost")
        self._adopted = None
        self.connecting = self.first_connection = False
        self.receiver_controller.update_status()
        self.heartbeat_controller.ping()
        self.heartbeat_controller.reset()

    def _release(self) -> None:
        """Wake the threads that wait for a response."""
        waiting, self._request_callbacks = self._request_callbacks, {}
        for callback in waiting.values():
            callback(False, None)

    def send_message(self, destination_id: str, namespace: str, data: dict[str, Any], **options: Any) -> None:
        """Send one message at a time, so that numbers and bytes stay in order."""
        with self._sending:
            super().send_message(destination_id, namespace, data, **options)

    def close(self) -> None:
        """Disconnect and end the thread."""
        if self.ident is None:
            self._cleanup()
            return
        self.disconnect()
        self.join(CLOSE_SECONDS)


@contextlib.contextmanager
def open_connection(host: str, port: int, seconds: float) -> Iterator[Connection]:
    """Open a connection within ``seconds``, and close it in the end. Its thread is not started. Raises OSError.

    The device's certificate is self-signed and is not verified, as in Google's own sender.
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
