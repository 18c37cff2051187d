"""Who a door is in the hub: its keys, its certificate, and on one door, the manager, the authority that signs those.

A certificate is the authority's Ed25519 signature (RFC 8032) over a door's identifier, name, household, rights and
public keys. A door trusts the authority that its invitation named, so nobody who can write the database adds a door.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from facesecure.domain.names import name_key
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import KEY_BYTES, MAX_CERTIFICATE, SIGNATURE_BYTES, Right, require_identifiers, require_name
from facesecure.hub.sealing import DataKey, unambiguous

_MEMBERS = {"estate", "door", "name", "household", "rights", "box_key", "sign_key", "serial", "removed"}


@dataclass(frozen=True)
class Certificate:
    """What the authority says about a door.

    ``serial`` grows with each certificate of the door: an older one is not accepted after a newer one was seen.
    ``removed``: the door no longer belongs to the estate; nothing that it signs counts, and nothing is wrapped for it.
    """

    estate: str
    door: str
    name: str
    household: str
    rights: frozenset[Right]
    box_key: bytes
    sign_key: bytes
    serial: int = 1
    removed: bool = False

    def __post_init__(self) -> None:
        require_identifiers(self.estate, self.door, self.household)
        require_name(self.name)
        if len(self.box_key) != KEY_BYTES or len(self.sign_key) != KEY_BYTES:
            raise ValueError("not the keys of a door")
        if type(self.serial) is not int or not 1 <= self.serial < 1 << 62:
            raise ValueError("not a serial number")
        if type(self.removed) is not bool:
            raise ValueError("neither removed nor not")

    def may(self, right: Right) -> bool:
        """Return whether the door has ``right``."""
        return right in self.rights and not self.removed

    def body(self) -> bytes:
        """Return what the authority signs."""
        return json.dumps(
            {
                "estate": self.estate,
                "door": self.door,
                "name": self.name,
                "household": self.household,
                "rights": sorted(self.rights),
                "box_key": self.box_key.hex(),
                "sign_key": self.sign_key.hex(),
                "serial": self.serial,
                "removed": self.removed,
            },
            sort_keys=True,
        ).encode()


class Authority:
    """The key pair that signs the certificates of an estate. Only the manager's door has it.

    Example::

        authority = Authority.made()
        encoded = authority.certify(certificate)
        checked_certificate(encoded, authority.public, estate)  # == certificate
    """

    def __init__(self, secret: bytes) -> None:
        """Use the 32 bytes of an Ed25519 private key."""
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.secret = secret
        self.public = self._key.public_key().public_bytes_raw()

    @staticmethod
    def made() -> Authority:
        """Return a new authority."""
        return Authority(Ed25519PrivateKey.generate().private_bytes_raw())

    def certify(self, certificate: Certificate) -> bytes:
        """Return the signed ``certificate`` as bytes."""
        body = certificate.body()
        return self._key.sign(unambiguous("facesecure hub 1", "certificate", body)) + body

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of what ``facesecure.hub.signing`` composed."""
        return self._key.sign(signed)

    def household(self, name: str) -> str:
        """Return the identifier of the household ``name``, which tells nobody else the name; case does not matter."""
        return self._derived("household", name_key(name))[:16].hex()

    def household_key(self, household: str, version: int) -> DataKey:
        """Return a version of the key of a household (its identifier): it is always the same, so none can be lost."""
        return DataKey(self._derived("household key", household, str(version)), version)

    def _derived(self, *purpose: str) -> bytes:
        return HKDF(SHA256(), 32, None, unambiguous("facesecure hub 1", *purpose)).derive(self.secret)


