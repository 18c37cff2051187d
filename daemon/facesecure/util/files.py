"""Durable and atomic file writes, and files opened so that nothing planted in their folder leads elsewhere.

``write_durably`` is for state that must survive a power cut, ``replace_file`` for files that can be made again.
Whoever can write to a folder can put a link, a pipe or a hard link where a file is expected. So a new file is created
exclusively, links are not followed when a file is opened to be written or locked, and only regular files are opened.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def make_private_folders(root: Path, folder: Path) -> None:
    """Create ``folder`` and its missing parents below ``root``, each with mode 0700 and flushed to the disk."""
    if folder == root or folder.is_dir():
        return
    make_private_folders(root, folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    owned_like(folder, folder.parent)
    sync_folder(folder.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` (0600) in one step: after a power cut, either the old or the new content is there.

    Raises OSError and leaves ``path`` as it was.

    Example::

        write_durably(state_dir / "arming.json", json.dumps(document).encode())
    """
    temporary = draft_of(path)
    try:
        with os.fdopen(create_file(temporary), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        owned_like(temporary, path.parent)
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write ``data`` to ``path`` in one step: a reader sees the old or the new content. Not flushed to the disk.

    The file has ``mode`` less the umask.
    """
    temporary = draft_of(path)
    try:
        with os.fdopen(create_file(temporary, mode), "wb") as file:
            file.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def draft_of(path: Path) -> Path:
    """Return where this process writes the next content of ``path``."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def create_file(path: Path, mode: int = 0o600) -> int:
    """Create ``path``, in place of what has that name, and return a descriptor to read and write it.

    A link of that name is removed, never followed. Raises FileExistsError if another takes the name meanwhile.
    """
    path.unlink(missing_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)


def open_own(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open ``path`` with ``flags``, to write or to lock it, and return the descriptor.

    Never waits. Raises OSError if it is a link (ELOOP), has a second name (EMLINK) or is no regular file (EINVAL).
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    try:
        _check_regular(descriptor, path)
        if os.fstat(descriptor).st_nlink > 1:
            raise OSError(errno.EMLINK, "the file has a second name (hard link)", str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: Path) -> bytes:
    """Return the content of ``path``; links are followed. Raises OSError (EINVAL) at once if it is no regular file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(descriptor, path)
        return file.read()


def owned_like(path: Path, folder: Path) -> None:
    """If running as root, give ``path`` to the owner of ``folder``, so that the service can use it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def sync_folder(folder: Path) -> None:
    """Flush the directory entries of ``folder`` to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_regular(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
