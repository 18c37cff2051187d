"""Rotate the key: decrypt every value with the old key and encrypt it with a new one, in one transaction.

The new key is stored beside the old one (``key.next``) until the database uses it. After an interruption at any point,
one of the two files matches the database, and the next start finds which (``keys.required_key``). The signed documents
are signed with both keys before the database is committed, so that they fit whichever it is.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from facesecure.domain.errors import StoreError
from facesecure.storage import (
    account_seals,
    elsewhere,
    people,
    push_subscriptions,
    seals,
    signed_recordings,
    unfinished,
)
from facesecure.storage.audit_log import audit_log_of
from facesecure.storage.clips import Clips, clips_of
from facesecure.storage.database import Database
from facesecure.storage.encryption import (
    FieldCipher,
    cipher_of,
    face_context,
    mark_context,
    person_context,
    seen_context,
    sighting_context,
    template_context,
)
from facesecure.storage.keys import Key, next_path, read_key, write_key
from facesecure.storage.secret_files import SecretFiles
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.tables import (
    AlertRow,
    FaceRow,
    KeyRow,
    MarkedFaceRow,
    PersonRow,
    SeenFaceRow,
    SightingRow,
    TemplateRow,
    VisitorElsewhereRow,
)
from facesecure.util.files import sync_folder

_log = logging.getLogger(__name__)

_Row = FaceRow | TemplateRow | SeenFaceRow | MarkedFaceRow | VisitorElsewhereRow
_KINDS: tuple[type[_Row], ...] = (FaceRow, TemplateRow, SeenFaceRow, MarkedFaceRow, VisitorElsewhereRow)
_IMAGELESS = TemplateRow, VisitorElsewhereRow


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
                _reencrypt(session, row, old, new)
                session.flush()
                session.expunge(row)
        _seal_again(session, old, new)
        account_seals.seal_again(session, old, new)
        push_subscriptions.reencrypt(session, old, new)
        unfinished.reencrypt(session, old, new)
        session.execute(delete(KeyRow))
        session.execute(insert(KeyRow).values(identifier=new.identifier, since=datetime.now(UTC)))
        people.mark_changed(session)
        clips_of(session).rewrap(old, new)
        SecretFiles(database.path.parent).rewrap(old, new)
        _sign_files_again(database.path.parent, old.key, new.key)
    next_path(old.key).replace(old.key.path)
    sync_folder(old.key.path.parent)
    _seal_latest_entries(database.path.parent, old.key, new.key)
    Clips(database.path.parent).forget_old_keys(new)
    SecretFiles(database.path.parent).forget_old_keys(new)
    database.forget()  # the backups and the log use the old key
    return read_key(old.key.path)


def _next_key(old: Key) -> Key:
    path = next_path(old)
    try:
        return write_key(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}", "run this as the key's owner, or as root") from error


def _sign_files_again(state_dir: Path, old: Key, new: Key) -> None:
    audit_log_of(state_dir).sign_again([old, new], trusted=old)
    SignedDocuments(state_dir).sign_again([old, new], trusted=old)
    try:
        signed_recordings.sign_again(state_dir, [old, new], trusted=old)
    except OSError as error:
        _log.warning("not every recording is signed with the new key, some are made again: %s", error)


def _seal_latest_entries(state_dir: Path, old: Key, new: Key) -> None:
    """Seal the entries of the audit log that another process wrote with the old key since."""
    try:
        audit_log_of(state_dir).sign_again([new], trusted=old)
    except (StoreError, OSError) as error:
        _log.warning("the latest entries of the audit log are not sealed with the new key: %s", error)


def _seal_again(session: Session, old: FieldCipher, new: FieldCipher) -> None:
    """Seal people, alerts and visits with the new key. What others changed stays as it is, and is refused."""
    for person in session.scalars(select(PersonRow)):
        if seals.is_genuine(old, person):
            person.seal = seals.person_seal(new, person)
    for alert in session.scalars(select(AlertRow)):
        if seals.matches(seals.alert_seal(old, alert.identifier, alert.document), alert.seal):
            alert.seal = seals.alert_seal(new, alert.identifier, alert.document)
    visits = select(SightingRow.identifier, SightingRow.visitor_id, SightingRow.visitor_seal)
    for identifier, visitor, seal in session.execute(visits.where(SightingRow.visitor_id.is_not(None))).all():
        if visitor is not None and seals.matches(seals.visit_seal(old, identifier, visitor), seal):
            this = SightingRow.identifier == identifier
            again = seals.visit_seal(new, identifier, visitor)
            session.execute(update(SightingRow).where(this).values(visitor_seal=again))


def _reencrypt(session: Session, row: _Row, old: FieldCipher, new: FieldCipher) -> None:
    owner_of_embedding, owner_of_crop = _owners(session, row)
    table = row.__tablename__
    try:
        embedding = old.decrypt(row.embedding, f"{table}.embedding", owner_of_embedding)
        crop = b"" if isinstance(row, _IMAGELESS) else old.decrypt(row.crop_png, f"{table}.crop_png", owner_of_crop)
    except ValueError as error:
        _log.error("row %d of %s stays as it is: %s", row.id, table, error)
        return
    row.embedding = new.encrypt(embedding, f"{table}.embedding", owner_of_embedding)
    if not isinstance(row, _IMAGELESS):
        row.crop_png = new.encrypt(crop, f"{table}.crop_png", owner_of_crop)


def _owners(session: Session, row: _Row) -> tuple[str, str]:
    """Return the owners of the row's embedding and of its image, as authenticated data."""
    if isinstance(row, SeenFaceRow):
        return seen_context(row.sighting, row.model_sha256), sighting_context(row.sighting)
    if isinstance(row, MarkedFaceRow):
        not_person = None if row.not_person_id is None else session.get_one(PersonRow, row.not_person_id).uid
        owner = mark_context(row.visitor_id, not_person, row.sighting, row.marked_at, row.model_sha256)
        return owner, owner
    if isinstance(row, VisitorElsewhereRow):
        return elsewhere.owner_of(row), ""
    person = session.get_one(PersonRow, row.person_id)
    if isinstance(row, TemplateRow):
        return template_context(person.uid, person.edition, row.model_sha256, row.faces), ""
    return face_context(person.uid, row.model_sha256), person_context(person.uid)