def checked_certificate(encoded: bytes, authority: bytes, estate: str) -> Certificate:
    """Return a certificate that the ``authority`` (its public key) signed for ``estate``. Raises NotGenuineError."""
    if not SIGNATURE_BYTES < len(encoded) <= MAX_CERTIFICATE:
        raise NotGenuineError("the certificate has not the size of one")
    signature, body = encoded[:SIGNATURE_BYTES], encoded[SIGNATURE_BYTES:]
    require_signature(authority, signature, unambiguous("facesecure hub 1", "certificate", body))
    certificate = _parsed(body)
    if certificate.estate != estate:
        raise NotGenuineError("the certificate is for another estate")
    return certificate


def require_signature(public: bytes, signature: bytes, signed: bytes) -> None:
    """Raise NotGenuineError unless ``signature`` of ``signed`` was made with the Ed25519 key of ``public``."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        raise NotGenuineError("its signature does not fit") from None


def estate_of(authority: bytes) -> str:
    """Return the identifier of the estate of an authority: 128 bits of the SHA-256 of its public key.

    An invitation names it: so a door knows the authority without trusting the database.
    """
    return sha256(unambiguous("facesecure hub 1", "estate", authority)).hexdigest()[:32]


class DoorKeys:
    """The two key pairs of this door: ``box`` opens what is wrapped for it, the other signs what it writes."""

    def __init__(self, box: bytes, sign: bytes) -> None:
        """Use the 32 bytes each of an X25519 and an Ed25519 private key."""
        self.box = X25519PrivateKey.from_private_bytes(box)
        self._sign = Ed25519PrivateKey.from_private_bytes(sign)
        self.secrets = box, sign
        self.box_key = self.box.public_key().public_bytes_raw()
        self.sign_key = self._sign.public_key().public_bytes_raw()

    @staticmethod
    def made() -> DoorKeys:
        """Return new keys."""
        return DoorKeys(
            X25519PrivateKey.generate().private_bytes_raw(), Ed25519PrivateKey.generate().private_bytes_raw()
        )

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of what ``facesecure.hub.signing`` composed."""
        return self._sign.sign(signed)


@dataclass(frozen=True)
class Household:
    """A household as the manager knows it: its name, and the newest version of its key."""

    name: str
    version: int = 1


@dataclass(frozen=True)
class Identity:
    """All that this door is in the hub. ``hub.identity_file`` keeps it encrypted in the state directory.

    ``role`` and ``password`` sign in to the database at ``url``, whose certificate the authority ``ca`` (PEM; empty:
    those of the system) signed. ``authority_key`` is the public key of the authority that signs certificates of doors.
    ``authority`` and ``households`` are the manager's; elsewhere None and empty.
    """

    door: str
    url: str
    role: str
    password: str = field(repr=False)
    keys: DoorKeys = field(repr=False)
    authority_key: bytes
    certificate: bytes
    """This door's own, signed; empty as long as the manager has not answered."""
    ca: str = field(default="", repr=False)
    authority: Authority | None = field(default=None, repr=False)
    households: tuple[Household, ...] = ()

    @property
    def estate(self) -> str:
        """The identifier of the estate."""
        return estate_of(self.authority_key)

    @property
    def is_manager(self) -> bool:
        """Whether this door holds the authority."""
        return self.authority is not None

    def own(self) -> Certificate:
        """Return this door's certificate. Raises NotGenuineError if it has none yet."""
        return checked_certificate(self.certificate, self.authority_key, self.estate)


def _parsed(body: bytes) -> Certificate:
    try:
        values = json.loads(body)
        if not isinstance(values, dict) or values.keys() != _MEMBERS:
            raise ValueError("other members")
        rights: Iterable[str] = values["rights"]
        keys = {name: bytes.fromhex(values[name]) for name in ("box_key", "sign_key")}
        given = {**values, **keys, "rights": frozenset(Right(right) for right in rights)}
        certificate = Certificate(**given)
    except (ValueError, TypeError, RecursionError):
        raise NotGenuineError("the certificate cannot be understood") from None
    if certificate.body() != body:
        raise NotGenuineError("the certificate is not in its canonical form")
    return certificate
