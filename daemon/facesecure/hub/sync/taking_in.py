"""Take in what other doors say of people: nothing of it is believed before it was checked."""

from __future__ import annotations

import logging

from facesecure.domain.errors import BusyError, DiskFullError, EnrolmentError, FacesecureError, HubError, ModelError
from facesecure.domain.records import Person
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import SharedPerson
from facesecure.hub.sealing import DataKey
from facesecure.hub.sync.local_people import Welcome
from facesecure.hub.sync.merging import Facts, merged
from facesecure.hub.sync.people_state import Shared
from facesecure.hub.sync.person_document import PersonDocument
from facesecure.hub.sync.removing import FOR_GOOD, bury
from facesecure.hub.sync.round import Round

_log = logging.getLogger(__name__)


def pull(work: Round) -> bool:
    """Take in everybody who has changed at the hub since, for some seconds. Return whether that is all.

    After a backup of the hub was put back, everything is read anew, and what is older there than here is missing.
    Raises HubError, StoreError.
    """
    state = work.state
    if work.hub.people.was_put_back(state.last, state.cursor, state.people) or work.hub.doors.is_behind(state.cursor):
        work.state.cursor = 0
        for entry in work.state.people.values():
            entry.missing = True
    while rows := work.hub.people.after(work.state.cursor):
        for row in rows:
            if work.is_late():
                work.state.save()
                return False
            take_in(work, row)
            state.cursor = row.revision
            state.last.note(row.person.identifier, row.revision, row.person.signature)
        state.cursor = rows.read_to
        work.state.save()
    return True


def take_again(work: Round) -> None:
    """Try again whom this door could not take in, as people here have changed since, or other doors are trusted.

    Raises HubError, StoreError.
    """
    unknown = [one for one, entry in work.state.people.items() if entry.uid is None or entry.put_back]
    for identifier in dict.fromkeys([*unknown, *work.state.refused]):
        row = work.hub.people.get(identifier)
        if row is None or take_in(work, row, again=True):
            work.state.refused.pop(identifier, None)


def take_in(work: Round, row: SharedPerson, *, again: bool = False) -> bool:
    """Take in one person. Return whether it is this door's view now; a note and the log say why not.

    Raises HubError, and StoreError if the disk is full.
    """
    identifier = row.person.identifier
    entry = work.state.people.get(identifier)
    known = entry.version - entry.missing if entry else 0  # of a hub put back, it may be another document
    if entry is not None and row.person.version <= known and not again:
        return True
    gone = work.state.gone.get(identifier, 0)
    if gone == FOR_GOOD:
        return True
    if row.person.version <= gone:
        bury(work, identifier, row.person.version)
        work.state.refused.pop(identifier, None)
        return _refused(work, identifier, "a person who was removed came back at the hub, and is left out")
    try:
        found = _opened(work, row, entry)
        if found is not None:
            _apply(work, identifier, row, *found)
        return True
    except NotGenuineError as error:
        return _put_off(work, identifier, f"what is at the hub of a person is left out: {error}")
    except (HubError, DiskFullError, BusyError, OSError):
        raise
    except FacesecureError as error:
        work.state.failed.add(identifier)
        return _put_off(work, identifier, f"a person of {work.door_name(row.person.author)}: {error.message}")
    except Exception:  # noqa: BLE001 - whatever a door writes, it must not keep this one from the others' people
        if identifier not in work.state.refused:
            _log.exception("a person of another door cannot be taken in; this is a bug, please report it")
        work.state.failed.add(identifier)
        return _put_off(work, identifier, f"a person of {work.door_name(row.person.author)} cannot be taken in")


def is_genuine(work: Round, row: SharedPerson) -> bool:
    """Return whether a person at the hub is as a door that may change them wrote it, as far as is known here."""
    try:
        _opened(work, row, work.state.people.get(row.person.identifier))
        return True
    except NotGenuineError:
        return row.person.author not in work.trusted.encoded() or _is_closed(work, row)  # a new door, perhaps


def _is_closed(work: Round, row: SharedPerson) -> bool:
    """Return whether a door that may change the person wrote it under a key that this door does not have."""
    try:
        work.trusted.check_person(row.person)
    except NotGenuineError:
        return False
    try:
        work.documents.open_person(row)
    except NotGenuineError:
        return True
    return False


def _opened(work: Round, row: SharedPerson, entry: Shared | None) -> tuple[PersonDocument, DataKey] | None:
    """Return the document and its key, None for a tombstone. Raises NotGenuineError."""
    plain, key = work.documents.open_person(row, newest=entry.version if entry else 0)
    if entry is not None and row.person.household != entry.household:
        raise NotGenuineError("it is of another household than before")
    return None if plain is None else (PersonDocument.decode(plain), key)


def _apply(work: Round, identifier: str, row: SharedPerson, document: PersonDocument, key: DataKey) -> None:
    """Make the document and what was changed here one, in the store and in what is remembered."""
    entry = work.state.people.get(identifier) or Shared(row.person.household, row.person.author, key)
    person = _person(work, identifier, entry, document)
    if person is None and entry.uid in work.local.removed():
        work.state.people[identifier] = entry
        return  # removed here: the hub is about to learn it
    wanted = _welcome(work, entry, row, document) if person is None else _merge(work, entry, row, document, person)
    _agree(work, entry, row, document, key, wanted)
    work.state.people[identifier] = entry
    for uid in work.state.begun_as(identifier):
        del work.state.begun[uid]


