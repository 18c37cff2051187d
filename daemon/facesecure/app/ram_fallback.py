"""When the state directory cannot be written, on a card that failed or a disk that stays full: watch from memory.

What the daemon needs of it is copied into a folder in memory for its owner only (0700), as encrypted as it was, and the
daemon works there. What happens from then on is lost at its end; snapshots of before are not copied. Only ``run`` does
so: other commands would tell of changes that do not last.
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
from facesecure.storage.backups import FOLDER as BACKUPS
from facesecure.storage.backups import Backups, whole
from facesecure.storage.store import DATABASE_NAME

LINKED = ("models",)
"""Folders that are only read: they are looked into where they are."""
COPIED = (SPEECH, "google_home")
SPARE = 32_000_000
"""Bytes in memory beside the copies, for what happens until somebody mends the disk."""
_LARGEST = 1_000_000
"""No file of ours but the database is larger."""
_LOST = (*disk_space.FULL, errno.EROFS, errno.EIO)
"""What no permission mends."""
_SNAPSHOT_MB = 16.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StateLocation:
    """Where the state that the household ``named`` is in fact; ``complaint`` says why it is elsewhere, else empty.

    ``freed``: bytes of old files that were let go for the start, on a full disk.
    """

    named: Path
    path: Path
    complaint: str = ""
    freed: int = 0

    def limits(self, config: StoreConfig) -> StoreConfig:
        """``config`` as it may be followed here: memory holds fewer pictures than a disk."""
        if not self.complaint:
            return config
        return config.model_copy(update={"max_snapshot_mb": min(config.max_snapshot_mb or _SNAPSHOT_MB, _SNAPSHOT_MB)})


@contextmanager
def writable_state(state_dir: Path) -> Iterator[StateLocation]:
    """``state_dir`` where it can be written, else a copy in memory, which goes when this ends.

    To be called by who is ``alone`` with ``state_dir``. Raises StoreError where no folder in memory has the room.
    """
    database = state_dir / DATABASE_NAME
    freed = disk_space.free_space(database) if database.exists() else 0
    error = _lost(state_dir)
    if error is None:
        yield StateLocation(state_dir, state_dir, freed=freed)
        return
    why = f"facesecure cannot write its state in {state_dir} ({error.strerror})"
    with ExitStack() as stack:
        copy = stack.enter_context(_copied(state_dir, why))
        _log.critical("%s: it watches with a copy in memory, and what happens now is lost when it ends", why)
        yield StateLocation(state_dir, copy, f"{why}; what happens now is lost when it ends")


def _lost(state_dir: Path) -> OSError | None:
    """What keeps a household's state from being written for good; None where there is nothing to be saved either."""
    if not (state_dir / DATABASE_NAME).exists():
        return None
    error = disk_space.write_error(state_dir)
    return error if error is not None and error.errno in _LOST else None


@contextmanager
def _copied(state_dir: Path, why: str) -> Iterator[Path]:
    needed = sum(path.stat().st_size for path in _files(state_dir)) + SPARE
    for parent in _in_memory():
        folder = parent / _name(state_dir)
        try:
            if shutil.disk_usage(parent).free < needed:
                continue
            _clear(folder)
            folder.mkdir(mode=0o700)
            break
        except OSError as error:
            _log.debug("%s is no refuge: %s", parent, error)
    else:
        raise StoreError(f"{why}, and nowhere in memory are {needed / 1e6:.0f} MB free", "check the disk or the card")
    try:
        with instance_lock(folder):
            _copy(state_dir, folder)
            yield folder
    finally:
        _clear(folder)


def _in_memory() -> list[Path]:
    service = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return [Path(folder) for folder in (service, "/dev/shm", tempfile.gettempdir()) if folder]


def _name(state_dir: Path) -> str:
    """The same at each start: what a killed daemon left is found and goes."""
    return f"facesecure-{os.geteuid()}-{hashlib.sha256(os.fsencode(state_dir.absolute())).hexdigest()[:12]}"


def _clear(folder: Path) -> None:
    """Remove what is there, if it is ours. Raises OSError where it is not: somebody waits for us there."""
    with suppress(FileNotFoundError):
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise FileExistsError(f"{folder} is not ours")
        shutil.rmtree(folder)


def _copy(state_dir: Path, folder: Path) -> None:
    """Nobody writes the database meanwhile, for nobody can: its file and its log together are all of it."""
    for path in _files(state_dir):
        target = folder / path.relative_to(state_dir)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            shutil.copyfile(path, target, follow_symlinks=False)
            target.chmod(0o600)
        except OSError as error:
            _log.error("%s cannot be read any more: %s", path, error)
            target.unlink(missing_ok=True)
    for name in LINKED:
        if (state_dir / name).is_dir():
            (folder / name).symlink_to((state_dir / name).absolute())
    database = folder / DATABASE_NAME
    if not database.exists() or whole(database) is not None:
        _bring_backup(state_dir, folder)


def _bring_backup(state_dir: Path, folder: Path) -> None:
    """A card that fails may have spoilt the database first: the newest good backup is there to take its place."""
    good = next((backup for backup in Backups(state_dir / DATABASE_NAME).all() if whole(backup) is None), None)
    if good is None:
        raise StoreError(
            f"{state_dir / DATABASE_NAME} can be neither written nor read, and there is no good backup",
            "replace the disk or the card; `people import` brings people back from an export",
        )
    (folder / BACKUPS).mkdir(mode=0o700)
    shutil.copyfile(good, folder / BACKUPS / good.name)
    (folder / DATABASE_NAME).touch(0o600)  # none at all would be taken for a household that begins


def _files(state_dir: Path) -> Iterator[Path]:
    """What is copied: the database, its log, the key, and all that is small."""
    for folder in (state_dir, *(state_dir / name for name in COPIED)):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink() and _worth(path):
                yield path


def _worth(path: Path) -> bool:
    if path.name == LOCK_NAME or path.name.endswith("-shm"):
        return False
    return path.name.startswith(DATABASE_NAME) or path.stat().st_size <= _LARGEST
