"""Run from memory when the state directory cannot be written: on a failed SD card, or a disk that stays full.

What the daemon needs is copied into a folder in memory that only its owner can read (0700), as encrypted as it was, and
the daemon works there. What happens from then on is lost when it stops; earlier snapshots are not copied. Only ``run``
does this: other commands would report changes that do not last.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from facesecure.alerts.speech.cache import FOLDER as SPEECH
from facesecure.app.instance_lock import LOCK_NAME, instance_lock
from facesecure.config import StoreConfig
from facesecure.domain.errors import StoreError
from facesecure.storage import disk_space
from facesecure.storage.audit_log import LOG_NAME as AUDIT_LOG
from facesecure.storage.backups import FOLDER as BACKUPS
from facesecure.storage.backups import Backups, damage
from facesecure.storage.secret_files import FOLDER as HUB
from facesecure.storage.store import DATABASE_NAME

LINKED = ("models",)
"""Folders that are only read: the copy links to them."""
COPIED = (SPEECH, "google_home", HUB)
SPARE = 32_000_000
"""Bytes of memory beside the copies, for what the daemon writes until the disk is repaired."""
_MAX_FILE = 1_000_000
"""Bytes of the largest file that is copied; only the database and the audit log may be larger."""
_PERMANENT = (*disk_space.FULL, errno.EROFS, errno.EIO)
"""Errors that no change of permissions repairs."""
_SNAPSHOT_MB = 16.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StateLocation:
    """The state directory as configured (``named``) and the one in use (``path``), which may be a copy in memory.

    ``complaint`` says why they differ, empty if they do not. ``freed``: bytes of old files that were deleted to start
    on a full disk.
    """

    named: Path
    path: Path
    complaint: str = ""
    freed: int = 0

    def limits(self, config: StoreConfig) -> StoreConfig:
        """Return ``config`` with limits that fit here: memory holds fewer snapshots than a disk."""
        if not self.complaint:
            return config
        return config.model_copy(update={"max_snapshot_mb": min(config.max_snapshot_mb or _SNAPSHOT_MB, _SNAPSHOT_MB)})


@contextmanager
def writable_state(state_dir: Path) -> Iterator[StateLocation]:
    """Yield ``state_dir`` if it can be written, else a copy of it in memory, which is deleted on exit.

    The caller must hold the ``instance_lock`` of ``state_dir``. Raises StoreError if no folder in memory has enough
    space.
    """
    database = state_dir / DATABASE_NAME
    freed = disk_space.free_space(database) if database.exists() else 0
    error = _permanent_error(state_dir)
    if error is None:
        yield StateLocation(state_dir, state_dir, freed=freed)
        return
    why = f"facesecure cannot write its state in {state_dir} ({error.strerror})"
    with ExitStack() as stack:
        copy = stack.enter_context(_copied(state_dir, why))
        _log.critical("%s: running from a copy in memory; what happens now is lost when it stops", why)
        yield StateLocation(state_dir, copy, f"{why}; what happens now is lost when it stops")


def _permanent_error(state_dir: Path) -> OSError | None:
    """Return the error that permanently prevents writing; None if there is none, or no database to protect."""
    if not (state_dir / DATABASE_NAME).exists():
        return None
    error = disk_space.write_error(state_dir)
    return error if error is not None and error.errno in _PERMANENT else None


@contextmanager
def _copied(state_dir: Path, why: str) -> Iterator[Path]:
    needed = sum(path.stat().st_size for path in _files(state_dir)) + SPARE
    for parent in _memory_folders():
        folder = parent / _name(state_dir)
        try:
            if shutil.disk_usage(parent).free < needed:
                continue
            _clear(folder)
            folder.mkdir(mode=0o700)
            break
        except OSError as error:
            _log.debug("%s cannot hold the copy: %s", parent, error)
    else:
        raise StoreError(f"{why}, and no folder in memory has {needed / 1e6:.0f} MB free", "check the disk or the card")
    try:
        with instance_lock(folder):
            _copy(state_dir, folder)
            yield folder
    finally:
        _clear(folder)


def _memory_folders() -> list[Path]:
    service = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return [Path(folder) for folder in (service, "/dev/shm", tempfile.gettempdir()) if folder]


def _name(state_dir: Path) -> str:
    """Return the copy's name, the same at every start, so that the copy of a killed daemon is found and deleted."""
    return f"facesecure-{os.geteuid()}-{hashlib.sha256(os.fsencode(state_dir.absolute())).hexdigest()[:12]}"


def _clear(folder: Path) -> None:
    """Delete ``folder`` if it belongs to this user. Raises OSError if it does not: another user may have planted it."""
    with suppress(FileNotFoundError):
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise FileExistsError(f"{folder} belongs to another user")
        shutil.rmtree(folder)


def _copy(state_dir: Path, folder: Path) -> None:
    """Copy the state. Since no process can write the database meanwhile, its file and its log are a complete copy."""
    for path in _files(state_dir):
        target = folder / path.relative_to(state_dir)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            shutil.copyfile(path, target, follow_symlinks=False)
            target.chmod(0o600)
        except OSError as error:
            _log.error("%s can no longer be read: %s", path, error)
            target.unlink(missing_ok=True)
    for name in LINKED:
        if (state_dir / name).is_dir():
            (folder / name).symlink_to((state_dir / name).absolute())
    database = folder / DATABASE_NAME
    if not database.exists() or damage(database) is not None:
        _provide_backup(state_dir, folder)


def _provide_backup(state_dir: Path, folder: Path) -> None:
    """Provide the newest intact backup, since a failing card may have damaged the database. Raises StoreError."""
    intact = next((backup for backup in Backups(state_dir / DATABASE_NAME).all() if damage(backup) is None), None)
    if intact is None:
        raise StoreError(
            f"{state_dir / DATABASE_NAME} can be neither written nor read, and there is no good backup",
            "replace the disk or the card; `people import` brings people back from an export",
        )
    (folder / BACKUPS).mkdir(mode=0o700)
    shutil.copyfile(intact, folder / BACKUPS / intact.name)
    (folder / DATABASE_NAME).touch(0o600)  # without any file the store would start an empty household


def _files(state_dir: Path) -> Iterator[Path]:
    """Yield the files to copy: the database, its log, the audit log, the key, and all that are small."""
    for folder in (state_dir, *(state_dir / name for name in COPIED)):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink() and _needed(path):
                yield path


def _needed(path: Path) -> bool:
    if path.name == LOCK_NAME or path.name.endswith("-shm"):
        return False
    return path.name.startswith((DATABASE_NAME, AUDIT_LOG)) or path.stat().st_size <= _MAX_FILE
