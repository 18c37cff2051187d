"""Answer commands on the control socket.

Each connection is for one request; a peer that sends nothing, or too much, is disconnected.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from facesecure.app.control.listener import Listener
from facesecure.app.control.peer_credentials import GROUP, Peer
from facesecure.app.control.protocol import (
    REQUEST_LIMIT,
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
_GET_ACCESS = "use sudo, or join the group and log in again: sudo adduser $USER facesecure"

_log = logging.getLogger(__name__)


class ControlServer(Listener):
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
        super().__init__(_Commands(handlers, state_dir, timeout), path, group=group, most=_MAX_PEERS, name="control")


class _Commands:
    """Answers one request of each connection."""

    def __init__(self, handlers: Mapping[str, Handler], state_dir: Path | None, timeout: float) -> None:
        self._handlers, self._timeout = dict(handlers), timeout
        self._state = None if state_dir is None else str(state_dir.absolute())

    def refuse(self, connection: socket.socket, _: Peer, why: str) -> None:
        """Say why, or that too many commands are being answered."""
        busy = failure(f"{_MAX_PEERS} commands are being answered already", "try again in a moment")
        self._answer(connection, encode(failure(why, _GET_ACCESS) if why else busy))

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Read a request and answer it."""
        try:
            answer = encode(self._reply(read_line(connection, REQUEST_LIMIT, self._timeout), peer))
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
