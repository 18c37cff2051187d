"""What the hub's database holds, as values: everything secret in them is sealed before it comes here.

The rows are those of a database that somebody else runs, so each checks its shape when it is made and raises ValueError
otherwise; the store leaves out a row that fails, and logs it. Whether a row is *true* is not known here: signatures,
certificates and rights are checked by whoever opens its document.

Identifiers are 32 lowercase hexadecimal digits (128 random bits), except those of records, which their kind chooses.
Times are the hub's, aware and in UTC. ``revision`` grows with every change in the whole database, in the order in which
changes become visible: a reader that asks for what is above the last one it has seen misses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from facesecure.hub.row_checks import (
    KEPT_DAYS,
    KEY_BYTES,
    MAX_CERTIFICATE,
    MAX_CROP,
    MAX_MAC,
    MAX_PERSON,
    MAX_RECORD,
    MAX_SIGHTING,
    MAX_STATUS,
    MAX_WRAPPED,
    SIGNATURE_BYTES,
    require_bytes,
    require_identifiers,
    require_name,
    require_record_identifier,
    require_role,
    require_version,
)
from facesecure.hub.visit_rows import CropRequest, NewSighting, Notice, NoticeState, Sighting

# fmt: off
__all__ = [
    "KEPT_DAYS", "KEY_BYTES", "MAX_CERTIFICATE", "MAX_CROP", "MAX_MAC", "MAX_PERSON", "MAX_RECORD", "MAX_SIGHTING",
    "MAX_STATUS", "MAX_WRAPPED", "SIGNATURE_BYTES", "CropRequest", "Door", "Estate", "HouseholdKey", "Invitation",
    "JoinRequest", "NewDoor", "NewSighting", "Notice", "NoticeState", "Person", "PersonKey", "Record", "RecordKind",
    "Removal", "Right", "SharedPerson", "Sighting", "Status", "require_identifiers", "require_name"
]
# fmt: on


class Right(StrEnum):
    """What a door may do besides watching; part of its certificate."""

    ENROL = "enrol"
    """Add, change, share and remove people."""
    ARM = "arm"
    """Change the mode of its household."""
    VIEW = "view"
    """Ask for the crops of other doors' sightings."""
    SHARE = "share"
    """Let doors of other households know people of its own, as at the entrance of a house with flats."""


class RecordKind(StrEnum):
    """The kinds of records that a household shares."""

    VISITOR = "visitor"
    MARKED = "marked"
    CALIBRATION = "calibration"
    ARMING = "arming"
    MODE = "mode"


@dataclass(frozen=True)
class Estate:
    """All doors of one hub. ``authority`` is the Ed25519 public key that signs certificates; ``manager`` a door."""

    identifier: str
    authority: bytes
    manager: str
    created_at: datetime

    def __post_init__(self) -> None:
        require_identifiers(self.identifier, self.manager)
        require_bytes(self.authority, KEY_BYTES, KEY_BYTES)


@dataclass(frozen=True)
class Door:
    """A door and its certificate. ``box_key`` is its X25519 and ``sign_key`` its Ed25519 public key.

    ``name``, ``household``, ``rights`` and the keys stand beside the certificate so that the database can use them;
    what counts for a reader is the certificate. ``role`` is the PostgreSQL role that it signs in as.
    """

    identifier: str
    name: str
    household: str
    role: str
    box_key: bytes
    sign_key: bytes
    rights: frozenset[Right]
    certificate: bytes
    joined_at: datetime
    removed_at: datetime | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        require_identifiers(self.identifier, self.household)
        require_name(self.name)
        require_role(self.role)
        require_bytes(self.box_key, KEY_BYTES, KEY_BYTES)
        require_bytes(self.sign_key, KEY_BYTES, KEY_BYTES)
        require_bytes(self.certificate, 1, MAX_CERTIFICATE)


