"""The sockets on which the page waits for browsers: those that systemd hands over, or one of its own."""

from __future__ import annotations

import os
import socket

from facesecure.domain.errors import UsageError

_FIRST = 3
"""The number of the first socket that systemd hands over (sd_listen_fds(3))."""
_BACKLOG = 64


def inherited_sockets() -> list[socket.socket]:
    """Return the sockets that systemd started this process with, none if it did not; once."""
    count, meant = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if not count.isdigit() or meant != str(os.getpid()):
        return []
    sockets = [socket.socket(fileno=number) for number in range(_FIRST, _FIRST + int(count))]
    for one in sockets:
        one.setblocking(False)
        one.set_inheritable(False)
    return sockets


def own_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port``. Raises UsageError, and says what to do."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise UsageError(f"there is no address {host!r} here", "name one of this machine: --host 0.0.0.0") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(*_trouble(host, port, error)) from None
    listener.setblocking(False)
    return listener


def _trouble(host: str, port: int, error: OSError) -> tuple[str, str]:
    place = f"port {port} of {host}"
    if isinstance(error, PermissionError):
        return f"the page may not use {place}", "ports below 1024 are root's: choose another, --port 8443"
    if error.errno == 98:  # EADDRINUSE
        return f"{place} is in use", f"choose another, --port {port + 1}, or see who uses it: ss -ltnp"
    return f"the page cannot listen on {place}: {error.strerror}", "choose another: --host 127.0.0.1 --port 8080"
