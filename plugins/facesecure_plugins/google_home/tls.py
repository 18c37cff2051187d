"""A TLS connection that one thread may read while others write."""

from __future__ import annotations

import contextlib
import select
import ssl
import threading

from facesecure_plugins.google_home.deadline import Deadline

READ_SECONDS = 0.5
SEND_SECONDS = 3.0
LARGEST_MESSAGE = 65536
"""Bytes of the largest message that a Cast device may send (Chromium, cast_framer.cc)."""


class LockedTls:
    """A TLS socket that one thread may read while others write. The lock is never held while waiting for the network.

    Example::

        tls = LockedTls(context.wrap_socket(plain))
        tls.sendall(message)
    """

    def __init__(self, tls: ssl.SSLSocket) -> None:
        """Take over ``tls`` after its handshake."""
        tls.setblocking(False)
        self.peer_certificate = tls.getpeercert(binary_form=True) or b""
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
            while not self._ended and len(self._arrived) <= LARGEST_MESSAGE:
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

    def read_exactly(self, count: int, deadline: Deadline) -> bytes:
        """Return the next ``count`` bytes. Raises TimeoutError at ``deadline``, and OSError if the connection ends."""
        while len(self._arrived) < count:
            if self._ended or deadline.passed:
                raise self._end or (ConnectionResetError("closed") if self._ended else TimeoutError("no answer"))
            if not self.readable() or len(self._arrived) < count:
                self._wait(select.POLLIN, deadline.left())
                self.readable()
        return self.recv(count)

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
