"""Which doors are trusted, and what each may write: rows from the hub are believed only after these checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate, Identity, checked_certificate
from facesecure.hub.rows import (
    Door,
    HouseholdKey,
    NewDoor,
    Person,
    PersonKey,
    Record,
    RecordKind,
    Removal,
    Right,
    Sighting,
)
from facesecure.hub.sealing import (
    PERSON,
    SIGHTING,
    DataKey,
    Place,
    household_key_place,
    person_key_place,
    unwrap,
)
from facesecure.hub.signing import check_document, check_wrapped

_NEEDED = MappingProxyType({RecordKind.MODE: Right.ARM, RecordKind.ARMING: Right.ARM})
"""The right that the author of a record needs; other kinds need none."""


class TrustedDoors:
    """The doors whose certificates the authority signed, by identifier. One thread uses it.

    Example::

        doors = TrustedDoors(identity)
        refused = doors.learn(store.doors(after=cursor))
        doors.check_person(row, newest=known_version)
    """

    def __init__(self, identity: Identity, known: Mapping[str, bytes] | None = None) -> None:
        """Trust ``known``: certificates by door, as ``encoded`` returned them before, from a signed document."""
        self._identity = identity
        self._encoded: dict[str, bytes] = {}
        self._certificates: dict[str, Certificate] = {}
        for encoded in (known or {}).values():
            self._learn(encoded)

    def learn(self, rows: Iterable[Door | NewDoor]) -> list[str]:
        """Learn the certificates of ``rows``. Return a sentence for each that is refused: forged, or old."""
        refused = []
        for row in rows:
            try:
                if self._learn(row.certificate, row.identifier) is None:
                    refused.append(f"an older certificate of the door {row.identifier} was put back")
            except NotGenuineError as error:
                refused.append(f"the door {row.identifier} is not trusted: {error}")
        return refused

    def encoded(self) -> dict[str, bytes]:
        """Return the certificates to keep across restarts, by door."""
        return dict(self._encoded)

    def present(self) -> list[Certificate]:
        """Return the certificates of the doors that belong to the estate now."""
        return [certificate for certificate in self._certificates.values() if not certificate.removed]

    def removed(self) -> list[Certificate]:
        """Return the last certificates of the doors that were shut out."""
        return [certificate for certificate in self._certificates.values() if certificate.removed]

    def half_removed(self, rows: Iterable[Door]) -> list[Certificate]:
        """Return the doors whose certificate was revoked, and whose row says nothing of it: remove them again."""
        there = {row.identifier for row in rows if row.removed_at is None}
        return [one for one in self._certificates.values() if one.removed and one.door in there]

    def door(self, identifier: str) -> Certificate:
        """Return the certificate of a door that belongs to the estate now. Raises NotGenuineError."""
        certificate = self._certificates.get(identifier)
        if certificate is None or certificate.removed:
            raise NotGenuineError(
                f"the door {identifier} is not trusted" if certificate is None else "its door was removed"
            )
        return certificate

    def check_person(self, row: Person, newest: int = 0) -> Certificate:
        """Return the author of a person's row, or of its tombstone.

        Raises NotGenuineError if it is not of a door of the person's household that may enrol, and share if that is
        not this door's, or older than ``newest``, the highest version seen.
        """
        author = self._author(row.author, row.household, Right.ENROL)
        self._require_shared(author)
        _require_newer(row.version, newest)
        place = Place(self._identity.estate, PERSON, row.identifier, row.version)
        check_document(author, row.signature, place, row.household, row.document)
        return author

    def check_removal(self, row: Removal, newest: int = 0) -> Certificate:
        """Return the author of an order to wipe a person. Raises NotGenuineError as ``check_person`` does."""
        author = self._author(row.ordered_by, row.household, Right.ENROL)
        _require_newer(row.version, newest)
        place = Place(self._identity.estate, PERSON, row.person, row.version)
        check_document(author, row.signature, place, row.household, None)
        return author

    def check_record(self, row: Record, newest: int = 0) -> Certificate:
        """Return the author of a record. Raises NotGenuineError as ``check_person`` does; the mode needs ``arm``."""
        author = self._author(row.author, row.household, _NEEDED.get(row.kind))
        _require_newer(row.version, newest)
        place = Place(self._identity.estate, row.kind, row.identifier, row.version)
        check_document(author, row.signature, place, row.household, row.document)
        return author

    def check_sighting(self, row: Sighting) -> Certificate:
        """Return the author of a sighting. Raises NotGenuineError if it is not of a door of its household."""
        author = self._author(row.author, row.household, None)
        place = Place(self._identity.estate, SIGHTING, row.identifier)
        check_document(author, row.signature, place, row.household, row.document)
        return author

    def person_key(self, row: PersonKey) -> DataKey:
        """Return the data key of a person that was wrapped for this door.

        Raises NotGenuineError if it is another door's, or its author may not enrol.
        """
        author = self._author(row.author, None, Right.ENROL)
        self._require_shared(author)
        place = person_key_place(self._identity.estate, row.person, row.door)
        check_wrapped(author.sign_key, row.signature, place, row.author, row.wrapped)
        return unwrap(self._identity.keys.box, row.wrapped, place)

    def household_key(self, row: HouseholdKey) -> DataKey:
        """Return a key of this door's household. Raises NotGenuineError unless it was made for this door."""
        identity = self._identity
        if row.household != identity.own().household:
            raise NotGenuineError("it is the key of another household")
        place = household_key_place(identity.estate, row.household, row.version, row.door)
        check_wrapped(identity.authority_key, row.signature, place, row.author, row.wrapped)
        key = unwrap(identity.keys.box, row.wrapped, place)
        if key.version != row.version:
            raise NotGenuineError("it is another version of the key")
        return key

    def _require_shared(self, author: Certificate) -> None:
        """Raise NotGenuineError for a person of another household, unless that door may share its people."""
        if author.household != self._identity.own().household and not author.may(Right.SHARE):
            raise NotGenuineError("its door may not share people with other households")

    def _author(self, door: str, household: str | None, right: Right | None) -> Certificate:
        author = self.door(door)
        if household is not None and author.household != household:
            raise NotGenuineError("its door belongs to another household")
        if right is not None and not author.may(right):
            raise NotGenuineError(f"its door has not the right to {right}")
        return author

    def _learn(self, encoded: bytes, door: str | None = None) -> Certificate | None:
        certificate = checked_certificate(encoded, self._identity.authority_key, self._identity.estate)
        if door is not None and certificate.door != door:
            raise NotGenuineError("the certificate is another door's")
        before = self._certificates.get(certificate.door)
        if before is not None and (before.serial > certificate.serial or before.removed):
            return None if certificate != before else before
        if before is not None and before.serial == certificate.serial and before != certificate:
            raise NotGenuineError("the authority signed two certificates with one number")
        self._certificates[certificate.door], self._encoded[certificate.door] = certificate, encoded
        return certificate


def _require_newer(version: int, newest: int) -> None:
    if version < newest:
        raise NotGenuineError("it is older than what was seen before")
