"""Rolling backups of the database, and the restore at start-up when the database is damaged.

    backups/facesecure-000041-20261122.db   complete and checked, mode 0600; numbered, because clocks may jump
    backups/damaged-20261122T081500Z.db     a damaged database and its log, set aside when a backup replaced it

The last backup of each day is kept, for the last three days. When a person is removed, so are all backups: ``renew``.
A backup is encrypted with the same key as the database.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.util.files import create_file, draft_of, make_private_folders, owned_like, sync_folder
from facesecure.util.rounding import apart

FOLDER = "backups"
KEPT = 3
_NAME = re.compile(r"facesecure-(\d{6,})-(\d{8})\.db")
_SMALL = 16_000_000
"""Bytes up to which the start checks the whole file (0.3 s from a slow card); above, all but the seen faces."""
_SPARE = 50_000_000
_ABANDONED = 3600.0
_CHECKED_FIRST = ("alembic_version", "keys", "counters", "people", "faces", "templates", "visitors", "sightings")
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore: ``backup``, of ``made_at``, replaced a database damaged by ``why``, now at ``set_aside``."""

    backup: Path
    made_at: datetime
    set_aside: Path
    why: str

    def __str__(self) -> str:
        return (
            f"the database was damaged ({self.why}) and was replaced by the backup of "
            f"{self.made_at:%Y-%m-%d %H:%M} UTC; what was stored since then is lost, and the damaged file is "
            f"{self.set_aside}"
        )


