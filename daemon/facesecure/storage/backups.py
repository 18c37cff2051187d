"""Rolling copies of the database, and what is done at the start when the database itself is damaged.

    backups/facesecure-000041-20261122.db   whole, checked, for its owner only; numbered, for clocks may jump
    backups/damaged-20261122T081500Z.db     set aside, with its log, when a backup took its place

Of one day the last copy is kept, of all days the last three. Whoever is forgotten leaves the copies too: ``renew``.
A copy is as encrypted as the database is, by the same key.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.util.files import make_private_folders, owned_like, sync_folder

FOLDER = "backups"
KEPT = 3
_NAME = re.compile(r"facesecure-(\d{6,})-(\d{8})\.db")
_SMALL = 16_000_000
"""Up to here the whole file is checked at the start (0.3 s from a slow card), above all but the faces seen."""
_SPARE = 50_000_000
_ABANDONED = 3600.0
_CHECKED_FIRST = ("alembic_version", "keys", "counters", "people", "faces", "templates", "visitors", "sightings")
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """A damaged database gave way to ``backup``, made at ``made_at``; it lies at ``set_aside``. ``why`` it was so."""

    backup: Path
    made_at: datetime
    set_aside: Path
    why: str

    def __str__(self) -> str:
        return (
            f"the database was damaged ({self.why}) and the backup of {self.made_at:%Y-%m-%d %H:%M} UTC took "
            f"its place; what was seen since then is lost, and the damaged file is {self.set_aside}"
        )


class Backups:
    """The copies of the database at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder = path.parent / FOLDER
        self._suspicion = self.folder / "suspect"

    def all(self) -> list[Path]:
        """The newest first."""
        return sorted(self._matching(), key=lambda path: (_number(path), path.name), reverse=True)

    def due(self, now: datetime) -> bool:
        """Whether there is none of today's, or people have changed since the newest."""
        newest = next(iter(self.all()), None)
        return newest is None or _date(newest) != f"{now:%Y%m%d}" or _revision(newest) != _revision(self._path)

    def make(self, now: datetime) -> Path:
        """Copy the database as it stands, check the copy, and let older ones go. Writers are not held up.

        Raises StoreError where there is no room for it, or the database turns out to be damaged: then the older
        copies stay, and the next start looks at the whole file.
        """
        make_private_folders(self._path.parent, self.folder)
        self._require_room()
        number = max((_number(path) for path in self._matching()), default=0) + 1
        done = self.folder / f"facesecure-{number:06}-{now:%Y%m%d}.db"
        draft = self.folder / f".{done.name}.{os.getpid()}.part"
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
        """Let every copy go, also what was set aside, and make a new one: somebody in them is to be forgotten."""
        self.clear()
        self.make(now)

    def clear(self) -> None:
        """Let every copy go, whole, half-made and set aside."""
        with suppress(FileNotFoundError):
            for path in list(self.folder.iterdir()):
                path.unlink(missing_ok=True)
            sync_folder(self.folder)

    def mend(self) -> Restored | None:
        """If the database is damaged, put it aside and the newest good backup in its place. None: nothing was done.

        Only for a process that knows itself alone with the database. Raises StoreError where it is damaged and no
        backup is good: the file stays where it is.
        """
        why = self._damage()
        if why is None:
            self._suspicion.unlink(missing_ok=True)
            return None
        for backup in self.all():
            if whole(backup) is None:
                restored = self._restore(backup, why)
                _log.critical("%s", restored)
                return restored
            _log.error("the backup %s is damaged too", backup)
        raise StoreError(
            f"cannot use {self._path}: it is damaged ({why}), and there is no good backup in {self.folder}",
            "move it away and enrol again; `people import` brings people back from an export",
        )

    def _damage(self) -> str | None:
        if not self._path.exists():
            return None
        if not self._path.stat().st_size:
            return "it is empty" if self.all() else None
        thorough = self._path.stat().st_size <= _SMALL or self._suspicion.exists()
        return whole(self._path) if thorough else whole(self._path, _CHECKED_FIRST)

    def _restore(self, backup: Path, why: str) -> Restored:
        """In an order in which a cut power cord leaves either a damaged database or a restored one, and never none."""
        made_at = datetime.fromtimestamp(backup.stat().st_mtime, UTC)
        aside = self.folder / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.db"
        draft = self.folder / f".{self._path.name}.{os.getpid()}.part"
        try:
            _copy(backup, draft)
            os.link(self._path, aside)
            for end in ("-wal", "-shm"):  # a log of another database must not be found beside the new one
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
            yield from (path for path in self.folder.iterdir() if _NAME.fullmatch(path.name))

    def _thin_out(self, newest: Path) -> None:
        others = [path for path in self.all() if path != newest]
        same_day = [path for path in others if _date(path) == _date(newest)]
        older = [path for path in others if path not in same_day]
        for path in (*same_day, *older[KEPT - 1 :], *self._abandoned()):
            path.unlink(missing_ok=True)

    def _abandoned(self) -> Iterator[Path]:
        """Half-made copies of processes that were killed."""
        for path in self.folder.glob(".*.part*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    yield path

    def _require_room(self) -> None:
        needed, free = self._path.stat().st_size + _SPARE, shutil.disk_usage(self.folder).free
        if free < needed:
            raise StoreError(
                f"no backup is made: {free / 1e6:.0f} MB are free, {needed / 1e6:.0f} MB needed",
                "free some space, or lower [store] max_faces_mb",
            )

    def _failed(self, error: sqlite3.DatabaseError) -> StoreError:
        if _code(error) not in _DAMAGE:
            return StoreError(f"no backup is made: {error}", "check the disk and its free space")
        self._suspicion.touch(0o600)
        return StoreError(
            f"{self._path} is damaged: {error}", "start facesecure run again: it restores the newest backup"
        )


def whole(path: Path, tables: tuple[str, ...] = ()) -> str | None:
    """What is wrong with the database at ``path``, None for nothing; of ``tables`` only, if any are named."""
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
    """Copy by SQLite's online backup, whole or not at all; the copy is one file, without a log, and was checked."""
    os.close(os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600))
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
