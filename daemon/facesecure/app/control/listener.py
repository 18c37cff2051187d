"""Listen on a Unix socket, and serve each connection of the processes that may use it on a thread of its own.

The control socket and the page's socket are both a ``Listener``. A peer that may not connect, or comes when too many
are being served, is told so and disconnected; nothing that a peer does delays a frame.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import stat
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol

from facesecure.app.control.peer_credentials import Peer
from facesecure.app.control.protocol import address_of
from facesecure.domain.errors import ControlError

_MODE = 0o660
_JOIN_SECONDS = 1.0
_ACCEPT_PAUSE = 0.2
_PROBE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Service(Protocol):
    """What a ``Listener`` does with a connection; it closes the connection afterwards."""

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Answer ``peer``, on a thread of its own. OSError says that the peer is gone."""

    def refuse(self, connection: socket.socket, peer: Peer, why: str) -> None:
        """Tell ``peer`` that it may not connect, ``why``; empty: too many are being served. Must be quick."""


class Listener(AbstractContextManager["Listener"]):
    """Listens at ``path`` while its ``with`` block runs.

    Example::

        with Listener(service, state_dir / "control.sock", group="facesecure", most=8, name="control"):
            ...
    """

    def __init__(
        self,
        service: Service,
        path: Path,
        *,
        group: str,
        most: int,
        name: str,
        busy: Callable[[int], int] = lambda threads: threads,
    ) -> None:
        """``group``: its members may connect, beside root and this user. ``most``: connections served at once.

        ``name`` is that of the threads, and of the socket in the log. ``busy`` returns how many of so many connections
        count towards ``most``.
        """
        self._service, self._path, self._group, self._most = service, path, group, most
        self._name, self._busy = name, busy
        self._listener: socket.socket | None = None
        self._inode = 0
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._peers: set[threading.Thread] = set()

    def __enter__(self) -> Listener:
        """Start listening. Raises ControlError if another process listens there, or the socket cannot be made."""
        try:
            self._listener = self._listen()
        except BaseException:
            self._wake.close()
            self._waker.close()
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, and wait a moment for the requests in progress."""
        self._waker.close()
        self._thread.join()
        self._wake.close()
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in list(self._peers):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with address_of(self._path) as address:
                self._clear(address)
                listener.bind(address)
            self._path.chmod(_MODE)
            self._give_to_group()
            self._inode = self._path.stat().st_ino
            listener.listen(4 * self._most)  # until now no one can connect
        except OSError as error:
            listener.close()
            raise ControlError(f"cannot listen at {self._path}: {error.strerror}") from error
        except BaseException:
            listener.close()
            raise
        return listener

    def _clear(self, address: str) -> None:
        """Delete the socket of a killed daemon. Raises ControlError if it is in use, or something else is there."""
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise ControlError(f"{self._path} is not a socket", "move it away")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_PROBE_SECONDS)
            try:
                probe.connect(address)
            except ConnectionRefusedError:
                self._path.unlink()
                return
        raise ControlError(f"another facesecure is listening at {self._path}", "see: facesecure status")

    def _give_to_group(self) -> None:
        """Give the socket to the group, if this user may; the service has that group already."""
        import grp

        with suppress(KeyError, OSError):
            number = grp.getgrnam(self._group).gr_gid
            if self._path.stat().st_gid != number:
                os.chown(self._path, -1, number)

    def _work(self) -> None:
        assert self._listener is not None
        with self._listener, selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not any(key.fileobj is self._wake for key, _ in selector.select()):
                self._accept(self._listener)
            with suppress(OSError):
                if self._path.lstat().st_ino == self._inode:
                    self._path.unlink()

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError as error:  # no file descriptor is left, or the peer gave up
            _log.warning("the %s socket cannot accept a connection: %s", self._name, error)
            time.sleep(_ACCEPT_PAUSE)
            return
        self._peers = {thread for thread in self._peers if thread.is_alive()}
        peer = Peer.of(connection)
        why = peer.refused(self._group)
        if why:
            _log.warning("%s: %s (process %d)", self._name, why, peer.pid)
        if why or self._busy(len(self._peers)) >= self._most:
            with connection, suppress(OSError):
                self._service.refuse(connection, peer, why)
            return
        thread = threading.Thread(target=self._serve, args=(connection, peer), name=f"{self._name}-peer", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the service has as many threads as it may have
            _log.warning("the %s socket cannot answer: %s", self._name, error)
            with connection, suppress(OSError):
                self._service.refuse(connection, peer, "")
            return
        self._peers.add(thread)

    def _serve(self, connection: socket.socket, peer: Peer) -> None:
        with connection, suppress(OSError):
            self._service.serve(connection, peer)
