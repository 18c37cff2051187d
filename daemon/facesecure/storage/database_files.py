"""The files of a database before it is opened: folder and file are made with their permissions, and all are regular."""

from __future__ import annotations

import os
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.util.files import owned_like

OWNER_HINT = "check who owns the state directory, or choose another: --state-dir DIR"


def made_folder(state_dir: Path) -> Path:
    """Return the state directory, made (0700) if it is not there. Raises StoreError if it cannot be."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        hint = "choose a folder that can be written: --state-dir DIR or FACESECURE_STATE_DIR"
        raise StoreError(f"cannot use {state_dir} as the state directory: {error.strerror}", hint) from error
    return state_dir


def make_private_file(path: Path) -> None:
    """Make sure that ``path`` is a file with read and write access; a new one gets mode 0600. Raises StoreError.

    An existing database is never opened here: closing any descriptor of it would release the locks that SQLite
    holds on it for this process (POSIX locks belong to the process, not to the descriptor).
    """
    require_files(path)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        owned_like(path, path.parent)
    except FileExistsError:
        if path.is_dir():
            raise StoreError(
                f"{path} is a folder, not a database", "move it away, or choose another: --state-dir DIR"
            ) from None
        if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
            raise StoreError(f"cannot write {path}", OWNER_HINT) from None
    except OSError as error:
        raise StoreError(f"cannot make {path}: {error.strerror}", OWNER_HINT) from error


def require_files(path: Path) -> None:
    """Raise StoreError if the database at ``path``, or a file beside it, is a pipe or device: SQLite waits for it."""
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        if file.exists() and not file.is_file() and not file.is_dir():
            raise StoreError(
                f"{file} is no regular file", "facesecure did not make it: find out who did, and delete it"
            )
