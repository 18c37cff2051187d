"""What the hub's database holds, as values: everything secret in them is sealed before it comes here.

The rows are those of a database that somebody else runs, so each checks its shape when it is made and raises ValueError
otherwise; the store leaves out a row that fails, and logs it. Whether a row is *true* is not known here: signatures,
certificates and rights are checked by whoever opens its document.

Identifiers are 32 lowercase hexadecimal digits (128 random bits), except those of records, which their kind chooses.
Times are the hub's, aware and in UTC. ``revision`` grows with every change in the whole database, in the order in which
changes become visible: a reader that asks for what is above the last one it has seen misses nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from facesecure.domain.errors import UsageError
from facesecure.domain.names import LONGEST_NAME, person_name

KEY_BYTES = 32
SIGNATURE_BYTES = 64
MAX_CERTIFICATE = 4 << 10
MAX_WRAPPED = 512
MAX_MAC = 64
MAX_PERSON = 4 << 20
MAX_RECORD = 1 << 20
MAX_SIGHTING = 64 << 10
MAX_CROP = 1 << 20
MAX_STATUS = 64 << 10
"""Most bytes of a sealed status, and so on: the database refuses more."""

KEPT_DAYS = 14
"""How long the hub keeps a sighting."""

_IDENTIFIER = re.compile(r"[0-9a-f]{32}")
_RECORD_ID = re.compile(r"[0-9a-z][0-9a-z_.:-]{0,127}")
_ROLE = re.compile(r"[a-z0-9_]{1,63}")


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


class NoticeState(StrEnum):
    """How far the notification about a stranger is: promised by a door, or delivered by it."""

    CLAIMED = "claimed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Estate:
    """All doors of one hub. ``authority`` is the Ed25519 public key that signs certificates; ``manager`` a door."""

    identifier: str
    authority: bytes
    manager: str
    created_at: datetime

    def __post_init__(self) -> None:
        require_identifiers(self.identifier, self.manager)
        _require_bytes(self.authority, KEY_BYTES, KEY_BYTES)


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
        _require_role(self.role)
        _require_bytes(self.box_key, KEY_BYTES, KEY_BYTES)
        _require_bytes(self.sign_key, KEY_BYTES, KEY_BYTES)
        _require_bytes(self.certificate, 1, MAX_CERTIFICATE)


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
        _require_bytes(self.box_key, KEY_BYTES, KEY_BYTES)
        _require_bytes(self.sign_key, KEY_BYTES, KEY_BYTES)
        _require_bytes(self.certificate, 1, MAX_CERTIFICATE)


@dataclass(frozen=True)
class Status:
    """The last sign of life of a door. ``document`` is sealed for its household, and None before the first."""

    door: str
    household: str
    seen_at: datetime
    document: bytes | None

    def __post_init__(self) -> None:
        require_identifiers(self.door, self.household)
        _require_bytes(self.document, 0, MAX_STATUS)


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
        _require_role(self.role)


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
        _require_bytes(self.box_key, KEY_BYTES, KEY_BYTES)
        _require_bytes(self.sign_key, KEY_BYTES, KEY_BYTES)
        _require_bytes(self.mac, 16, MAX_MAC)


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
        _require_version(self.version)
        _require_bytes(self.wrapped, 1, MAX_WRAPPED)
        _require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


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
        _require_version(self.version)
        _require_bytes(self.document, 1, MAX_PERSON)
        _require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


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
        _require_bytes(self.wrapped, 1, MAX_WRAPPED)
        _require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


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
        _require_version(self.version)
        _require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


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
        if not _RECORD_ID.fullmatch(self.identifier):
            raise ValueError("not an identifier of a record")
        _require_version(self.version)
        _require_bytes(self.document, 1, MAX_RECORD)
        _require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class Sighting:
    """A sealed sighting of a door. ``at`` is when the hub got it; its crop, if it has one, is asked for apart."""

    identifier: str
    household: str
    author: str
    document: bytes
    signature: bytes
    at: datetime
    has_crop: bool = False
    revision: int = 0

    def __post_init__(self) -> None:
        require_identifiers(self.identifier, self.household, self.author)
        _require_bytes(self.document, 1, MAX_SIGHTING)
        _require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class NewSighting:
    """A sighting as a door hands it in: the hub adds the rest."""

    identifier: str
    document: bytes
    signature: bytes

    def __post_init__(self) -> None:
        require_identifiers(self.identifier)
        _require_bytes(self.document, 1, MAX_SIGHTING)
        _require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class Notice:
    """A door's claim to notify about the sighting ``sighting``, which lapses at ``until`` unless it is confirmed."""

    sighting: str
    household: str
    door: str
    state: NoticeState
    at: datetime
    until: datetime

    def __post_init__(self) -> None:
        require_identifiers(self.sighting, self.household, self.door)

    def holds(self, now: datetime) -> bool:
        """Return whether the others stay silent: it was delivered, or at ``now`` (the hub's) still may be."""
        return self.state is NoticeState.CONFIRMED or now < self.until


@dataclass(frozen=True)
class CropRequest:
    """The wish of ``door`` for the crop of a sighting."""

    sighting: str
    door: str
    at: datetime

    def __post_init__(self) -> None:
        require_identifiers(self.sighting, self.door)


def require_identifiers(*identifiers: str) -> None:
    """Raise ValueError unless each is 32 lowercase hexadecimal digits."""
    for identifier in identifiers:
        if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier):
            raise ValueError("not an identifier of 32 hexadecimal digits")


def require_name(name: str) -> None:
    """Raise ValueError unless ``name`` may be the name of a door, by the same rule as people's, and is normalised."""
    try:
        if not isinstance(name, str) or len(name) > LONGEST_NAME or person_name(name) != name:
            raise ValueError("not the name of a door")
    except UsageError as error:
        raise ValueError(error.message) from error


def _require_role(role: str) -> None:
    if not isinstance(role, str) or not _ROLE.fullmatch(role):
        raise ValueError("not the name of a role")


def _require_version(version: int) -> None:
    if not isinstance(version, int) or not 1 <= version < 1 << 62:
        raise ValueError("not a version")


def _require_bytes(value: bytes | None, least: int, most: int) -> None:
    if value is not None and (not isinstance(value, bytes) or not least <= len(value) <= most):
        raise ValueError(f"not {least} to {most} bytes")
