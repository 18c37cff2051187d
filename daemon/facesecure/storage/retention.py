"""What is thrown away, and when: by age, by the room snapshots and faces take, and files that belong to nothing.

Rows go first and files after, in small transactions: a process killed in between leaves at most a file too many,
which a later round removes, never a row that names a missing file; and a sighting waits at most for one batch.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, Update, delete, func, select, update

from facesecure.config import StoreConfig
from facesecure.domain.records import Pruned
from facesecure.storage import outbox, visitors
from facesecure.storage.database import Database
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.tables import SeenFaceRow, SightingRow

BATCH = 200
ORPHAN_AGE = timedelta(hours=1)
"""A younger file may belong to a sighting that another process is writing at this moment."""


def prune(database: Database, snapshots: Snapshots, config: StoreConfig, now: datetime) -> Pruned:
    """One round of retention; returns what went."""
    sightings, old_files = _remove_old(database, config, now)
    crowded_out = _make_room(database, config)
    faces = _make_room_for_faces(database, config)
    _remove_old_alerts(database, config, now)
    with database.write() as session:
        gone = visitors.remove_faceless(session)
    freed = sum(snapshots.remove(relative) for relative in old_files + crowded_out)
    orphans, orphan_bytes = _remove_orphans(database, snapshots, now)
    _unlink_missing(database, snapshots)
    return Pruned(sightings, len(old_files) + len(crowded_out), orphans, freed + orphan_bytes, faces, gone)


def _remove_old(database: Database, config: StoreConfig, now: datetime) -> tuple[int, list[str]]:
    """Delete sightings that ended before the limit. Returns how many, and the snapshots nobody names any more."""
    count, files = 0, list[str]()
    limit = now - timedelta(days=config.keep_days)
    query = select(SightingRow.identifier, SightingRow.snapshot).where(SightingRow.last_seen < limit).limit(BATCH)
    while config.keep_days:
        with database.write() as session:
            rows = session.execute(query).all()
            session.execute(delete(SightingRow).where(SightingRow.identifier.in_([row.identifier for row in rows])))
        count += len(rows)
        files += [row.snapshot for row in rows if row.snapshot]
        if len(rows) < BATCH:
            break
    return count, files


def _remove_old_alerts(database: Database, config: StoreConfig, now: datetime) -> None:
    """Delete alerts as old as the sightings that are, but for those that are still to be told."""
    while config.keep_days:
        with database.write() as session:
            if outbox.remove_old(session, now, config.keep_days, BATCH) < BATCH:
                break


def _make_room(database: Database, config: StoreConfig) -> list[str]:
    """Take the oldest snapshots from their sightings until the others fit. Returns the files to delete."""
    files = list[str]()
    while config.max_snapshot_mb:
        with database.write() as session:
            excess = (session.scalar(select(func.sum(SightingRow.snapshot_bytes))) or 0) - config.max_snapshot_mb * 1e6
            oldest = _with_snapshot().order_by(SightingRow.first_seen, SightingRow.identifier).limit(BATCH)
            batch = list[str]()
            for row in session.execute(oldest):
                if excess <= 0:
                    break
                excess -= row.snapshot_bytes
                batch.append(row.snapshot)
            session.execute(_forget_snapshots(batch))
        files += batch
        if len(batch) < BATCH:
            break
    return files


def _make_room_for_faces(database: Database, config: StoreConfig) -> int:
    """Remove the oldest faces until the others fit; returns how many."""
    count = 0
    size = func.length(SeenFaceRow.crop_png) + func.length(SeenFaceRow.embedding)
    oldest = select(SeenFaceRow.id, size.label("size")).order_by(SeenFaceRow.taken_at, SeenFaceRow.id).limit(BATCH)
    while config.max_faces_mb:
        with database.write() as session:
            excess = (session.scalar(select(func.sum(size))) or 0) - config.max_faces_mb * 1e6
            batch = list[int]()
            for row in session.execute(oldest):
                if excess <= 0:
                    break
                excess -= row.size
                batch.append(row.id)
            session.execute(delete(SeenFaceRow).where(SeenFaceRow.id.in_(batch)))
        count += len(batch)
        if len(batch) < BATCH:
            break
    return count


def _remove_orphans(database: Database, snapshots: Snapshots, now: datetime) -> tuple[int, int]:
    """Delete files that no sighting names, half-written ones too. Returns (how many, bytes)."""
    limit = (now - ORPHAN_AGE).timestamp()
    candidates = [relative for relative, stat in snapshots.files() if stat.st_mtime < limit]
    with database.read() as session:
        wanted = {row.snapshot for row in session.execute(_with_snapshot())}
    sizes = [snapshots.remove(relative) for relative in candidates if relative not in wanted]
    snapshots.remove_empty_folders(now - ORPHAN_AGE)
    return len(sizes), sum(sizes)


def _unlink_missing(database: Database, snapshots: Snapshots) -> None:
    """Sightings whose snapshot somebody deleted by hand stop naming it."""
    with database.read() as session:
        missing = [
            row.snapshot for row in session.execute(_with_snapshot()) if not snapshots.path(row.snapshot).is_file()
        ]
    for start in range(0, len(missing), BATCH):
        with database.write() as session:
            session.execute(_forget_snapshots(missing[start : start + BATCH]))


def _with_snapshot() -> Select[Any, int]:
    return select(SightingRow.snapshot, SightingRow.snapshot_bytes).where(SightingRow.snapshot.is_not(None))


def _forget_snapshots(files: list[str]) -> Update:
    return update(SightingRow).where(SightingRow.snapshot.in_(files)).values(snapshot=None, snapshot_bytes=0, box=None)
