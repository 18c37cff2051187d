"""Verify the audit log, and say in sentences where its chain breaks."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.storage.audit_entries import Checkpoint, Entry, Position, parse
from facesecure.storage.audit_log import DAMAGED, HEAD_NAME, LOCK_NAME, LOG_NAME, LOST, AuditLog
from facesecure.storage.audit_lost import LOST_NAME
from facesecure.storage.keys import Key


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the log is not as facesecure wrote it; ``number`` is that of the entry, None for the whole log."""

    number: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The entries of a log, oldest first, and each ``break`` of its chain.

    ``notes`` are what is no break: entries that were pruned, with ``pruned_breaks`` among them, and gaps that an entry
    mentions; ``lost`` are gaps that no entry mentions yet. ``end`` is the last position.
    """

    entries: tuple[Entry, ...]
    breaks: tuple[Break, ...]
    notes: tuple[str, ...]
    lost: tuple[str, ...]
    end: Position
    pruned_breaks: int = 0

    @property
    def summary(self) -> str:
        """The number of entries, and that the chain is complete."""
        count = len(self.entries)
        return f"{count} {'entry' if count == 1 else 'entries'}, and the chain is complete"


def check(log: AuditLog, expected: Sequence[tuple[int, str]] = ()) -> Verification:
    """Return what ``log`` holds, and where it breaks. Raises StoreError if it or the key cannot be read.

    ``expected`` are ends that were noted elsewhere, where nobody could change them: a number and the beginning of the
    hash.

    Example::

        for one in check(audit_log_of(state_dir)).breaks:
            print(one.sentence)
    """
    if planted := tuple(_planted(log.folder)):
        return Verification((), planted, (), _lost(log), Position())
    lines = log.lines()
    if not lines and not (log.folder / HEAD_NAME).exists() and not expected:
        return Verification((), (), (), _lost(log), Position())
    key = log.key()
    start, entries, breaks = _parsed(lines, key)
    breaks += [*_altered(entries, key), *_missing(start.position, entries), *_joined(start.position, entries)]
    end = max((start.position, *(entry.position for entry in entries)), key=lambda position: position.number)
    hashes = {start.position.number: start.position.hash, **{entry.number: entry.hash for entry in entries}}
    breaks += [*_cut_off(log, end, hashes), *_unexpected(expected, end, hashes)]
    breaks.sort(key=lambda one: one.number or 0)
    notes, lost = tuple(_notes(start, entries)), _lost(log)
    return Verification(tuple(entries), tuple(breaks), notes, lost, end, start.breaks)


def _planted(folder: Path) -> Iterator[Break]:
    """Yield the files of the log that are none of facesecure's: it writes to no link, pipe or folder."""
    for name in (LOG_NAME, HEAD_NAME, LOCK_NAME, LOST_NAME):
        with suppress(FileNotFoundError):
            found = (folder / name).lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
                yield Break(None, f"{folder / name} is a link or no regular file, so that nothing is recorded")


def _parsed(lines: Sequence[bytes], key: Key) -> tuple[Checkpoint, list[Entry], list[Break]]:
    """Return where the log begins, its entries, and what cannot be understood."""
    start, entries, breaks = Checkpoint(Position(), datetime.min), list[Entry](), list[Break]()
    for number, line in enumerate(lines, 1):
        try:
            one = parse(line)
        except ValueError:
            breaks.append(Break(None, f"line {number} cannot be understood: it is damaged or was changed"))
            continue
        if isinstance(one, Entry):
            entries.append(one)
        elif number > 1 or not one.is_genuine(key):
            breaks.append(Break(None, f"the checkpoint in line {number} was not written there by facesecure"))
        else:
            start = one
    return start, entries, breaks


