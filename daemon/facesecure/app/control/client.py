"""Send one command to the running daemon and read its result."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from facesecure.app.control.peer_credentials import GROUP
from facesecure.app.control.protocol import ANSWER_LIMIT, VERSION, address_of, decode, encode, read_line
from facesecure.domain.actors import current_actor, user_name
from facesecure.domain.errors import ControlError, NoDaemonError

SECONDS = 5.0
_PAUSE = 0.05

_GET_ACCESS = f"use sudo, or join the group and log in again: sudo adduser $USER {GROUP}"


def ask(
    command: str,
    places: Sequence[Path],
    arguments: Mapping[str, Any] | None = None,
    *,
    state_dir: Path | None = None,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Return the daemon's result for ``command``, from the first socket of ``places`` that answers.

    ``state_dir``: only accept the daemon that uses this state directory. ``seconds``: how long the answer may take.
    Raises NoDaemonError if none is running, ControlError if it cannot be reached or refuses. Example::

        ask("arm", likely_places(state_dir), {"mode": "away"})["warning"]
    """
    request: dict[str, Any] = {"version": VERSION, "command": command, **(arguments or {})}
    if (actor := current_actor().name) != user_name(os.getuid()):
        request["behalf"] = actor
    if state_dir is not None:
        request["state"] = str(state_dir.absolute())
    forbidden = []
    for place in places:
        try:
            answer = _exchange(place, request, seconds)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            continue
        except PermissionError:
            forbidden.append(place)
            continue
        except OSError as error:
            raise ControlError(f"cannot connect to the daemon at {place}: {error.strerror or error}") from error
        if not answer.get("elsewhere"):
            return _result(answer)
    if forbidden:
        raise ControlError(f"you may not control facesecure: no permission for {forbidden[0]}", _GET_ACCESS)
    raise NoDaemonError("facesecure is not running", "start it: sudo systemctl start facesecure")


def _exchange(place: Path, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, address_of(place) as address:
        _connect(connection, address, seconds)
        # a peer that was refused on connecting still finds the reason to read
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(encode(request))
        try:
            return decode(read_line(connection, ANSWER_LIMIT, seconds))
        except ConnectionResetError:
            raise ControlError(f"the daemon at {place} closed the connection", "its log says why") from None
        except ControlError as error:
            hint = error.hint or "see: systemctl status facesecure"
            raise ControlError(f"the daemon at {place} gave no answer: {error.message}", hint) from error


def _connect(connection: socket.socket, address: str, seconds: float) -> None:
    """Connect within ``seconds``; a Unix socket with a timeout does not itself wait for a full backlog."""
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
