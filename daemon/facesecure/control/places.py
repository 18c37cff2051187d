"""Where the control socket lies: in the runtime directory that systemd gives a service, else in the state directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
