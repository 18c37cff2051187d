"""Answer the page's socket: one request for each connection, with limits of size, time and number.

Calls that wait for something to happen are counted apart from the others, so that any number of open pages does not
keep one from disarming.
"""

from __future__ import annotations

import json
import logging
import select
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from facesecure.app.control.listener import Listener
from facesecure.app.control.peer_credentials import Peer
from facesecure.app.control.protocol import read_head
from facesecure.app.web_api.guard import Admitted, Guard
from facesecure.app.web_api.places import GROUP, own_place
from facesecure.app.web_api.protocol import ANSWER_BODY_LIMIT, ANSWER_LINE_LIMIT, LINE_LIMIT, VERSION, Refusal
from facesecure.app.web_api.request import Request, discard, read_body
from facesecure.app.web_api.verb import Answer, Refused
from facesecure.domain.errors import ControlError

MOST_CALLS = 48
"""Calls that are answered at once, without those that wait. The service may have 256 threads in all (``TasksMax=``)."""
MOST_WAITING = 72
"""Calls that wait at once: ten browsers with several tabs."""
MOST_WAITING_EACH = 24
"""Of those, in one session; and of everybody who has none."""
_MOST_BODIES = 2
"""Bodies that are held in memory at once."""
_DISCARD_SECONDS = 2.0
_BODY_TIMES = 5
"""A body may take so many times as long as a line."""
_LARGE = 1024 * 1024
"""Bytes of an answer above which it counts as large; those are held in memory until the peer has read them."""
_MOST_LARGE = 4
"""Large answers that are sent at once."""
_SEND_SECONDS = 30.0
"""How long the peer may take to read the line of an answer, and each ``_LARGE`` bytes of its body."""

_log = logging.getLogger(__name__)


class WebServer(Listener):
    """Listens at ``path`` while its ``with`` block runs, and answers what ``guard`` admits.

    Example::

        with WebServer(guard, own_place(state_dir)):
            ...
    """

    def __init__(self, guard: Guard, path: Path, *, group: str = GROUP, timeout: float = 2.0) -> None:
        """``group``: its members may connect. ``timeout``: seconds that the line of a request may take."""
        self._calls = calls = _Calls(guard, timeout)
        super().__init__(calls, path, group=group, most=MOST_CALLS, name="page", busy=lambda all_: all_ - calls.waiting)

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a change."""
        return self._calls.waiting


class _Calls:
    """Answers one request of each connection."""

    def __init__(self, guard: Guard, timeout: float) -> None:
        self._guard, self._timeout = guard, timeout
        self._bodies = threading.BoundedSemaphore(_MOST_BODIES)
        self._large = threading.BoundedSemaphore(_MOST_LARGE)
        self._lock = threading.Lock()
        self.waiting = 0
        self._waiting_each = Counter[str]()

    def refuse(self, connection: socket.socket, _: Peer, why: str) -> None:
        """Say why, or that too much is being answered, without waiting for the peer."""
        refused = Refused(Refusal.FAILED, why, f"add the user of the web server to the group {GROUP}")
        connection.settimeout(0.0)
        connection.sendall(_refusal(refused if why else _busy()))

    def serve(self, connection: socket.socket, peer: Peer) -> None:  # noqa: ARG002
        """Read a request and answer it; what a refused peer still sends is read and forgotten."""
        left = 0
        try:
            line, beginning = self._head(connection)
            request = Request.parse(line)
            left = request.body - len(beginning)
            answer = self._answered(connection, self._guard.admit(request), beginning)
            left = 0
            self._send(connection, _encoded(answer), answer.body)
        except Refused as error:
            self._send(connection, _refusal(error))
        if left > 0:
            connection.shutdown(socket.SHUT_WR)
            discard(connection, left, _DISCARD_SECONDS)

    def _send(self, connection: socket.socket, line: bytes, body: bytes = b"") -> None:
        """Send an answer. Raises Refused, before the first byte, while too many large ones are being sent."""
        large = len(body) > _LARGE
        if large and not self._large.acquire(blocking=False):
            raise _busy()
        try:
            connection.settimeout(_SEND_SECONDS)
            connection.sendall(line)
            for start in range(0, len(body), _LARGE):
                connection.sendall(memoryview(body)[start : start + _LARGE])
        finally:
            if large:
                self._large.release()

    def _head(self, connection: socket.socket) -> tuple[bytes, bytes]:
        try:
            return read_head(connection, LINE_LIMIT, self._timeout)
        except ControlError as error:
            raise Refused(Refusal.INVALID, error.message) from error

    def _answered(self, connection: socket.socket, admitted: Admitted, beginning: bytes) -> Answer:
        size = admitted.request.body
        if not size:
            with self._counted(admitted):
                return self._guard.answer(admitted, gone=lambda: _is_gone(connection))
        if not self._bodies.acquire(timeout=_BODY_TIMES * self._timeout):
            raise _busy()
        try:
            body = read_body(connection, size, _BODY_TIMES * self._timeout, beginning)
            return self._guard.answer(admitted, body)
        finally:
            self._bodies.release()

    @contextmanager
    def _counted(self, admitted: Admitted) -> Iterator[None]:
        """Count a call that waits apart from the others while the block runs. Raises Refused if there are too many."""
        if not admitted.verb.waits:
            yield
            return
        who = admitted.session.identifier if admitted.session else ""
        with self._lock:
            if self.waiting >= MOST_WAITING or self._waiting_each[who] >= MOST_WAITING_EACH:
                raise _busy()
            self._count(who, 1)
        try:
            yield
        finally:
            with self._lock:
                self._count(who, -1)

    def _count(self, who: str, calls: int) -> None:
        self.waiting += calls
        self._waiting_each[who] += calls
        self._waiting_each += Counter()  # forgets those of whom no call waits


def _is_gone(connection: socket.socket) -> bool:
    """Return whether the peer has closed its end; at once, whatever the connection's timeout."""
    readable = select.poll()
    readable.register(connection, select.POLLIN)
    if not readable.poll(0):
        return False
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def _busy() -> Refused:
    return Refused(Refusal.BUSY, "the daemon is answering too much already", "try again in a moment", seconds=1.0)


def _encoded(answer: Answer) -> bytes:
    """Return the line of ``answer``. Raises Refused if it is too large, or not JSON."""
    document = {"version": VERSION, "ok": True, "result": dict(answer.result), "body": len(answer.body)}
    try:
        line = _line(document)
    except (TypeError, ValueError) as error:
        _log.exception("page: an answer cannot be written as JSON; please report it")
        raise Refused(Refusal.FAILED, "that did not work, by a mistake in facesecure") from error
    if len(line) > ANSWER_LINE_LIMIT or len(answer.body) > ANSWER_BODY_LIMIT:
        _log.error("page: an answer of %d and %d bytes is too large", len(line), len(answer.body))
        raise Refused(Refusal.FAILED, "that is too much for one answer", "ask for less at a time")
    return line


def _refusal(error: Refused) -> bytes:
    return _line(
        {
            "version": VERSION,
            "ok": False,
            "kind": error.kind.value,
            "error": error.message,
            "hint": error.hint,
            "field": error.argument,
            "seconds": error.seconds,
        }
    )


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, allow_nan=False).encode() + b"\n"


@contextmanager
def serve_page(guard: Guard, state_dir: Path) -> Iterator[None]:
    """Answer the page at the socket of the daemon with ``state_dir``; if that is impossible, log it and go on."""
    with ExitStack() as stack:
        try:
            stack.enter_context(WebServer(guard, own_place(state_dir)))
        except ControlError as error:
            _log.error("the page will not work: %s", error)
        yield
