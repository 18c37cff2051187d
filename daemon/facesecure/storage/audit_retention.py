"""Prune the audit log: a signed checkpoint takes the place of the oldest entries, so that the rest still verifies."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.storage.audit_check import check
from facesecure.storage.audit_entries import Checkpoint, Entry, parse
from facesecure.storage.audit_log import MAX_BYTES, AuditLog, audit_log_of
from facesecure.util.files import write_durably

_KEPT = 0.75
"""Of a log that is too large, the share that is kept."""

_log = logging.getLogger(__name__)


def prune(log: AuditLog, older_than: datetime | None, max_bytes: int = MAX_BYTES) -> int:
    """Remove the entries before ``older_than``, and the oldest of a log larger than ``max_bytes``; keep the last.

    Returns how many were removed. Raises StoreError or OSError.
    """
    if not log.path.exists():
        return 0
    with log.locked():
        lines = log.lines()
        size = sum(map(len, lines))
        excess = size - int(max_bytes * _KEPT) if size > max_bytes else 0
        count, last = _to_remove(lines, older_than, excess)
        if last is not None:
            first = _checkpoint(log, last).line()
            write_durably(log.path, first + b"".join(lines[count:]))
    return count


def prune_by_age(state_dir: Path, days: float, now: datetime) -> None:
    """Prune the log of ``state_dir``: entries older than ``days``, 0 for none. An error is logged."""
    try:
        prune(audit_log_of(state_dir), now - timedelta(days=days) if days else None)
    except (StoreError, OSError) as error:
        _log.warning("the audit log is not pruned: %s", error)


def _to_remove(lines: list[bytes], older_than: datetime | None, excess: int) -> tuple[int, Entry | None]:
    """Return how many lines to remove from the beginning, and the last entry among them."""
    count, size, last = 0, 0, None
    for number, line in enumerate(lines[:-1], 1):
        with suppress(ValueError):
            one = parse(line)
            if isinstance(one, Entry):
                if size >= excess and (older_than is None or one.at >= older_than):
                    break
                count, last = number, one
        size += len(line)
    return count, last


def _checkpoint(log: AuditLog, last: Entry) -> Checkpoint:
    found = check(log)
    breaks = found.pruned_breaks + sum(one.number is not None and one.number <= last.number for one in found.breaks)
    return Checkpoint(last.position, last.at, breaks).sealed([log.key()])
