"""."""

from __future__ import annotations

import os
from pathlib import Path


def make_private_folders(root: Path, folder: Path) -> None:
    """Make ``folder`` and what is missing between it and ``root``, each for the owner only, each on the disk."""
    if folder == root or folder.is_dir():
        return
    make_private_folders(root, folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    owned_like(folder, folder.parent)
    sync_folder(folder.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` (0600) so that it is all there or not at all, even after a power cut."""
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


def owned_like(path: Path, folder: Path) -> None:
    """What root makes in somebody's folder is theirs: the service must be able to use it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
