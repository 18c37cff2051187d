"""Define the control socket's protocol, one line of JSON each way, and its place.

A request is ``{"version": 1, "command": NAME, ...}``; an optional ``state`` names the state directory of the daemon
that is meant, and ``behalf`` the user who called sudo, for the audit log. An answer is ``{"version": 1, "ok": true,
"result": {...}}``, or ``{"version": 1, "ok": false, "error": MESSAGE, "hint": REMEDY or null, "elsewhere": true if the
daemon uses another state directory}``.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facesecure.domain.errors import ControlError

VERSION = 1
REQUEST_LIMIT = 64 * 1024
ANSWER_LIMIT = 4 * 1024 * 1024
SOCKET_NAME = "control.sock"
SERVICE_RUNTIME = Path("/run/facesecure")
_VARIABLE = "RUNTIME_DIRECTORY"
_CHUNK = 65536
_MAX_ADDRESS = 100
"""Bytes of a path that certainly fit a socket's address (108 on Linux, with the final zero)."""


def encode(document: Mapping[str, Any]) -> bytes:
    """Return ``document`` as one line. Raises ValueError for numbers that JSON cannot express (NaN, infinity)."""
    return json.dumps(document, allow_nan=False).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Return the JSON object in ``line``. Raises ControlError unless it is one, of this protocol version."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ControlError(f"that is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ControlError("that is not a JSON object")
    if document.get("version") != VERSION:
        raise ControlError(
            f"version {document.get('version')!r} of the control protocol is not supported, {VERSION} is",
            "restart the service after an upgrade: sudo systemctl restart facesecure",
        )
    return document


def read_line(connection: socket.socket, limit: int, seconds: float) -> bytes:
    """Read up to the first end of line. Raises ControlError if that takes over ``limit`` bytes or ``seconds``."""
    return read_head(connection, limit, seconds)[0]


def read_head(connection: socket.socket, limit: int, seconds: float) -> tuple[bytes, bytes]:
    """Read a line as ``read_line`` does; return it, and the beginning of what follows it."""
    deadline, received = time.monotonic() + seconds, bytearray()
    while (end := received.find(b"\n")) < 0:
        if len(received) > limit:
            raise ControlError(f"that line is longer than {limit} bytes")
        try:
            connection.settimeout(time_left(deadline))
            chunk = connection.recv(_CHUNK)
        except TimeoutError:
            raise ControlError(f"no complete line arrived within {seconds:g} s") from None
        if not chunk:
            raise ControlError("the other side closed the connection")
        received += chunk
    if end > limit:
        raise ControlError(f"that line is longer than {limit} bytes")
    return bytes(received[:end]), bytes(received[end + 1 :])


def time_left(deadline: float) -> float:
    """Return the seconds until ``deadline``. Raises TimeoutError when it is over, also for a peer that trickles."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def success(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a command that succeeded."""
    return {"version": VERSION, "ok": True, "result": result}


def failure(error: str, hint: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the answer to a command that failed with the message ``error`` and the remedy ``hint``."""
    return {"version": VERSION, "ok": False, "error": error, "hint": hint, **more}


def own_place(state_dir: Path) -> Path:
    """Return the socket on which a daemon with ``state_dir`` listens."""
    runtime = os.environ.get(_VARIABLE, "").split(":")[0]
    return (Path(runtime) if runtime else state_dir) / SOCKET_NAME


def likely_places(state_dir: Path | None) -> list[Path]:
    """Return the sockets on which a daemon may listen, the likeliest first; ``state_dir`` is None if not known."""
    own = [] if state_dir is None else [own_place(state_dir), state_dir / SOCKET_NAME]
    return list(dict.fromkeys([*own, SERVICE_RUNTIME / SOCKET_NAME]))


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Yield ``path`` in a form that fits a socket's address, however long it is."""
    if len(os.fsencode(path)) <= _MAX_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
