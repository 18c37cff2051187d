"""The audit log: who did what and when, in a file to which entries are only appended.

``audit.jsonl`` in the state directory has a line for each action (``audit_entries``); the signed document
``audit.json`` names the last one, so that a log whose end was cut off is noticed (``audit_check``). It is a file of its
own, beside the database: arming must not wait for a locked database, and a database that is restored from a backup must
not take the log back with it. Writers of several processes queue behind a lock (``audit.lock``).

An entry is on the disk before its action is reported as done. A process that is killed leaves at most a line without an
end, which the next writer cuts off. Where an entry cannot be written, because the disk is full for example, the gap is
counted (``audit_lost``), and the next entry says how many are missing.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from facesecure.domain.actors import DAEMON, Actor
from facesecure.domain.errors import StoreError
from facesecure.storage.audit_entries import Entry, Position, parse
from facesecure.storage.audit_lost import LostCount
from facesecure.storage.keys import KEY_NAME, Key, find_key, make_key
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.unsigned_state import DATABASE_NAME
from facesecure.util.files import open_own, owned_like, read_regular, write_durably

LOG_NAME, HEAD_NAME, LOCK_NAME = "audit.jsonl", "audit.json", "audit.lock"
LOST, DAMAGED = "entries-lost", "end-unreadable"
DONE, FAILED = "done", "failed"
MAX_BYTES = 4_000_000
"""Some 6,000 entries; beyond it the oldest quarter is pruned."""
_TAIL = 262_144
"""Bytes at the end of the file in which the last entry is searched; an entry has at most 20,000."""
_UNREADABLE = b"unreadable\n"
_PATIENCE, _PAUSE = 3.0, 0.02
"""Seconds to wait for another writer: a stuck one must not keep anyone from disarming."""

IsMeant = Callable[[str, str], bool]
"""Takes the action of an entry and the text of one of its subjects."""

_log = logging.getLogger(__name__)


class _Action(NamedTuple):
    actor: Actor
    action: str
    outcome: str = DONE
    subjects: Sequence[str] = ()


class AuditLog:
    """The audit log of one state directory; use ``audit_log_of``. Any thread and process may write.

    Example::

        log = audit_log_of(state_dir)
        log.record(Actor("anna", CONTROL_SOCKET), "armed", ["away"])
    """

    def __init__(self, state_dir: Path) -> None:
        self.folder, self.path = state_dir, state_dir / LOG_NAME
        self._documents = SignedDocuments(state_dir)
        self._lost = LostCount(state_dir)
        self._seen = Position()

    @property
    def lost(self) -> int:
        """The number of actions that could not be recorded and that no entry mentions yet."""
        return self._lost.value

    def record(
        self, actor: Actor, action: str, subjects: Sequence[str] = (), outcome: str = DONE, at: datetime | None = None
    ) -> Position:
        """Append an entry, and return its position.

        Raises StoreError or OSError if it cannot; the gap is counted, and a later entry says so.
        """
        at = at or datetime.now(UTC)
        try:
            with self.locked():
                return self._append(at, actor, action, outcome, subjects)
        except (StoreError, OSError):
            self._lost.add()
            raise

    def forget(self, is_meant: IsMeant, becomes: str | None) -> int:
        """Erase the subjects for which ``is_meant`` is true, and show ``becomes`` instead.

        Returns in how many lines. Raises StoreError or OSError, and changes nothing then.
        """
        if not self.path.exists():
            return 0
        with self.locked():
            for draft in self.folder.glob(f".{LOG_NAME}.*.part"):  # a killed process's
                draft.unlink(missing_ok=True)
            keys, before = [self.key()], self.lines()
            after = [_forgetting(line, is_meant, becomes, keys) for line in before]
            if after != before or sum(map(len, before)) != self.path.stat().st_size:
                write_durably(self.path, b"".join(after))
        return sum(one != other for one, other in zip(before, after, strict=True))

    def sign_again(self, keys: Iterable[Key], trusted: Key) -> None:
        """Seal with ``keys`` what is sealed by ``trusted``, the signed end too. Raises StoreError or OSError."""
        if not self.path.exists():
            return
        keys = list(keys)
        with self.locked():
            write_durably(self.path, b"".join(_sealed_again(line, keys, trusted) for line in self.lines()))
            self._documents.sign_again(keys, trusted, [HEAD_NAME])

    def lines(self) -> list[bytes]:
        """Return the complete lines of the log, none if there is none. Raises StoreError if it cannot be read."""
        try:
            content = read_regular(self.path)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {error.strerror}", "correct its permissions") from error
        return [line + b"\n" for line in content.split(b"\n")[:-1]]

    def head(self) -> Position | None:
        """Return the signed end of the log, None if there is none. Raises StoreError if it is not genuine."""
        try:
            document = self._documents.read(HEAD_NAME)
        except FileNotFoundError:
            return None
        try:
            return Position(int(document["number"]), str(document["hash"]))
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{self.folder / HEAD_NAME} cannot be understood: {error}") from error

    def key(self) -> Key:
        """Return the key; make it only where nothing is encrypted yet, as a missing key must not be replaced."""
        if (key := find_key(self.folder)) is not None:
            return key
        if (self.folder / DATABASE_NAME).exists():
            raise StoreError("the key is missing, so nothing can be recorded in the audit log", "put the key back")
        return make_key(self.folder / KEY_NAME)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of all writers. Raises StoreError if another holds it for too long, OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = self._open(os.O_RDWR | os.O_CREAT, LOCK_NAME)
        try:
            _wait_for(descriptor, self.folder / LOCK_NAME)
            self._lost.prepare()
            yield
        finally:
            os.close(descriptor)

    def _append(self, at: datetime, actor: Actor, action: str, outcome: str, subjects: Sequence[str]) -> Position:
        key, (last, damaged), lost = self.key(), self._end(), self.lost
        if damaged and _key_in_use(self.folder) not in (None, key.identifier):
            raise StoreError("the audit log is sealed with another key", "restart facesecure: the key was rotated")
        wanted = [_Action(DAEMON, DAMAGED)] if damaged else []
        wanted += [_Action(DAEMON, LOST, subjects=[str(lost)])] if lost else []
        entries = list[Entry]()
        for each in (*wanted, _Action(actor, action, outcome, subjects)):
            entries.append(Entry.after(last, at, *each, key))
            last = entries[-1].position
        self._write(entries)
        if lost:
            self._lost.reset()
        return last

    def _end(self) -> tuple[Position, bool]:
        """Return the last position that is known, and whether the signed end is missing or not genuine.

        It is the furthest of the file, of the signed end and of what this process wrote: if the log was cut off since,
        the numbers of the missing entries are not used again.
        """
        written, head, damaged = self._last_line(), None, False
        try:
            head = self.head()
        except StoreError as error:
            _log.error("%s", error.message)
            damaged = True
        if head is None and not damaged:
            damaged = written is not None or self._seen.number > 0
            self._write_head(self._seen)
        known = (written or Position(), head or Position(), self._seen)
        return max(known, key=lambda position: position.number), damaged

    def _last_line(self) -> Position | None:
        """Return the position after the last line that can be understood, and cut off one without an end."""
        try:
            descriptor = self._open(os.O_RDWR)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            tail = file.read()
            if not tail.endswith(b"\n"):
                file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)
        for line in reversed(tail.split(b"\n")[:-1]):
            with suppress(ValueError):
                return parse(line).position
        return Position() if tail else None

    def _write(self, entries: Sequence[Entry]) -> None:
        """Append ``entries`` and sign the end; on an error the file is as before."""
        data = b"".join(entry.line() for entry in entries)
        descriptor = self._open(os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            before = os.fstat(descriptor).st_size
            try:
                if os.write(descriptor, data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
        self._seen = entries[-1].position
        self._write_head(self._seen)

    def _write_head(self, position: Position) -> None:
        self._documents.write(HEAD_NAME, {"number": position.number, "hash": position.hash})

    def _open(self, flags: int, name: str = LOG_NAME) -> int:
        descriptor = open_own(self.folder / name, flags)
        if flags & os.O_CREAT:
            owned_like(self.folder / name, self.folder)
        return descriptor


@cache
def audit_log_of(state_dir: Path) -> AuditLog:
    """Return the audit log of ``state_dir``, the same one for the whole process."""
    return AuditLog(state_dir)


def _key_in_use(state_dir: Path) -> str | None:
    """Return the identifier of the key that the database is encrypted with; None if that cannot be found out."""
    uri = f"{(state_dir / DATABASE_NAME).absolute().as_uri()}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True, timeout=_PAUSE)) as connection:
        found = connection.execute("SELECT identifier FROM keys").fetchone()
        return None if found is None else str(found[0])
    return None


def _wait_for(lock: int, path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StoreError(f"another process holds {path}", f"find out which: fuser {path}") from None
            time.sleep(_PAUSE)


def _forgetting(line: bytes, is_meant: IsMeant, becomes: str | None, keys: list[Key]) -> bytes:
    """Return the line without the subjects that are meant; of one that cannot be understood, only that it was there."""
    try:
        entry = parse(line)
    except ValueError:
        return _UNREADABLE
    if not isinstance(entry, Entry) or not any(is_meant(entry.action, one.shown or "") for one in entry.subjects):
        return line
    subjects = (one.erased(becomes, keys) if is_meant(entry.action, one.shown or "") else one for one in entry.subjects)
    return replace(entry, subjects=tuple(subjects)).line()


def _sealed_again(line: bytes, keys: list[Key], trusted: Key) -> bytes:
    """Return the line sealed with ``keys`` if ``trusted`` sealed it, else as it is."""
    try:
        one = parse(line)
    except ValueError:
        return line
    if not one.is_genuine(trusted):
        return line
    if isinstance(one, Entry):
        again = (each.sealed(keys) if each.is_genuine(trusted) else each for each in one.subjects)
        one = replace(one, subjects=tuple(again))
    return one.sealed(keys).line()
