"""Open the SQLite database: check its permissions and revision, migrate it, and make commits durable.

WAL with ``synchronous=FULL``: a commit is on the disk when it returns, so neither a killed process nor a power cut
loses one. Writers begin with BEGIN IMMEDIATE: they wait for each other instead of failing half-way.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from facesecure.domain.errors import BusyError, DiskFullError, StoreError
from facesecure.storage.backups import Backups
from facesecure.storage.database_files import OWNER_HINT, make_private_file, require_files
from facesecure.storage.deferred_journal import damaged_journal
from facesecure.storage.encryption import FieldCipher, Keyring, cipher_of
from facesecure.storage.keys import KEY_NAME, find_key, make_key, required_key
from facesecure.storage.signed_documents import take_over
from facesecure.storage.tables import HEAD
from facesecure.storage.unsigned_state import FIRST_ENCRYPTED, FIRST_SIGNED, tampering

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 10.0
NEARLY_FULL = 1 << 20
_CHECKPOINT_TIMEOUT = 5.0
_PUT_BACK = "find out who can write there; then put a backup in its place, or move it away and enrol again"

_log = logging.getLogger(__name__)

_HINTS = {
    sqlite3.SQLITE_FULL: (
        "the disk is full",
        "free some space, or lower [store] keep_days and max_snapshot_mb",
    ),
    sqlite3.SQLITE_READONLY: (
        "it is not writable",
        OWNER_HINT,
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened",
        OWNER_HINT,
    ),
    sqlite3.SQLITE_BUSY: (
        "another process is using it",
        "wait for the other facesecure command to end and try again",
    ),
    sqlite3.SQLITE_NOTADB: ("it is not a database", "move the file away; facesecure makes a new one"),
    sqlite3.SQLITE_CORRUPT: (
        "it is damaged",
        "start facesecure run again: it restores the newest backup; without one, move the file away and enrol again",
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk failed to read or write it",
        "check the disk (on a Pi, the SD card) and its free space",
    ),
}

_RAISED: dict[int, type[StoreError]] = {sqlite3.SQLITE_FULL: DiskFullError, sqlite3.SQLITE_BUSY: BusyError}


class Database:
    """Sessions on the database file. Safe to use from any thread; writers of one process queue behind a lock.

    Example::

        with database.write() as session:
            session.add(row)
    """

    def __init__(self, path: Path) -> None:
        """Open ``path``, and create or migrate it if necessary. Raises StoreError; a foreign file is left untouched."""
        self.path = path
        self.backups = Backups(path)
        make_private_file(path)
        revision = inspect(path)
        self._keyring = Keyring(path.parent)
        self._engine = _engine(path)
        self._writer = self._engine.execution_options(begin="IMMEDIATE")
        self._write_lock = threading.Lock()
        self.people_changed = False
        try:
            self._prepare(revision)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self, timeout: float | None = None) -> Iterator[Session]:
        """Open a session on one consistent state of the database.

        Readers rarely wait, as while the log is recovered: at most ``timeout`` seconds, then BusyError.
        """
        reader = self._engine if timeout is None else self._engine.execution_options(timeout=timeout)
        with translated(self.path), Session(reader, info=self._info()) as session:
            yield session

    def counter(self, name: str, timeout: float | None = None) -> int:
        """Return a counter, 0 if there is none: a tenth of the cost of ``read``, and raises as that does."""
        with translated(self.path), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(_patience(BUSY_SECONDS if timeout is None else timeout))
            found = cursor.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
        return int(found[0]) if found else 0

    @contextmanager
    def write(self, timeout: float | None = None) -> Iterator[Session]:
        """Open a session that commits when the block ends without an error, and rolls back otherwise.

        With ``timeout`` it waits for other writers at most about twice that many seconds, then raises BusyError.
        """
        with self._writers_turn(timeout), translated(self.path), self._writing(timeout) as session, session.begin():
            yield session
        self.people_changed |= "people" in session.info

    @contextmanager
    def _writers_turn(self, timeout: float | None) -> Iterator[None]:
        if not self._write_lock.acquire(timeout=-1 if timeout is None else timeout):
            raise BusyError(f"cannot write {self.path} now: facesecure is busy writing to it", "facesecure tries again")
        try:
            yield
        finally:
            self._write_lock.release()

    @property
    def cipher(self) -> FieldCipher:
        """The cipher that was used last; it needs no session."""
        return self._keyring.latest

    def forget(self) -> bool:
        """Erase deleted data from the log, the backups and what was set aside as damaged.

        Return False if others keep reading the log, which then contains deleted data yet.
        """
        with self._write_lock, translated(self.path):
            self.backups.clear()
            damaged_journal(self.path).unlink(missing_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_CHECKPOINT_TIMEOUT)) as connection:
                (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            _log.warning("%s-wal contains deleted data until no process reads the database", self.path)
        self.back_up()
        return not busy

    def back_up(self) -> None:
        """Make a backup; log a warning if it fails."""
        self.people_changed = False
        try:
            self.backups.make(datetime.now(UTC))
        except (StoreError, OSError) as error:
            _log.warning("%s", error)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _writing(self, timeout: float | None = None) -> Session:
        writer = self._writer if timeout is None else self._writer.execution_options(timeout=timeout)
        return Session(writer, info=self._info())

    def _info(self) -> dict[str, Any]:
        return {"keyring": self._keyring}

    def _prepare(self, revision: str | None) -> None:
        with translated(self.path):
            _use_wal(self.path)
            if revision is not None and revision < FIRST_SIGNED:
                take_over(self.path.parent)
            if revision != HEAD:
                _migrate(self._writer, self.path.parent)
            if revision is not None and revision < FIRST_ENCRYPTED:
                _rewrite(self.path)
            with self.read() as session:
                cipher_of(session)
        if revision is not None and revision < FIRST_SIGNED:
            self.forget()  # a backup from before could be put back, and its unsigned files would be taken over again


def inspect(path: Path) -> str | None:
    """Return the revision of the database at ``path``, None for an empty one. Raises StoreError for a foreign one."""
    require_files(path)
    with translated(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        revisions = (
            connection.execute("SELECT version_num FROM alembic_version").fetchall()
            if "alembic_version" in tables
            else []
        )
        altered = tampering(connection, revisions[0][0] if revisions else "")
    if altered:
        raise StoreError(f"{path} was changed outside of facesecure: {altered}", _PUT_BACK)
    if tables and not revisions:
        raise StoreError(f"{path} is a database, but not one of facesecure's", "choose another: --state-dir DIR")
    if revisions and revisions[0][0] not in _known_revisions():
        raise StoreError(
            f"{path} was written by a newer facesecure (revision {revisions[0][0]!r}; this one knows {HEAD!r})",
            "upgrade facesecure, or choose another: --state-dir DIR; the database was not touched",
        )
    return str(revisions[0][0]) if revisions else None


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Convert SQLite errors about ``path`` into StoreErrors with a hint."""
    try:
        yield
    except (DBAPIError, sqlite3.DatabaseError) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < NEARLY_FULL:
            code = sqlite3.SQLITE_FULL  # the log's index is a memory map: on a full disk it fails like bad hardware
        if code not in _HINTS:
            raise
        reason, hint = _HINTS[code]
        raise _RAISED.get(code, StoreError)(f"cannot use {path}: {reason} ({original})", hint) from error


