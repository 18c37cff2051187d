"""Hand out what was changed at this door: new people, and faces and names of those who are shared."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from facesecure.domain.errors import (
    BusyError,
    DiskFullError,
    FacesecureError,
    HubConflictError,
    HubError,
    HubRefusedError,
    StoreError,
)
from facesecure.domain.records import EnrolledFace, Person
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate
from facesecure.hub.sealing import DataKey
from facesecure.hub.sync.people_state import Shared
from facesecure.hub.sync.person_document import MOST_FACES, PersonDocument, SharedFace, shared_face
from facesecure.hub.sync.round import Round
from facesecure.hub.sync.taking_in import is_genuine, take_in

_log = logging.getLogger(__name__)


def add_new(work: Round) -> None:
    """Give everybody who was enrolled here an identifier and a key, before anything is written to the hub."""
    if not work.may_enrol:
        return
    shared = {entry.uid for entry in work.state.people.values()} | work.state.begun.keys()
    for uid, person in work.local.all().items():
        if uid not in shared and person.genuine:
            entry = Shared(work.own.household, work.own.door, DataKey.made(), uid=uid, named_at=work.hub_time())
            entry.safe_from = work.shut_out_from(entry)
            work.state.people[secrets.token_hex(16)] = entry
    work.state.save()


def hand_out(work: Round) -> bool:
    """Write to the hub whom this door may change and has changed, for some seconds. Return whether that is all.

    What the hub does not take of one person, or cannot be read here, is noted, and does not hold up the others. Raises
    HubError, and StoreError if the database cannot be used now.
    """
    people = work.local.all()
    for identifier, entry in list(work.state.people.items()):
        person = people.get(entry.uid or "")
        if person is None or not person.genuine or not work.ours(entry) or identifier in work.state.failed:
            continue
        if entry.missing or (person.edition, person.name) != (entry.edition, entry.local):
            if work.is_late():
                work.state.save()
                return False
            _guarded(work, identifier, entry, person)
    work.state.save()
    return True


def _guarded(work: Round, identifier: str, entry: Shared, person: Person) -> None:
    try:
        if _hand_out(work, identifier, person):
            entry.edition = person.edition
    except (HubRefusedError, HubConflictError) as error:
        entry.note, entry.edition = f"{person.name} cannot be shared: {error.message}", person.edition
        _log.warning("%s", entry.note)
    except (HubError, BusyError, DiskFullError):
        raise
    except StoreError as error:  # as of a damaged face
        work.put_off(identifier, entry, f"{person.name} cannot be shared: {error.message}")
    except ValueError as error:  # also a NotGenuineError
        entry.edition = person.edition
        _log.warning("a person is not handed out: %s (%s)", error, identifier)


def _hand_out(work: Round, identifier: str, person: Person) -> bool:
    """Write one person. Return False if another door was quicker: to be done again."""
    entry = work.state.people[identifier]
    row = work.hub.people.get(identifier)
    if row is not None and (row.person.version > entry.version or entry.put_back) and is_genuine(work, row):
        take_in(work, row, again=entry.put_back)
        return False
    if row is None and entry.version and not entry.missing:
        return True  # this door knows the person no longer: an order to wipe is under way
    document = document_of(work, identifier, entry, person)
    same = frozenset(document.faces) == entry.faces and document.name == entry.name
    if row is not None and same and row.person.version == entry.version:
        entry.missing, entry.local = False, person.name
        if entry.name == entry.local:
            entry.note = ""  # what was wrong is mended
        return True
    at_hub = row.person.version if row else 0
    holders, key = work.holders(entry), DataKey.made(entry.key.version + 1) if work.needs_key(entry) else entry.key
    if not write(work, identifier, document, key, max(at_hub, entry.version) + 1, at_hub, holders):
        if row is None:
            raise HubConflictError("the hub has another person in this place", "")
        return False
    entry.local = person.name
    return True


def document_of(work: Round, identifier: str, entry: Shared, person: Person) -> PersonDocument:
    """Return what the doors shall know of a person: as it is here, with the faces that only others use."""
    held = work.local.faces(person.name)
    gone = entry.faces - entry.left_out - held.keys()
    faces = _chosen(entry, held, _others(work, identifier, entry) if entry.left_out else {}, gone)
    renamed = person.name != entry.local or not entry.version
    name = person.name if renamed else entry.name
    named_at = work.named_at(person, entry) if renamed else entry.named_at
    return PersonDocument(name, named_at, faces, None if entry.doors is None else tuple(sorted(entry.doors)))


def write(
    work: Round,
    identifier: str,
    document: PersonDocument,
    key: DataKey,
    version: int,
    after: int,
    holders: list[Certificate],
) -> bool:
    """Put a document with the key for ``holders``, and remember it. Return False if another door was quicker."""
    row, entry = work.documents.person(identifier, version, document.encode(), key), work.state.people[identifier]
    if work.hub.people.put(row, work.documents.keys_for(identifier, key, holders), after) is None:
        return False
    if key != entry.key:
        entry.renew, entry.safe_from = False, work.shut_out_from(entry)
    entry.version, entry.author, entry.key, entry.missing, entry.note = version, work.own.door, key, False, ""
    entry.put_back = False
    entry.name, entry.named_at, entry.faces = document.name, document.named_at, frozenset(document.faces)
    entry.left_out &= entry.faces
    entry.doors = None if document.doors is None else frozenset(document.doors)
    present = {one.door for one in work.trusted.present()}  # who has the key and shall not: it is taken from them
    entry.holders = frozenset(one.door for one in holders) | (entry.holders & present)
    return True


def _others(work: Round, identifier: str, entry: Shared) -> Mapping[str, SharedFace]:
    """Return the faces at the hub; none if they cannot be read, as where their door was removed."""
    row = work.hub.people.get(identifier)
    try:
        plain = work.documents.open_person(row, newest=entry.version)[0] if row else None
        return {} if plain is None else PersonDocument.decode(plain).faces
    except (NotGenuineError, FacesecureError):
        return {}


def _chosen(
    entry: Shared, held: Mapping[str, EnrolledFace], others: Mapping[str, SharedFace], gone: frozenset[str]
) -> dict[str, SharedFace]:
    """Return as many faces as a document has room for: those that are shared already, then the newest."""
    used_elsewhere = sorted(one for one in entry.left_out if one in others and one not in gone)
    kept = {one: others[one] for one in used_elsewhere[: MOST_FACES - 1]}
    own = sorted(held.items(), key=lambda item: (item[0] not in entry.faces, -item[1].added_at.timestamp(), item[0]))
    return {**kept, **{one: shared_face(face) for one, face in own[: MOST_FACES - len(kept)]}}
