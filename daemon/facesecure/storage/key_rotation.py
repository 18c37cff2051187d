"""Rotate the key: decrypt every value with the old key and encrypt it with a new one, in one transaction.

The new key is stored beside the old one (``key.next``) until the database uses it. After an interruption at any point,
one of the two files matches the database, and the next start finds which (``keys.required_key``).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import delete, insert, select

from facesecure.domain.errors import StoreError
from facesecure.storage import people
from facesecure.storage.database import Database
from facesecure.storage.encryption import FieldCipher, cipher_of, mark_context, person_context, sighting_context
from facesecure.storage.keys import Key, next_path, read_key, write_key
from facesecure.storage.tables import FaceRow, KeyRow, MarkedFaceRow, SeenFaceRow, TemplateRow
from facesecure.util.files import sync_folder

_log = logging.getLogger(__name__)

_Row = FaceRow | TemplateRow | SeenFaceRow | MarkedFaceRow
_KINDS: tuple[type[_Row], ...] = (FaceRow, TemplateRow, SeenFaceRow, MarkedFaceRow)


def rotate(database: Database) -> Key:
    """Encrypt everything with a new key, and return it. Raises StoreError, and changes nothing, if it cannot."""
    with database.write() as session:
        old = cipher_of(session)
        if old.key.from_systemd:
            raise StoreError(
                f"systemd provides the key ({old.key.path}), so it cannot be replaced here",
                "run this as root, outside the service, where the key's file can be written",
            )
        new = FieldCipher(_next_key(old.key))
        for kind in _KINDS:
            for number in session.scalars(select(kind.id)).all():  # one row at a time: many are images
                row = cast(_Row, session.get_one(kind, number))
                _reencrypt(row, old, new)
                session.flush()
                session.expunge(row)
        session.execute(delete(KeyRow))
        session.execute(insert(KeyRow).values(identifier=new.identifier, since=datetime.now(UTC)))
        people.mark_changed(session)
    next_path(old.key).replace(old.key.path)
    sync_folder(old.key.path.parent)
    database.forget()  # the backups and the log use the old key
    return read_key(old.key.path)


def _next_key(old: Key) -> Key:
    path = next_path(old)
    try:
        return write_key(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}", "run this as the key's owner, or as root") from error


def _reencrypt(row: _Row, old: FieldCipher, new: FieldCipher) -> None:
    owner, table = _owner(row), row.__tablename__
    try:
        embedding = old.decrypt(row.embedding, f"{table}.embedding", owner)
        crop = b"" if isinstance(row, TemplateRow) else old.decrypt(row.crop_png, f"{table}.crop_png", owner)
    except ValueError as error:
        _log.error("row %d of %s stays as it is: %s", row.id, table, error)
        return
    row.embedding = new.encrypt(embedding, f"{table}.embedding", owner)
    if not isinstance(row, TemplateRow):
        row.crop_png = new.encrypt(crop, f"{table}.crop_png", owner)


def _owner(row: _Row) -> str:
    if isinstance(row, SeenFaceRow):
        return sighting_context(row.sighting)
    if isinstance(row, MarkedFaceRow):
        return mark_context(row.visitor_id, row.not_person_id)
    return person_context(row.person_id)
