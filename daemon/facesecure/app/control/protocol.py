"""What goes over the control socket: one line of JSON there, one back.

A request is ``{"version": 1, "command": NAME, ...}``; ``state``, where it is given, is the state directory that is
meant. An answer is ``{"version": 1, "ok": true, "result": {...}}``, or ``{"version": 1, "ok": false, "error": WHAT,
"hint": WHAT TO DO or null, "elsewhere": true where another state directory was meant}``.
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
_CHUNK = 65536


def encode(document: Mapping[str, Any]) -> bytes:
    """One line; numbers that JSON has no word for are refused with ValueError."""
    return json.dumps(document, allow_nan=False).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Raises ControlError unless it is an object of a version we speak."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ControlError(f"that is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ControlError("that is not a JSON object")
    if document.get("version") != VERSION:
        raise ControlError(
            f"version {document.get('version')!r} of the control protocol is not spoken here, {VERSION} is",
            "restart the service after an upgrade: sudo systemctl restart facesecure",
        )
    return document


def read_line(connection: socket.socket, limit: int, seconds: float) -> bytes:
    """Everything up to the first line's end. Raises ControlError where it is too long, too slow, or cut short."""
    deadline, received = time.monotonic() + seconds, bytearray()
    while (end := received.find(b"\n")) < 0:
        if len(received) > limit:
            raise ControlError(f"that line is longer than {limit} bytes")
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            chunk = connection.recv(_CHUNK)
        except TimeoutError:
            raise ControlError(f"no whole line came within {seconds:g} s") from None
        if not chunk:
            raise ControlError("the other side hung up")
        received += chunk
    if end > limit:
        raise ControlError(f"that line is longer than {limit} bytes")
    return bytes(received[:end])


def success(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": VERSION, "ok": True, "result": result}


def failure(error: str, hint: str | None = None, **more: Any) -> dict[str, Any]:
    return {"version": VERSION, "ok": False, "error": error, "hint": hint, **more}


SOCKET_NAME = "control.sock"
SERVICE_RUNTIME = Path("/run/facesecure")
_VARIABLE = "RUNTIME_DIRECTORY"
_LONGEST = 100
"""Bytes of a path that surely fit a socket's address (108 on Linux, with its end)."""


def own_place(state_dir: Path) -> Path:
    """Where a daemon with ``state_dir`` listens."""
    runtime = os.environ.get(_VARIABLE, "").split(":")[0]
    return (Path(runtime) if runtime else state_dir) / SOCKET_NAME


def likely_places(state_dir: Path | None) -> list[Path]:
    """Where a daemon with ``state_dir`` may be found, the likeliest first. None: that directory is not known."""
    own = [] if state_dir is None else [own_place(state_dir), state_dir / SOCKET_NAME]
    return list(dict.fromkeys([*own, SERVICE_RUNTIME / SOCKET_NAME]))


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """``path`` in a form that fits a socket's address, however long it is."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
