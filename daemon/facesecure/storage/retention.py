"""Retention: remove old sightings and alerts, snapshots and faces above their size limits, and orphaned files.

Rows are removed before files, in small transactions: a process killed in between leaves at most an orphaned file, which
a later run removes, never a row with a missing file; and a new sighting waits for one batch at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, String, Update, delete, func, select, type_coerce, update

from facesecure.config import ClipsConfig, StoreConfig
from facesecure.domain.records import Pruned
from facesecure.storage import audit_retention, elsewhere, forgotten, outbox, visitors
from facesecure.storage.clip_archive import ClipArchive
from facesecure.storage.database import Database
from facesecure.storage.page import PageRecords
from facesecure.storage.snapshots import Snapshots, is_snapshot_path
from facesecure.storage.tables import SeenFaceRow, SightingRow

BATCH = 200
ORPHAN_AGE = timedelta(hours=1)
"""A younger file may belong to a sighting that another process is just writing."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a household, and where: all that retention looks through."""

    database: Database
    snapshots: Snapshots
    clips: ClipArchive
    page: PageRecords
    state_dir: Path


def prune_all(kept: Kept, config: StoreConfig, clips: ClipsConfig | None, now: datetime) -> Pruned:
    """Run retention once on everything, films, accounts and audit log included; then back up if due.

    Returns what was removed of visits. Raises StoreError.
    """
    pruned = prune(kept.database, kept.snapshots, config, now)
    kept.clips.prune(clips, config.keep_days, now)
    kept.page.prune(now)
    audit_retention.prune_by_age(kept.state_dir, config.audit_days, now)
    if kept.database.backups.due(now):
        kept.database.backups.make(now)
    return pruned


def prune(database: Database, snapshots: Snapshots, config: StoreConfig, now: datetime) -> Pruned:
    """Run retention once; return what was removed."""
    _forget_foreign(database)
    sightings, old_files = _remove_old(database, config, now)
    over_limit = _limit_snapshots(database, config)
    faces = _limit_faces(database, config)
    _remove_old_alerts(database, config, now)
    with database.write() as session:
        if config.keep_days:
            elsewhere.remove_old(session, now - timedelta(days=config.keep_days))
        gone = visitors.remove_faceless(session)
        forgotten.expire(session, now)
    freed = sum(snapshots.remove(relative) for relative in old_files + over_limit)
    orphans, orphan_bytes = _remove_orphans(database, snapshots, now)
    _unlink_missing(database, snapshots)
    return Pruned(sightings, len(old_files) + len(over_limit), orphans, freed + orphan_bytes, faces, gone)


def _remove_old(database: Database, config: StoreConfig, now: datetime) -> tuple[int, list[str]]:
    """Delete sightings that ended before the limit. Return how many, and their snapshot files."""
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
    """Delete alerts of the same age, except those with open deliveries."""
    while config.keep_days:
        with database.write() as session:
            if outbox.remove_old(session, now, config.keep_days, BATCH) < BATCH:
                break


def _limit_snapshots(database: Database, config: StoreConfig) -> list[str]:
    """Clear the oldest snapshots until the rest is within the limit. Return the files to delete."""
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


def _limit_faces(database: Database, config: StoreConfig) -> int:
    """Delete the oldest faces until the rest is within the limit; return how many."""
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
    """Delete files that belong to no sighting, half-written ones too. Return (how many, bytes)."""
    limit = (now - ORPHAN_AGE).timestamp()
    candidates = [relative for relative, stat in snapshots.files() if stat.st_mtime < limit]
    with database.read() as session:
        wanted = {row.snapshot for row in session.execute(_with_snapshot())}
    sizes = [snapshots.remove(relative) for relative in candidates if relative not in wanted]
    snapshots.remove_empty_folders(now - ORPHAN_AGE)
    return len(sizes), sum(sizes)


def _unlink_missing(database: Database, snapshots: Snapshots) -> None:
    """Clear snapshots whose file was deleted by hand."""
    with database.read() as session:
        missing = [
            row.snapshot
            for row in session.execute(_with_snapshot())
            if row.snapshot and not snapshots.path(row.snapshot).is_file()
        ]
    for start in range(0, len(missing), BATCH):
        with database.write() as session:
            session.execute(_forget_snapshots(missing[start : start + BATCH]))


def _forget_foreign(database: Database) -> None:
    """Clear what stands in the place of a snapshot's path and is none; the file that it names is left alone."""
    written = type_coerce(SightingRow.snapshot, String)
    with database.read() as session:
        foreign = [
            path for path in session.scalars(select(written).where(written.is_not(None))) if not is_snapshot_path(path)
        ]
    for start in range(0, len(foreign), BATCH):
        with database.write() as session:
            session.execute(_forget_snapshots(foreign[start : start + BATCH]))


def _with_snapshot() -> Select[Any, int]:
    return select(SightingRow.snapshot, SightingRow.snapshot_bytes).where(SightingRow.snapshot.is_not(None))


def _forget_snapshots(files: list[str]) -> Update:
    return update(SightingRow).where(SightingRow.snapshot.in_(files)).values(snapshot=None, snapshot_bytes=0, box=None)
