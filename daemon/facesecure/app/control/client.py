"""A command's end of the control socket: one question, one answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from facesecure.app.control.peer_credentials import GROUP
from facesecure.app.control.protocol import ANSWER_LIMIT, VERSION, address_of, decode, encode, read_line
from facesecure.domain.errors import ControlError, NoDaemonError

SECONDS = 5.0
_PAUSE = 0.05

_HOW_IN = f"use sudo, or join the group and log in again: sudo adduser $USER {GROUP}"


def ask(
    command: str,
    places: Sequence[Path],
    arguments: Mapping[str, Any] | None = None,
    *,
    state_dir: Path | None = None,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """The daemon's result for ``command``, from the first of ``places`` where one listens.

    ``state_dir``: ask only the daemon that has its state there. ``seconds``: how long the answer may take.
    Raises NoDaemonError where there is none, ControlError where it cannot be asked or refuses.
    """
    request: dict[str, Any] = {"version": VERSION, "command": command, **(arguments or {})}
    if state_dir is not None:
        request["state"] = str(state_dir.absolute())
    locked = []
    for place in places:
        try:
            answer = _exchange(place, request, seconds)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            continue
        except PermissionError:
            locked.append(place)
            continue
        except OSError as error:
            raise ControlError(f"the daemon at {place} cannot be asked: {error.strerror or error}") from error
        if not answer.get("elsewhere"):
            return _result(answer)
    if locked:
        raise ControlError(f"you may not control facesecure: {locked[0]} is closed to you", _HOW_IN)
    raise NoDaemonError("facesecure is not running", "start it: sudo systemctl start facesecure")


def _exchange(place: Path, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, address_of(place) as address:
        _connect(connection, address, seconds)
        with suppress(
            BrokenPipeError, ConnectionResetError
        ):  # refused before it was asked: the reason is there to read
            connection.sendall(encode(request))
        try:
            return decode(read_line(connection, ANSWER_LIMIT, seconds))
        except ConnectionResetError:
            raise ControlError(f"the daemon at {place} hung up", "its log says why") from None
        except ControlError as error:
            hint = error.hint or "see: systemctl status facesecure"
            raise ControlError(f"the daemon at {place} gave no answer: {error.message}", hint) from error


def _connect(connection: socket.socket, address: str, seconds: float) -> None:
    """Unlike others, a Unix socket with a timeout does not wait where too many wait already."""
    connection.settimeout(seconds)
    deadline = time.monotonic() + seconds
    while True:
        try:
            return connection.connect(address)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE)


def _result(answer: Mapping[str, Any]) -> dict[str, Any]:
    if answer.get("ok"):
        return dict(answer["result"])
    raise ControlError(str(answer.get("error", "the daemon refused")), answer.get("hint"))