def _known_revisions() -> set[str]:
    return {file.name.split("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def _engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, record: Any) -> None:  # noqa: ARG001
    """Set up a connection, without Python's transactions: they would not include schema changes."""
    connection.isolation_level = None
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(_patience(options.get("timeout", BUSY_SECONDS)))
    connection.exec_driver_sql(f"BEGIN {options.get('begin', 'DEFERRED')}")


def _patience(seconds: float) -> str:
    return f"PRAGMA busy_timeout = {1000 * seconds:.0f}"


def _use_wal(path: Path) -> None:
    """Enable write-ahead logging, permanently. Two processes doing so at once may be 'busy' despite the timeout."""
    deadline = time.monotonic() + BUSY_SECONDS
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return


def _first_cipher(state_dir: Path) -> FieldCipher:
    """Return the cipher for a database without encrypted values yet: with the existing key, or else a new one."""
    return FieldCipher(find_key(state_dir) or make_key(state_dir / KEY_NAME))


def _rewrite(path: Path) -> None:
    """Erase old pages from the file and its log: faces were stored unencrypted before FIRST_ENCRYPTED."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _migrate(writer: Engine, state_dir: Path) -> None:
    """Migrate the database to HEAD in one transaction; does nothing if another process has done so meanwhile."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writer.begin() as connection:
        config.attributes.update(
            connection=connection,
            first_cipher=partial(_first_cipher, state_dir),
            cipher_of=lambda identifier: FieldCipher(required_key(state_dir, identifier)),
        )
        command.upgrade(config, "head")
