"""Answer commands on the control socket.

One thread accepts connections, and each is served by a thread of its own for one request; a peer that sends nothing,
or too much, is disconnected. Nothing that a peer does delays a frame.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from facesecure.app.control.peer_credentials import GROUP, Peer
from facesecure.app.control.protocol import (
    REQUEST_LIMIT,
    address_of,
    decode,
    encode,
    failure,
    own_place,
    read_line,
    success,
)
from facesecure.domain.actors import acting
from facesecure.domain.errors import ControlError, FacesecureError, did_you_mean
from facesecure.util.redaction import redact

Handler = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Takes the whole request and returns the result. Raises FacesecureError, whose message and hint are the answer."""

_MAX_PEERS = 8
_MODE = 0o660
_JOIN_SECONDS = 1.0
_ACCEPT_PAUSE = 0.2
_GET_ACCESS = "use sudo, or join the group and log in again: sudo adduser $USER facesecure"

_log = logging.getLogger(__name__)


class ControlServer(AbstractContextManager["ControlServer"]):
    """Listens at ``path`` while its ``with`` block runs, and passes each request to the handler of its command.

    Example::

        with ControlServer({"ping": lambda request: {}}, state_dir / "control.sock"):
            ...
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        path: Path,
        *,
        state_dir: Path | None = None,
        group: str = GROUP,
        timeout: float = 2.0,
    ) -> None:
        """Serve ``handlers``, by command, at ``path``.

        ``state_dir``: the state directory of this daemon. ``group``: its members may send commands, beside root and
        the daemon's user. ``timeout``: seconds that a peer may take to send its request, and again to read the answer.
        """
        self._handlers, self._path, self._group, self._timeout = dict(handlers), path, group, timeout
        self._state = None if state_dir is None else str(state_dir.absolute())
        self._listener: socket.socket | None = None
        self._inode = 0
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._work, name="control", daemon=True)
        self._peers: set[threading.Thread] = set()

    def __enter__(self) -> ControlServer:
        """Start listening. Raises ControlError if another daemon listens there, or the socket cannot be made."""
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
        for thread in list(self._peers):
            thread.join(_JOIN_SECONDS)

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with address_of(self._path) as address:
                self._clear(address)
                listener.bind(address)
            self._path.chmod(_MODE)
            self._give_to_group()
            self._inode = self._path.stat().st_ino
            listener.listen(4 * _MAX_PEERS)  # until now no one can connect
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
            probe.settimeout(self._timeout)
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
            _log.warning("the control socket cannot accept a connection: %s", error)
            time.sleep(_ACCEPT_PAUSE)
            return
        self._peers = {thread for thread in self._peers if thread.is_alive()}
        if refusal := self._refusal(connection):
            with connection:
                self._answer(connection, encode(refusal))
            return
        thread = threading.Thread(target=self._serve, args=(connection,), name="control-peer", daemon=True)
        self._peers.add(thread)
        thread.start()

    def _refusal(self, connection: socket.socket) -> dict[str, Any] | None:
        peer = Peer.of(connection)
        if why := peer.refused(self._group):
            _log.warning("control: %s (process %d)", why, peer.pid)
            return failure(why, _GET_ACCESS)
        if len(self._peers) >= _MAX_PEERS:
            return failure(f"{_MAX_PEERS} commands are being answered already", "try again in a moment")
        return None

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                line = read_line(connection, REQUEST_LIMIT, self._timeout)
                answer = encode(self._reply(line, Peer.of(connection)))
            except OSError:
                return  # the peer is gone
            except FacesecureError as error:
                answer = encode(failure(error.message, error.hint))
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is the answer
                _log.exception("a control command failed")
                what = redact(f"{type(error).__name__}: {error}")
                answer = encode(failure(what, "this is a bug; the daemon's log has more"))
            self._answer(connection, answer)

    def _reply(self, line: bytes, peer: Peer) -> dict[str, Any]:
        request = decode(line)
        if self._state is not None and request.get("state", self._state) != self._state:
            return failure(f"this facesecure uses the state directory {self._state}", elsewhere=True)
        command = str(request.get("command"))
        handler = self._handlers.get(command)
        if handler is None:
            hint = did_you_mean(command, self._handlers) or f"there are: {', '.join(sorted(self._handlers))}"
            return failure(f"there is no command {command!r}", hint)
        with acting(peer.actor(request.get("behalf"))):
            return success(handler(request))

    def _answer(self, connection: socket.socket, answer: bytes) -> None:
        connection.settimeout(self._timeout)
        with suppress(OSError):
            connection.sendall(answer)


@contextmanager
def serve_control(handlers: Mapping[str, Handler], state_dir: Path, named: Path | None = None) -> Iterator[None]:
    """Answer commands at the socket of the daemon with ``state_dir``; if that is impossible, log it and go on.

    ``named``: the configured state directory, where ``state_dir`` is a copy of it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(ControlServer(handlers, own_place(state_dir), state_dir=named or state_dir))
        except ControlError as error:
            _log.error("facesecure arm, status and drill will not work: %s", error)
        yield
