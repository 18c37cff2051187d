"""One daemon a state directory: two would both open the camera, and say everything twice."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.util.files import owned_like

LOCK_NAME = "daemon.lock"
_WORN = (errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)


@contextmanager
def instance_lock(state_dir: Path) -> Iterator[None]:
    """Hold ``state_dir``, made where it is missing, for this process; the system lets go of it however we end.

    Other commands do not ask for it: they work beside a daemon. Raises StoreError, which names the other process.
    """
    descriptor = _opened(state_dir)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise StoreError(
            f"facesecure already watches with {state_dir} (process {holder or 'unknown'})",
            "see: systemctl status facesecure; or give this one a state of its own: --state-dir DIR",
        ) from None
    try:
        with suppress(OSError):  # on a full disk the number is missing, and what needs more room says so better
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _opened(state_dir: Path) -> int:
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        owned_like(state_dir / LOCK_NAME, state_dir)
    except OSError as error:
        if error.errno in _WORN and state_dir.is_dir():
            return _readable(state_dir)
        hint = "choose a folder that can be written: --state-dir DIR or FACESECURE_STATE_DIR"
        raise StoreError(f"cannot use {state_dir} as the state directory: {error.strerror}", hint) from error
    return descriptor


def _readable(state_dir: Path) -> int:
    """A lock needs nothing written: the file of an earlier daemon will do, or the folder itself."""
    try:
        return os.open(state_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