@dataclass(frozen=True)
class NewDoor:
    """A door to be added by the manager: what its certificate says, and the certificate."""

    identifier: str
    name: str
    household: str
    rights: frozenset[Right]
    box_key: bytes
    sign_key: bytes
    certificate: bytes

    def __post_init__(self) -> None:
        require_identifiers(self.identifier, self.household)
        require_name(self.name)
        require_bytes(self.box_key, KEY_BYTES, KEY_BYTES)
        require_bytes(self.sign_key, KEY_BYTES, KEY_BYTES)
        require_bytes(self.certificate, 1, MAX_CERTIFICATE)


@dataclass(frozen=True)
class Status:
    """The last sign of life of a door. ``document`` is sealed for its household, and None before the first."""

    door: str
    household: str
    seen_at: datetime
    document: bytes | None

    def __post_init__(self) -> None:
        require_identifiers(self.door, self.household)
        require_bytes(self.document, 0, MAX_STATUS)


@dataclass(frozen=True)
class Invitation:
    """A door that may join until ``expires_at``. ``identifier`` becomes the door's; ``role`` is made with it."""

    identifier: str
    role: str
    name: str
    household: str
    rights: frozenset[Right]
    expires_at: datetime
    used_at: datetime | None = None

    def __post_init__(self) -> None:
        require_identifiers(self.identifier, self.household)
        require_name(self.name)
        require_role(self.role)


@dataclass(frozen=True)
class JoinRequest:
    """The public keys of a door that was invited, with the MAC by the secret of its code. ``at`` is the hub's time."""

    invitation: str
    box_key: bytes
    sign_key: bytes
    mac: bytes
    at: datetime | None = None

    def __post_init__(self) -> None:
        require_identifiers(self.invitation)
        require_bytes(self.box_key, KEY_BYTES, KEY_BYTES)
        require_bytes(self.sign_key, KEY_BYTES, KEY_BYTES)
        require_bytes(self.mac, 16, MAX_MAC)


@dataclass(frozen=True)
class HouseholdKey:
    """The key of a household, version ``version``, wrapped for ``door`` by ``author``."""

    household: str
    version: int
    door: str
    wrapped: bytes
    author: str
    signature: bytes
    revision: int = 0

    def __post_init__(self) -> None:
        require_identifiers(self.household, self.door, self.author)
        require_version(self.version)
        require_bytes(self.wrapped, 1, MAX_WRAPPED)
        require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class Person:
    """A person's sealed document, by ``author``. One that was removed has no document: a signed tombstone."""

    identifier: str
    household: str
    author: str
    version: int
    document: bytes | None
    signature: bytes
    removed_at: datetime | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        require_identifiers(self.identifier, self.household, self.author)
        require_version(self.version)
        require_bytes(self.document, 1, MAX_PERSON)
        require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class PersonKey:
    """The data key of a person, wrapped by ``author`` for a door that may know them."""

    person: str
    door: str
    wrapped: bytes
    author: str
    signature: bytes
    revision: int = 0

    def __post_init__(self) -> None:
        require_identifiers(self.person, self.door, self.author)
        require_bytes(self.wrapped, 1, MAX_WRAPPED)
        require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class SharedPerson:
    """A person with the key for the door that reads. ``revision`` grows when either changes."""

    person: Person
    key: PersonKey
    revision: int


@dataclass(frozen=True)
class Removal:
    """The order to ``door`` to wipe a person, until it confirms. ``signature`` is the one of the tombstone.

    ``version`` is the tombstone's: a door obeys only if it is above the version that it has.
    """

    person: str
    door: str
    household: str
    version: int
    ordered_by: str
    signature: bytes
    ordered_at: datetime
    confirmed_at: datetime | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        require_identifiers(self.person, self.door, self.household, self.ordered_by)
        require_version(self.version)
        require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class Record:
    """A sealed document that a household shares; one that was removed has none.

    ``identifier`` is up to 128 of ``0-9 a-z _ . : -``; the mode of a household is the record with the household's.
    """

    kind: RecordKind
    identifier: str
    household: str
    author: str
    version: int
    document: bytes | None
    signature: bytes
    removed_at: datetime | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        require_identifiers(self.household, self.author)
        require_record_identifier(self.identifier)
        require_version(self.version)
        require_bytes(self.document, 1, MAX_RECORD)
        require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)