class Backups:
    """The backups of the database at ``path``.

    Example::

        Backups(state_dir / "facesecure.db").make(datetime.now(UTC))
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder = path.parent / FOLDER
        self._suspicion = self.folder / "suspect"
        self._lock = threading.RLock()

    def all(self) -> list[Path]:
        """Return the paths of the backups, newest first."""
        return sorted(self._matching(), key=lambda path: (_number(path), path.name), reverse=True)

    def due(self, now: datetime) -> bool:
        """Return whether there is no backup of today, or people have changed since the newest."""
        newest = next(iter(self.all()), None)
        return newest is None or _date(newest) != f"{now:%Y%m%d}" or _revision(newest) != _revision(self._path)

    def make(self, now: datetime) -> Path:
        """Copy the database, check the copy, and delete older ones. Writers are not blocked.

        Raises StoreError if there is no space for it, or if the database turns out to be damaged: then the older
        backups stay, and the next start checks the whole file.
        """
        with self._lock:
            try:
                return self._made(now)
            except FileNotFoundError:  # another process has cleared the folder, for the removal of a person
                return self._made(now)

    def _made(self, now: datetime) -> Path:
        make_private_folders(self._path.parent, self.folder)
        self._require_space()
        number = max((_number(path) for path in self._matching()), default=0) + 1
        done = self.folder / f"facesecure-{number:06}-{now:%Y%m%d}.db"
        draft = draft_of(done)
        try:
            _copy(self._path, draft)
            draft.replace(done)
        except sqlite3.DatabaseError as error:
            raise self._failed(error) from error
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(self.folder)
        self._thin_out(done)
        return done

    def renew(self, now: datetime) -> None:
        """Delete every copy, those set aside too, and make a new backup: for the removal of a person."""
        with self._lock:
            self.clear()
            self.make(now)

    def clear(self) -> None:
        """Delete every copy: complete, half-written and set aside."""
        with self._lock, suppress(FileNotFoundError):
            for path in list(self.folder.iterdir()):
                path.unlink(missing_ok=True)
            sync_folder(self.folder)

    def mend(self) -> Restored | None:
        """If the database is damaged, set it aside and restore the newest intact backup; None if it is not damaged.

        Only for a process that has the database to itself. Raises StoreError if the database is damaged and no
        backup is intact: the file stays in its place.
        """
        why = self._damage()
        if why is None:
            self._suspicion.unlink(missing_ok=True)
            return None
        for backup in self.all():
            if damage(backup) is None:
                restored = self._restore(backup, why)
                _log.critical("%s", restored)
                return restored
            _log.error("the backup %s is damaged too", backup)
        raise StoreError(
            f"cannot use {self._path}: it is damaged ({why}), and there is no intact backup in {self.folder}",
            "move it away and enrol again; `people import` restores people from an export",
        )

    def _damage(self) -> str | None:
        if not self._path.exists():
            return None
        if not self._path.stat().st_size:
            return "it is empty" if self.all() else None
        thorough = self._path.stat().st_size <= _SMALL or self._suspicion.exists()
        return damage(self._path) if thorough else damage(self._path, _CHECKED_FIRST)

    def _restore(self, backup: Path, why: str) -> Restored:
        """Restore in an order that leaves, after a power cut, either the damaged database or the restored one."""
        made_at = datetime.fromtimestamp(backup.stat().st_mtime, UTC)
        aside = self.folder / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.db"
        draft = draft_of(self.folder / self._path.name)
        try:
            _copy(backup, draft)
            os.link(self._path, aside)
            for end in ("-wal", "-shm"):  # the log of the old database must not be applied to the new one
                with suppress(FileNotFoundError):
                    _beside(self._path, end).replace(_beside(aside, end))
            sync_folder(self.folder)
            draft.replace(self._path)
            sync_folder(self._path.parent)
        except (OSError, sqlite3.DatabaseError) as error:
            raise StoreError(
                f"cannot restore {self._path} from {backup}: {error}", "free some space, and start again"
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        self._suspicion.unlink(missing_ok=True)
        return Restored(backup, made_at, aside, why)

    def _matching(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from (path for path in self.folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file())

    def _thin_out(self, newest: Path) -> None:
        others = [path for path in self.all() if path != newest]
        same_day = [path for path in others if _date(path) == _date(newest)]
        older = [path for path in others if path not in same_day]
        for path in (*same_day, *older[KEPT - 1 :], *self._abandoned()):
            path.unlink(missing_ok=True)

    def _abandoned(self) -> Iterator[Path]:
        """Return the half-written copies of processes that were killed."""
        for path in self.folder.glob(".*.part*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    yield path

    def _require_space(self) -> None:
        needed, free = self._path.stat().st_size + _SPARE, shutil.disk_usage(self.folder).free
        if free < needed:
            has, wants = apart(free / 1e6, needed / 1e6, 0)
            raise StoreError(
                f"no backup is made: {has} MB are free, {wants} MB needed",
                "free some space, or lower [store] max_faces_mb",
            )

    def _failed(self, error: sqlite3.DatabaseError) -> StoreError:
        if _code(error) not in _DAMAGE:
            return StoreError(f"no backup is made: {error}", "check the disk and its free space")
        os.close(create_file(self._suspicion))
        return StoreError(
            f"{self._path} is damaged: {error}", "start facesecure run again: it restores the newest backup"
        )


def damage(path: Path, tables: tuple[str, ...] = ()) -> str | None:
    """Describe the damage of the database at ``path``, or of ``tables`` only; None if it is intact."""
    try:
        with _reading(path) as connection:
            there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            checks = [f"quick_check({table})" for table in tables if table in there] or ["quick_check(1)"]
            for check in checks:
                (verdict,) = connection.execute(f"PRAGMA {check}").fetchone()
                if verdict != "ok":
                    return str(verdict)
    except sqlite3.DatabaseError as error:
        if _code(error) in _DAMAGE:
            return str(error)
    return None


def _copy(source: Path, target: Path) -> None:
    """Copy with SQLite's online backup, completely or not at all; the copy is one checked file without a log."""
    os.close(create_file(target))
    owned_like(target, target.parent)
    with _reading(source) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = new.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        damaged = sqlite3.DatabaseError(verdict)
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damaged


def _revision(path: Path) -> int | None:
    with suppress(sqlite3.DatabaseError), _reading(path) as connection:
        row = connection.execute("SELECT value FROM counters WHERE name = 'people'").fetchone()
        return int(row[0]) if row else None
    return None


def _reading(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10))


def _number(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def _date(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    return match[2] if match else ""


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _code(error: sqlite3.DatabaseError) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
