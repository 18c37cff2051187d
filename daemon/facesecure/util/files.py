"""Durable and atomic file writes.

``write_durably`` is for state that must survive a power cut, ``replace_file`` for files that can be made again.
"""

from __future__ import annotations

import os
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
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        owned_like(temporary, path.parent)
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` in one step: a reader sees the old or the new content. Not flushed to the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def owned_like(path: Path, folder: Path) -> None:
    """If running as root, give ``path`` to the owner of ``folder``, so that the service can use it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Flush the directory entries of ``folder`` to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
