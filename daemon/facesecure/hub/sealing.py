"""Seal what goes to the hub, so that nobody there reads it, changes it, or puts it in another's place.

A document is encrypted with AES-256-GCM (NIST SP 800-38D). Its estate, kind, identifier and version are authenticated
with it: it cannot be decrypted in another row or as another version. Its length is padded to one of a few sizes, each
four times the one before, so that it does not tell how many faces a person has.

A key is wrapped for one door with X25519 and an ephemeral key (RFC 7748), HKDF-SHA-256 (RFC 5869) and AES-256-GCM.

Who wrote a document is not known by this: ``facesecure.hub.signing`` and ``facesecure.hub.trust`` check that.
"""

from __future__ import annotations

import os
import secrets
import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from facesecure.hub.errors import NotGenuineError

_FORMAT = b"\x01"
_NONCE = 12
_TAG = 16
_HEAD = struct.Struct(">cI")
"""The format, and the version of the key."""
_LENGTH = struct.Struct(">I")
_OVERHEAD = _HEAD.size + _NONCE + _LENGTH.size + _TAG
_SECRET = 32
_ONE_USE = bytes(_NONCE)
"""The nonce of a wrapped key: its key is used once."""

SIZES = tuple(1024 << 2 * step for step in range(7))
"""The sizes of sealed documents, 1 KiB to 4 MiB."""


@dataclass(frozen=True)
class Place:
    """Where a document or a wrapped key belongs: it is authenticated with it.

    ``kind`` is one of the names in this module or a ``RecordKind``; ``identifier`` is the row's. ``version`` is the
    document's, 1 where a row has none.
    """

    estate: str
    kind: str
    identifier: str
    version: int = 1

    def bound(self, purpose: str) -> bytes:
        """Return this place for one purpose as unambiguous bytes."""
        return unambiguous("facesecure hub 1", purpose, self.estate, self.kind, self.identifier, str(self.version))


PERSON, SIGHTING, CROP, STATUS = "person", "sighting", "crop", "status"
PERSON_KEY, HOUSEHOLD_KEY = "person key", "household key"


def person_key_place(estate: str, person: str, door: str) -> Place:
    """Return the place of a person's key that is wrapped for ``door``."""
    return Place(estate, PERSON_KEY, f"{person} {door}")


def household_key_place(estate: str, household: str, version: int, door: str) -> Place:
    """Return the place of version ``version`` of a household's key that is wrapped for ``door``."""
    return Place(estate, HOUSEHOLD_KEY, f"{household} {door}", version)


_LEAST_SIZES = {PERSON: SIZES[3], SIGHTING: SIZES[2], CROP: SIZES[3], STATUS: SIZES[1]}
"""The least size of some kinds; of all others it is the smallest."""


@dataclass(frozen=True)
class DataKey:
    """The key of a household or a person: 32 random bytes, and a version that grows when it is replaced."""

    secret: bytes = field(repr=False)
    version: int = 1

    def __post_init__(self) -> None:
        if len(self.secret) != _SECRET or not 1 <= self.version < 1 << 32:
            raise NotGenuineError("not a key")

    @staticmethod
    def made(version: int = 1) -> DataKey:
        """Return a new random key."""
        return DataKey(secrets.token_bytes(_SECRET), version)

    def encode(self) -> bytes:
        """Return the key as bytes."""
        return struct.pack(">I", self.version) + self.secret

    @staticmethod
    def decode(encoded: bytes) -> DataKey:
        """Return the key that ``encode`` made bytes of. Raises NotGenuineError."""
        if len(encoded) != 4 + _SECRET:
            raise NotGenuineError("not a key")
        return DataKey(encoded[4:], struct.unpack(">I", encoded[:4])[0])


def seal(key: DataKey, plain: bytes, place: Place) -> bytes:
    """Encrypt ``plain`` with ``key`` for ``place``, padded to one of ``SIZES``. Raises ValueError if it is too long."""
    head = _HEAD.pack(_FORMAT, key.version)
    nonce = os.urandom(_NONCE)
    padded = (_LENGTH.pack(len(plain)) + plain).ljust(_size(len(plain), place.kind) - _OVERHEAD + _LENGTH.size, b"\0")
    return head + nonce + AESGCM(key.secret).encrypt(nonce, padded, head + place.bound("document"))


def unseal(key: DataKey, sealed: bytes, place: Place) -> bytes:
    """Return what was sealed with ``key`` for ``place``. Raises NotGenuineError if it is anything else."""
    if key_version(sealed) != key.version:
        raise NotGenuineError("it is sealed with another key")
    head, nonce, rest = sealed[: _HEAD.size], sealed[_HEAD.size : _HEAD.size + _NONCE], sealed[_HEAD.size + _NONCE :]
    try:
        padded = AESGCM(key.secret).decrypt(nonce, rest, head + place.bound("document"))
    except InvalidTag:
        raise NotGenuineError("it was changed, or belongs to another place or key") from None
    length: int = _LENGTH.unpack_from(padded)[0]
    if length > len(padded) - _LENGTH.size:
        raise NotGenuineError("its length does not fit")
    return padded[_LENGTH.size : _LENGTH.size + length]


def key_version(sealed: bytes) -> int:
    """Return the version of the key that ``sealed`` needs. Raises NotGenuineError if it is not sealed."""
    if len(sealed) not in SIZES:
        raise NotGenuineError("it has not the size of a sealed document")
    form, version = _HEAD.unpack_from(sealed)
    if form != _FORMAT or version < 1:
        raise NotGenuineError("it is sealed in another way")
    return int(version)


def wrap(key: DataKey, box_key: bytes, place: Place) -> bytes:
    """Encrypt ``key`` for the door with the X25519 public key ``box_key``. Raises NotGenuineError for a bad key."""
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes_raw()
    secret = _shared(ephemeral, box_key, public + box_key, place)
    return _FORMAT + public + AESGCM(secret).encrypt(_ONE_USE, key.encode(), place.bound("wrapped key"))


def unwrap(box: X25519PrivateKey, wrapped: bytes, place: Place) -> DataKey:
    """Return the key that was wrapped for the owner of ``box`` and for ``place``. Raises NotGenuineError otherwise."""
    if len(wrapped) != 1 + _SECRET + 4 + _SECRET + _TAG or wrapped[:1] != _FORMAT:
        raise NotGenuineError("it is not a wrapped key")
    public, rest = wrapped[1 : 1 + _SECRET], wrapped[1 + _SECRET :]
    secret = _shared(box, public, public + box.public_key().public_bytes_raw(), place)
    try:
        return DataKey.decode(AESGCM(secret).decrypt(_ONE_USE, rest, place.bound("wrapped key")))
    except InvalidTag:
        raise NotGenuineError("the key was changed, or is wrapped for another door or place") from None


def unambiguous(*parts: str | bytes) -> bytes:
    """Join ``parts``, each after its length, so that no other parts give the same bytes."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(_LENGTH.pack(len(part)) + part for part in encoded)


def _shared(private: X25519PrivateKey, public: bytes, salt: bytes, place: Place) -> bytes:
    try:
        agreed = private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # also for points of low order, which would give everybody the same secret
        raise NotGenuineError("the public key cannot be used") from None
    return HKDF(SHA256(), _SECRET, salt, place.bound("wrapping key")).derive(agreed)


def _size(length: int, kind: str) -> int:
    least = _LEAST_SIZES.get(kind, SIZES[0])
    for size in SIZES:
        if size >= least and size >= length + _OVERHEAD:
            return size
    raise ValueError(f"too long to be sealed: {length} bytes")
