"""The daemon's end of the control socket.

One thread waits for callers, and each caller gets a thread for as long as its one question takes; a caller who says
nothing, or too much, is cut off. What callers do never reaches the frames.
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
from facesecure.domain.errors import ControlError, FacesecureError, did_you_mean

Handler = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Gets the whole request, returns the result; raises FacesecureError with what went wrong and what to do."""

_CALLERS = 8
_MODE = 0o660
_JOIN_SECONDS = 1.0
_BREATH = 0.2
_REFUSED = "use sudo, or join the group and log in again: sudo adduser $USER facesecure"

_log = logging.getLogger(__name__)


class ControlServer(AbstractContextManager["ControlServer"]):
    """Listens at ``path`` between ``enter`` and ``exit``, and gives each request to the handler of its command."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        path: Path,
        *,
        state_dir: Path | None = None,
        group: str = GROUP,
        patience: float = 2.0,
    ) -> None:
        """``state_dir``: whose daemon this is. ``group``: who may ask beside root and ourselves.

        ``patience``: seconds that a caller may take to say what they want, and then to listen.
        """
        self._handlers, self._path, self._group, self._patience = dict(handlers), path, group, patience
        self._state = None if state_dir is None else str(state_dir.absolute())
        self._listener: socket.socket | None = None
        self._inode = 0
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._work, name="control", daemon=True)
        self._callers: set[threading.Thread] = set()

    def __enter__(self) -> ControlServer:
        """Raises ControlError where another daemon listens there, or nobody can."""
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
        self._waker.close()
        self._thread.join()
        self._wake.close()
        for caller in list(self._callers):
            caller.join(_JOIN_SECONDS)

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with address_of(self._path) as address:
                self._clear(address)
                listener.bind(address)
            self._path.chmod(_MODE)
            self._give_to_group()
            self._inode = self._path.stat().st_ino
            listener.listen(4 * _CALLERS)  # only now can anybody connect
        except OSError as error:
            listener.close()
            raise ControlError(f"cannot listen at {self._path}: {error.strerror}") from error
        except BaseException:
            listener.close()
            raise
        return listener

    def _clear(self, address: str) -> None:
        """Take away what a killed daemon left. Raises ControlError where it is no such thing."""
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise ControlError(f"{self._path} is in the way: it is no socket", "move it away")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(self._patience)
            try:
                probe.connect(address)
            except ConnectionRefusedError:
                self._path.unlink()
                return
        raise ControlError(f"another facesecure listens at {self._path}", "see: facesecure status")

    def _give_to_group(self) -> None:
        """Let the group in. Nothing to do for the service itself, whose group it is; others may not, and need not."""
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
        except OSError as error:  # out of file handles, or the caller gave up
            _log.warning("nobody can ask now: %s", error)
            time.sleep(_BREATH)
            return
        self._callers = {caller for caller in self._callers if caller.is_alive()}
        if refusal := self._refusal(connection):
            with connection:
                self._answer(connection, encode(refusal))
            return
        caller = threading.Thread(target=self._serve, args=(connection,), name="control-caller", daemon=True)
        self._callers.add(caller)
        caller.start()

    def _refusal(self, connection: socket.socket) -> dict[str, Any] | None:
        peer = Peer.of(connection)
        if why := peer.refused(self._group):
            _log.warning("control: %s (process %d)", why, peer.pid)
            return failure(why, _REFUSED)
        if len(self._callers) >= _CALLERS:
            return failure(f"{_CALLERS} others are asking already", "try again in a moment")
        return None

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                answer = encode(self._reply(read_line(connection, REQUEST_LIMIT, self._patience)))
            except OSError:
                return  # the caller is gone
            except FacesecureError as error:
                answer = encode(failure(error.message, error.hint))
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, the caller is told
                _log.exception("a control command failed")
                what = f"{type(error).__name__}: {error}"
                answer = encode(failure(what, "this is a bug; the daemon's log has more"))
            self._answer(connection, answer)

    def _reply(self, line: bytes) -> dict[str, Any]:
        request = decode(line)
        if self._state is not None and request.get("state", self._state) != self._state:
            return failure(f"this facesecure has its state in {self._state}", elsewhere=True)
        command = str(request.get("command"))
        handler = self._handlers.get(command)
        if handler is None:
            hint = did_you_mean(command, self._handlers) or f"there are: {', '.join(sorted(self._handlers))}"
            return failure(f"there is no command {command!r}", hint)
        return success(handler(request))

    def _answer(self, connection: socket.socket, answer: bytes) -> None:
        connection.settimeout(self._patience)
        with suppress(OSError):
            connection.sendall(answer)


@contextmanager
def serve_control(handlers: Mapping[str, Handler], state_dir: Path, named: Path | None = None) -> Iterator[None]:
    """Answer callers at this daemon's own place. A door is watched even where that cannot be: then the log says so.

    ``named``: what callers call the state directory, where ``state_dir`` stands in for it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(ControlServer(handlers, own_place(state_dir), state_dir=named or state_dir))
        except ControlError as error:
            _log.error("facesecure arm and status will not work: %s", error)
        yield