def _altered(entries: Iterable[Entry], key: Key) -> Iterator[Break]:
    foreign = list[int]()
    for entry in entries:
        if entry.hash == entry.digest() and key.identifier not in entry.macs:
            foreign.append(entry.number)
        elif not entry.is_genuine(key):
            yield Break(entry.number, f"{_named(entry)} was changed, or not written by facesecure")
        elif entry.action == DAMAGED:
            why = "the signed end of the log was missing or not genuine: entries before it may be missing"
            yield Break(entry.number, f"when {_named(entry)} was written, {why}")
        elif not all(subject.is_genuine(key) for subject in entry.subjects):
            yield Break(entry.number, f"what {_named(entry)} is about was changed or removed by others")
    for first, last in _ranges(foreign):
        why = "another household's, or from before the key was rotated"
        yield Break(first, f"{_these(first, last)} sealed with another key: {why}")


def _missing(start: Position, entries: Sequence[Entry]) -> Iterator[Break]:
    """Yield numbers that are not there, and entries that are not where they belong."""
    there = {entry.number for entry in entries}
    highest = start.number
    for first, last in _absent(start.number, there):
        yield Break(first, f"{_these(first, last)} missing")
    for entry in entries:
        if entry.number <= highest:
            yield Break(entry.number, f"{_named(entry)} is not in its place: it stands after entry {highest}")
        highest = max(highest, entry.number)


def _absent(start: int, there: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges after ``start`` that are not ``there``; numbers may be made up, and huge."""
    before = start
    for number in sorted(number for number in there if number > start):
        if number > before + 1:
            yield before + 1, number - 1
        before = number


def _joined(start: Position, entries: Sequence[Entry]) -> Iterator[Break]:
    """Yield entries that follow another one than the one that stands before them."""
    hashes = {start.number: start.hash, **{entry.number: entry.hash for entry in entries}}
    for entry in entries:
        before = hashes.get(entry.number - 1)
        if before not in (None, entry.previous) and entry.hash == entry.digest():
            why = "one of the two was replaced, or two copies of the log were joined"
            yield Break(entry.number, f"{_named(entry)} does not follow the entry before it: {why}")


def _cut_off(log: AuditLog, end: Position, hashes: dict[int, str]) -> Iterator[Break]:
    """Yield what the signed end says that the log does not."""
    try:
        head = log.head()
    except StoreError as error:
        yield Break(None, f"the signed end of the log is not genuine: {error.message}")
        return
    if head is None:
        yield Break(None, f"the signed end of the log, {log.folder / HEAD_NAME}, is missing")
    elif head.number > end.number:
        first, why = end.number + 1, "the end was cut off, or an older copy of the log was put back"
        there = f"the log ends at entry {end.number}" if end.number else "the log has no entry"
        yield Break(first, f"{there}, and {_these(first, head.number)} missing: {why}")
    elif head.number in hashes and hashes[head.number] != head.hash:
        yield Break(head.number, f"entry {head.number} is not the one that was signed as the last")


def _unexpected(expected: Iterable[tuple[int, str]], end: Position, hashes: dict[int, str]) -> Iterator[Break]:
    for number, digest in expected:
        if number > end.number:
            why = "an older copy of the state directory was put back, or a new log was begun"
            yield Break(end.number + 1, f"the log ends at entry {end.number}, and had {number} entries before: {why}")
        elif not hashes.get(number, digest).startswith(digest):
            yield Break(number, f"entry {number} is another one than the one that was noted: the log was replaced")


def _notes(start: Checkpoint, entries: Iterable[Entry]) -> Iterator[str]:
    if start.position.number:
        broken = f", with {start.breaks} breaks among them" if start.breaks else ""
        yield f"entries up to {start.position.number} ({start.at.date()}) were pruned{broken}"
    for entry in entries:
        if entry.action == LOST:
            count = ", ".join(subject.shown or "some" for subject in entry.subjects)
            yield f"before {_named(entry)}, actions could not be recorded: {count}"


def _lost(log: AuditLog) -> tuple[str, ...]:
    return (f"actions that could not be recorded since the last entry: {log.lost}",) if log.lost else ()


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of consecutive numbers."""
    first = last = None
    for number in sorted(set(numbers)):
        if first is not None and last is not None and number != last + 1:
            yield first, last
            first = None
        first, last = number if first is None else first, number
    if first is not None and last is not None:
        yield first, last


def _these(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


def _named(entry: Entry) -> str:
    return f"entry {entry.number} of {entry.at:%Y-%m-%d %H:%M}"
