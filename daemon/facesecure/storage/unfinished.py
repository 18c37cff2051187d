"""Removals that are not finished: what is left to do after the transaction that removed the rows.

It is written down in that transaction, encrypted, and removed when it is done: a process that is killed in between
leaves it to the next command, or to the next start of the daemon.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from facesecure.storage.database import Database
from facesecure.storage.encryption import FieldCipher, cipher_of
from facesecure.storage.redrawing import show_only
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.tables import RemovalRow

_COLUMN = "removals.job"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Removal:
    """What is left to do after the transaction of a removal.

    ``name`` is to be replaced by ``becomes`` in the other files; empty if a visitor was removed. ``files`` are
    snapshots to delete, ``redrawn`` snapshots of which only the face in its box (left, top, right, bottom) stays.
    ``number`` identifies the removal.
    """

    name: str
    becomes: str
    files: tuple[str, ...] = ()
    redrawn: tuple[tuple[str, tuple[float, ...]], ...] = ()
    erased: bool = False
    number: int = 0


def begin(session: Session, removal: Removal) -> None:
    """Write down what is left to do once the transaction is committed."""
    session.add(RemovalRow(job=_encrypted(cipher_of(session), removal)))


def all_of(database: Database) -> list[Removal]:
    """Return the removals that are not finished, oldest first."""
    with database.read() as session:
        rows, cipher = session.scalars(select(RemovalRow).order_by(RemovalRow.id)).all(), cipher_of(session)
        return [one for row in rows if (one := _removal(cipher, row)) is not None]


def erase(database: Database, snapshots: Snapshots) -> None:
    """Delete and redraw the snapshots of all removals, and erase what was deleted from log and backups.

    While another process keeps the log, this is to be done again. Raises StoreError or OSError.
    """
    waiting = [one for one in all_of(database) if not one.erased]
    for removal in waiting:
        for file in removal.files:
            snapshots.remove(file)
        for file, box in removal.redrawn:
            show_only(snapshots, file, box)
    if waiting and database.forget():
        for removal in waiting:
            _note_erased(database, removal)


def finish(database: Database, removal: Removal) -> None:
    """Remove the note of a removal: nothing is left to do."""
    with database.write() as session:
        session.execute(delete(RemovalRow).where(RemovalRow.id == removal.number))


def _note_erased(database: Database, removal: Removal) -> None:
    if not removal.name:
        finish(database, removal)
        return
    with database.write() as session:
        row = session.get(RemovalRow, removal.number)
        if row is not None:
            done = replace(removal, files=(), redrawn=(), erased=True)
            row.job = _encrypted(cipher_of(session), done)


def reencrypt(session: Session, old: FieldCipher, new: FieldCipher) -> None:
    """Encrypt the removals with a new key; names that were removed cannot be sealed again."""
    for row in session.scalars(select(RemovalRow)):
        removal = _removal(old, row)
        if removal is not None:
            row.job = _encrypted(new, removal)


def _encrypted(cipher: FieldCipher, removal: Removal) -> bytes:
    return cipher.encrypt(json.dumps(asdict(replace(removal, number=0))).encode(), _COLUMN, "")


def _removal(cipher: FieldCipher, row: RemovalRow) -> Removal | None:
    try:
        found = json.loads(cipher.decrypt(row.job, _COLUMN, ""))
        redrawn = tuple((str(file), tuple(map(float, box))) for file, box in found["redrawn"])
        name, becomes, erased = str(found["name"]), str(found["becomes"]), bool(found["erased"])
        return Removal(name, becomes, tuple(found["files"]), redrawn, erased, row.id)
    except (ValueError, KeyError, TypeError) as error:
        _log.error("a removal cannot be finished, for it cannot be read: %s", error)
        return None