def _person(work: Round, identifier: str, entry: Shared, document: PersonDocument) -> Person | None:
    """Return the local person, also one whose enrolment was interrupted; None if there is none."""
    here, removed = work.local.all(), work.local.removed()
    if entry.uid is None:
        begun = [uid for uid in work.state.begun_as(identifier) if uid in here or uid in removed]
        if begun:
            entry.uid, entry.name = begun[-1], document.name
            entry.local = here[entry.uid].name if entry.uid in here else ""
    return here.get(entry.uid or "")


def _welcome(work: Round, entry: Shared, row: SharedPerson, document: PersonDocument) -> frozenset[str]:
    """Enrol somebody new, or find who it is. Return the faces that they shall have."""
    if (twin := _twin(work, row, document)) is not None:
        _unite(work, row.person.identifier, entry, *twin, document)
        return frozenset(document.faces)
    door = work.door_name(row.person.author)
    try:
        welcome = work.local.welcome(
            document.name,
            door,
            document.faces,
            taken=lambda uid: bool(work.state.of_uid(uid)),
            begin=lambda uid: work.state.begin(uid, row.person.identifier),
        )
    except (EnrolmentError, ModelError) as error:  # of this door, not of the person: tried again after a change here
        if isinstance(error, ModelError):
            work.state.failed.add(row.person.identifier)  # and before, as the models may be there the next time
        welcome = Welcome(None, document.name, f"{document.name} is not known here: {error.message}")
    entry.uid, entry.local, entry.note = welcome.uid, welcome.name, welcome.problem
    return frozenset(document.faces)


def _twin(work: Round, row: SharedPerson, document: PersonDocument) -> tuple[str, Person] | None:
    """Return under which identifier a local person of that name and face is shared, as two doors enrolled them at once.

    Also that local person.
    """
    person = work.local.called(document.name)
    found = work.state.of_uid(person.uid) if person else None
    if person is None or found is None or row.person.household != work.own.household or not work.ours(found[1]):
        return None
    return (found[0], person) if work.local.is_same(person.name, document.faces) else None


def _unite(work: Round, identifier: str, entry: Shared, other: str, person: Person, document: PersonDocument) -> None:
    """Keep the lower of two identifiers of one person; the door that knows them by the higher one removes that."""
    if identifier > other:
        return
    person = work.local.add(person, document.faces)
    entry.uid, entry.local = person.uid, person.name
    work.state.people[other].uid, work.state.people[other].twin = None, True


def _merge(work: Round, entry: Shared, row: SharedPerson, document: PersonDocument, person: Person) -> frozenset[str]:
    """Change a person here as another door did. Return the faces that they shall have."""
    there, held = facts_of(document), frozenset(work.local.faces(person.name))
    name = entry.name if person.name == entry.local else person.name
    here = Facts(name, work.named_at(person, entry), held | entry.left_out, entry.doors)
    base = entry.facts() if entry.version else None
    wanted = merged(here if entry.put_back else base, here, there)
    now = work.local.add(person, {one: document.faces[one] for one in wanted.faces & there.faces - here.faces})
    work.local.take_away(now.name, held - wanted.faces)
    entry.local, entry.note = person.name, ""
    if wanted.name not in (name, person.name) and now.name == person.name:  # else renamed here while faces were judged
        entry.local = work.local.rename(person.name, wanted.name, work.door_name(row.person.author))
    elif wanted.name != there.name:
        entry.local = ""  # the name that was given here is the newer one, and to be handed out
    return wanted.faces


def _agree(
    work: Round, entry: Shared, row: SharedPerson, document: PersonDocument, key: DataKey, wanted: frozenset[str]
) -> None:
    """Remember the document as what this door and the hub agree on. Of ``wanted`` faces some may not have passed."""
    there = facts_of(document)
    person = work.local.all().get(entry.uid or "")
    held = frozenset(work.local.faces(person.name)) if person else frozenset()
    entry.left_out = (there.faces & wanted) - held
    if entry.author != row.person.author or entry.version == 0:
        entry.holders = frozenset()  # only the author knows them
    entry.version, entry.author, entry.key, entry.missing = row.person.version, row.person.author, key, False
    entry.put_back = False
    entry.name, entry.named_at, entry.faces, entry.doors = there.name, there.named_at, there.faces, there.doors
    settled = person is not None and held | entry.left_out == there.faces and person.name == entry.local
    entry.edition = person.edition if person is not None and settled else ""
    if person is not None and entry.local and entry.local != entry.name:
        entry.note = f"{entry.name} of {work.door_name(entry.author)} is called {entry.local} here"


def facts_of(document: PersonDocument) -> Facts:
    """Return a document without its pictures."""
    doors = None if document.doors is None else frozenset(document.doors)
    return Facts(document.name, document.named_at, frozenset(document.faces), doors)


def _put_off(work: Round, identifier: str, why: str) -> bool:
    """Note why somebody is not taken in now: ``take_again`` tries again."""
    taken = _refused(work, identifier, why)
    work.state.refused[identifier] = None
    return taken


def _refused(work: Round, identifier: str, why: str) -> bool:
    entry = work.state.people.get(identifier)
    if (identifier not in work.state.refused) if entry is None else entry.note != why:
        _log.warning("the hub: %s (%s)", why, identifier)
    if entry is not None:
        entry.note = why
    return False
