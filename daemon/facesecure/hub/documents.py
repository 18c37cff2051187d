"""Turn what doors share into rows of the hub, sealed and signed, and rows into what their author wrote, checked.

The one place where rows are made and opened: nothing else seals, signs, wraps or unwraps. What is no genuine row for
this door raises NotGenuineError.
"""

from __future__ import annotations

from collections.abc import Iterable

from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate, Identity, require_signature
from facesecure.hub.rows import (
    SIGNATURE_BYTES,
    HouseholdKey,
    NewSighting,
    Person,
    PersonKey,
    Record,
    RecordKind,
    SharedPerson,
    Sighting,
    Status,
)
from facesecure.hub.sealing import (
    CROP,
    PERSON,
    SIGHTING,
    STATUS,
    DataKey,
    Place,
    key_version,
    person_key_place,
    seal,
    unambiguous,
    unseal,
    wrap,
)
from facesecure.hub.signing import sign_document, sign_wrapped
from facesecure.hub.trust import TrustedDoors


class Documents:
    """Seals and opens as one door. One thread uses it.

    Example::

        documents = Documents(identity, trusted, store.household_keys.mine())
        row = documents.record(RecordKind.MODE, household, version=4, plain=b"away")
        documents.open_record(row, newest=3)  # b"away"
    """

    def __init__(self, identity: Identity, doors: TrustedDoors, keys: Iterable[HouseholdKey], least: int = 0) -> None:
        """Use the keys of the household that are genuine; without any, only people can be opened.

        Nothing is sealed with a version below ``least``: somebody who was shut out may have it.
        """
        self._identity, self._doors, self._least = identity, doors, least
        self._own = identity.own()
        self._keys: dict[int, DataKey] = {}
        self.learn(keys)

    @property
    def newest(self) -> int:
        """The newest version of the household's key that this door has, 0 if it has none."""
        return max(self._keys, default=0)

    def learn(self, keys: Iterable[HouseholdKey]) -> list[str]:
        """Learn versions of the household's key. Return a sentence for each that is not genuine."""
        refused = []
        for row in keys:
            if row.household != self._own.household:
                continue  # the manager gets those of all households
            try:
                self._keys[row.version] = self._doors.household_key(row)
            except NotGenuineError as error:
                refused.append(f"a key of the household is not genuine: {error}")
        return refused

    def person(self, identifier: str, version: int, plain: bytes, key: DataKey) -> Person:
        """Return a person's row under their ``key``: sealed, signed by this door."""
        place = self._place(PERSON, identifier, version)
        document = seal(key, plain, place)
        return Person(identifier, self._own.household, self._own.door, version, document, self._signed(place, document))

    def keys_for(self, person: str, key: DataKey, doors: Iterable[Certificate]) -> list[PersonKey]:
        """Return a person's ``key``, wrapped for each of ``doors``."""
        rows = []
        for door in doors:
            place = person_key_place(self._identity.estate, person, door.door)
            wrapped = wrap(key, door.box_key, place)
            signature = sign_wrapped(self._identity.keys, place, self._own.door, wrapped)
            rows.append(PersonKey(person, door.door, wrapped, self._own.door, signature))
        return rows

    def tombstone(self, person: str, version: int) -> bytes:
        """Return the signature that removes a person, for ``HubStore.people.remove`` and ``withdraw``."""
        return self._signed(self._place(PERSON, person, version), None)

    def open_person(self, shared: SharedPerson, newest: int = 0) -> tuple[bytes | None, DataKey]:
        """Return a person's document, None if they were removed, and their key; refuse what is below ``newest``."""
        row = shared.person
        self._doors.check_person(row, newest)
        if shared.key.person != row.identifier or shared.key.door != self._own.door:
            raise NotGenuineError("it is the key of another person or door")
        key = self._doors.person_key(shared.key)
        if row.document is None:
            return None, key
        return unseal(key, row.document, self._place(PERSON, row.identifier, row.version)), key

    def record(self, kind: RecordKind, identifier: str, version: int, plain: bytes | None) -> Record:
        """Return a record of the household, or with None its tombstone."""
        place = self._place(kind, identifier, version)
        document = None if plain is None else seal(self._newest_key(), plain, place)
        signature = self._signed(place, document)
        return Record(kind, identifier, self._own.household, self._own.door, version, document, signature)

    def open_record(self, row: Record, newest: int = 0) -> bytes | None:
        """Return what a record says, None if it was removed; refuse what is below ``newest``."""
        self._doors.check_record(row, newest)
        if row.document is None:
            return None
        return self._opened(row.document, self._place(row.kind, row.identifier, row.version))

    def sighting(self, identifier: str, plain: bytes) -> NewSighting:
        """Return a sighting of this door."""
        place = self._place(SIGHTING, identifier)
        document = seal(self._newest_key(), plain, place)
        return NewSighting(identifier, document, self._signed(place, document))

    def open_sighting(self, row: Sighting) -> bytes:
        """Return what a door of the household has seen."""
        self._doors.check_sighting(row)
        return self._opened(row.document, self._place(SIGHTING, row.identifier))

    def crop(self, sighting: str, plain: bytes) -> bytes:
        """Return the sealed crop of a sighting of this door."""
        return self._sealed_and_signed(self._place(CROP, sighting), plain)

    def open_crop(self, row: Sighting, sealed: bytes) -> bytes:
        """Return the crop of a sighting, which its own door has handed in."""
        return self._checked(self._place(CROP, row.identifier), row.author, row.household, sealed)

    def status(self, plain: bytes) -> bytes:
        """Return the sealed status of this door."""
        return self._sealed_and_signed(self._place(STATUS, self._own.door), plain)

    def open_status(self, row: Status) -> bytes | None:
        """Return the status of a door of the household, None if it has given none. An older one may be put back."""
        if row.document is None:
            return None
        return self._checked(self._place(STATUS, row.door), row.door, row.household, row.document)

    def has_key_of(self, sealed: bytes) -> bool:
        """Return whether this door has the version of the household's key that ``sealed`` needs.

        Raises NotGenuineError if it is not sealed at all.
        """
        return key_version(sealed) in self._keys

    def _place(self, kind: str, identifier: str, version: int = 1) -> Place:
        return Place(self._identity.estate, kind, identifier, version)

    def _signed(self, place: Place, document: bytes | None) -> bytes:
        return sign_document(self._identity.keys, place, self._own.household, self._own.door, document)

    def _newest_key(self) -> DataKey:
        if not self._keys:
            raise NotGenuineError("this door has no key of its household")
        if self.newest < self._least:
            raise NotGenuineError(older_key(self.newest, self._least))
        return self._keys[self.newest]

    def _opened(self, sealed: bytes, place: Place) -> bytes:
        key = self._keys.get(key_version(sealed))
        if key is None:
            raise NotGenuineError("it is sealed with a key of the household that this door does not have")
        return unseal(key, sealed, place)

    def _sealed_and_signed(self, place: Place, plain: bytes) -> bytes:
        """Seal ``plain`` with its signature inside: such rows have no column for one."""
        signature = self._identity.keys.sign(unambiguous(place.bound("inside"), plain))
        return seal(self._newest_key(), signature + plain, place)

    def _checked(self, place: Place, author: str, household: str, sealed: bytes) -> bytes:
        door = self._doors.door(author)
        if not door.household == household == self._own.household:
            raise NotGenuineError("its door belongs to another household")
        opened = self._opened(sealed, place)
        signature, plain = opened[:SIGNATURE_BYTES], opened[SIGNATURE_BYTES:]
        require_signature(door.sign_key, signature, unambiguous(place.bound("inside"), plain))
        return plain


def older_key(newest: int, least: int) -> str:
    """Return a sentence: the hub has ``newest`` of the household's key where this door has seen ``least``."""
    return (
        f"the hub had version {least} of the household's key and has only {newest or 'none'}: this door shares nothing"
        " until the manager has written it anew, which its daemon does within minutes"
    )
