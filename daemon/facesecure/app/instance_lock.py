"""Allow one daemon per state directory: two would compete for the camera and send every alert twice."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.util.files import open_own, owned_like

LOCK_NAME = "daemon.lock"
_PLANTED = (errno.ELOOP, errno.EMLINK, errno.EINVAL, errno.EISDIR, errno.ENXIO)
_NOT_WRITABLE = (errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)

_held: set[int] = set()


@contextmanager
def instance_lock(state_dir: Path) -> Iterator[None]:
    """Lock ``state_dir`` for this process, creating it if missing; the kernel releases the lock when the process ends.

    Only daemons take the lock: other commands work beside one. Raises StoreError, which names the process that holds
    the lock.
    """
    descriptor = _open_lock(state_dir)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise StoreError(
            f"facesecure is already running with {state_dir} (process {holder or 'unknown'})",
            "see: systemctl status facesecure; or give this one another state directory: --state-dir DIR",
        ) from None
    _held.add(descriptor)
    try:
        with suppress(OSError):  # on a full disk the number is missing; what needs more space reports that better
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def _release_in_child() -> None:
    """Close the locks in a child that a plugin forked: they would be held until that child ends too."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_release_in_child)


def _open_lock(state_dir: Path) -> int:
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = open_own(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT)
        owned_like(state_dir / LOCK_NAME, state_dir)
    except OSError as error:
        if error.errno in _NOT_WRITABLE and state_dir.is_dir():
            return _open_read_only(state_dir)
        if error.errno in _PLANTED:
            raise StoreError(
                f"{state_dir / LOCK_NAME} is a link or no regular file ({error.strerror})",
                "facesecure did not make it: find out who did, and delete it",
            ) from error
        hint = "choose a folder that can be written: --state-dir DIR or FACESECURE_STATE_DIR"
        raise StoreError(f"cannot use {state_dir} as the state directory: {error.strerror}", hint) from error
    return descriptor


def _open_read_only(state_dir: Path) -> int:
    """Open an earlier daemon's lock file, or the directory itself: a lock needs no write access."""
    try:
        return open_own(state_dir / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        return os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
