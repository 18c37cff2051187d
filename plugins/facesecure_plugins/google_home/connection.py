"""pychromecast's connection to a device, made safe for the two threads that use it.

pychromecast 14.0.10 reads on its own thread and writes on its caller's, through one TLS object without a lock. OpenSSL
does not allow that: writes fail with "EOF occurred" or "bad length", and one announcement in some 20 is lost silently.
Here one lock guards the TLS object (``tls``) and another each message with its number. pychromecast also overlooks a
message that TLS decrypted together with the previous one, uses IPv4 only, and reconnects for ever; this connection uses
both IP versions and is opened once. Written against 14.0, to which pyproject.toml pins it.
"""

from __future__ import annotations

import contextlib
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

from facesecure.domain.errors import PluginError
from facesecure_plugins.google_home.deadline import Deadline
from facesecure_plugins.google_home.identity import read_identity
from facesecure_plugins.google_home.tls import LARGEST_MESSAGE, SEND_SECONDS, LockedTls

CLOSE_SECONDS = 2.0
IDENTITY_SECONDS = 1.0
"""The longest to wait for a device to show its certificate."""


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

    def __init__(self, tls: LockedTls, host: str, port: int, local_address: str, identity: str = "") -> None:
        """Use ``tls``, which is connected to ``host`` and has shown ``identity``; the thread is not started yet."""
        services: set[HostServiceInfo | MDNSServiceInfo] = {HostServiceInfo(host, port)}
        super().__init__(
            cast_type=CAST_TYPE_AUDIO, tries=1, timeout=SEND_SECONDS, retry_wait=0.1, services=services, zconf=None
        )
        self.name = f"cast-{host}"
        self.host, self.port, self.local_address, self.identity = host, port, local_address, identity
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

    def _read_bytes_from_socket(self, msglen: int) -> bytes:
        """Return the next ``msglen`` bytes; a device that announces more than a message may have is disconnected."""
        if msglen > LARGEST_MESSAGE:
            raise ChromecastConnectionError(f"a message of {msglen} bytes, more than the protocol allows")
        return super()._read_bytes_from_socket(msglen)

    def close(self) -> None:
        """Disconnect and end the thread."""
        if self.ident is None:
            self._cleanup()
            return
        self.disconnect()
        self.join(CLOSE_SECONDS)


@contextlib.contextmanager
def open_connection(host: str, port: int, seconds: float, *, challenge: bool = False) -> Iterator[Connection]:
    """Open a connection within ``seconds``, and close it in the end. Its thread is not started.

    The device's TLS certificate is self-signed and is not verified, as in Google's own sender. With ``challenge`` the
    device is asked for its own (``identity``), which the connection then has as ``identity``. Raises OSError if there
    is no connection, PluginError if the device cannot prove what it shows.
    """
    deadline = Deadline(max(0.05, seconds))
    plain = socket.create_connection((host, port), timeout=deadline.left())
    try:
        plain.settimeout(max(0.05, deadline.left()))
        local = plain.getsockname()[0]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        tls = LockedTls(context.wrap_socket(plain))
        identity = _identity(tls, host, min(IDENTITY_SECONDS, deadline.left() / 2)) if challenge else ""
    except BaseException:
        plain.close()
        raise
    connection = Connection(tls, host, port, local, identity)
    try:
        yield connection
    finally:
        connection.close()


def _identity(tls: LockedTls, host: str, seconds: float) -> str:
    try:
        return read_identity(tls, seconds)
    except (PluginError, OSError) as error:
        tls.close()
        if isinstance(error, PluginError):
            raise PluginError(f"{host} is no device that can be trusted: {error.message}") from error
        raise
