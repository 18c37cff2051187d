"""Encrypt faces in the database: each value is encrypted with AES-256-GCM (NIST SP 800-38D).

An encrypted value is a version (1 byte), the key's identifier (8), a nonce (12, random), and the ciphertext with its
tag (16). Its column and owner are authenticated with it: a value that was changed, or moved to another person's row or
another column, cannot be decrypted. The owner of a person's values is a random identifier, which is never used again;
an embedding is also bound to its model, and a template to the number of its faces and to when it was made.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from facesecure.domain.errors import StoreError
from facesecure.storage.keys import Key, required_key
from facesecure.storage.tables import KeyRow

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12
_HEAD = 1 + 8
_LEAST = _HEAD + _NONCE + 16

FACE_CROP = "faces.crop_png"
FACE_EMBEDDING = "faces.embedding"
TEMPLATE_EMBEDDING = "templates.embedding"
SEEN_CROP = "seen_faces.crop_png"
SEEN_EMBEDDING = "seen_faces.embedding"
MARKED_CROP = "marked_faces.crop_png"
MARKED_EMBEDDING = "marked_faces.embedding"
ELSEWHERE_EMBEDDING = "visitors_elsewhere.embedding"
DEFERRED_WRITE = "deferred write"
"""No column: a write that waits in a file for the database."""


def person_context(person: str) -> str:
    """Return the owner of the images of a person's enrolled faces, as authenticated data; ``person`` is the uid."""
    return f"person {person}"


def face_context(person: str, model_sha256: str) -> str:
    """Return the owner of the embedding of an enrolled face by a model, as authenticated data."""
    return f"person {person}, model {model_sha256}"


def template_context(person: str, edition: str, model_sha256: str, faces: int) -> str:
    """Return the owner of a template of ``faces`` faces, of one edition of a person's, as authenticated data."""
    return f"person {person}, edition {edition}, model {model_sha256}, of {faces} faces"


def sighting_context(identifier: str) -> str:
    """Return the owner of the images of a sighting's faces, as authenticated data."""
    return f"sighting {identifier}"


def seen_context(identifier: str, model_sha256: str) -> str:
    """Return the owner of the embedding of a sighting's face by a model, as authenticated data."""
    return f"sighting {identifier}, model {model_sha256}"


def mark_context(visitor: int, not_person: str | None, sighting: str, marked_at: datetime, model_sha256: str) -> str:
    """Return the owner of a marked face, as authenticated data.

    It is bound to its visitor, the person it is not (uid, or None), its sighting, when it was marked, and its model.
    """
    at = marked_at.astimezone(UTC).isoformat()
    return f"visitor {visitor}, not {not_person or 'anybody'}, {sighting} at {at}, model {model_sha256}"


def elsewhere_context(visitor: int, uid: str, door: str, model_sha256: str) -> str:
    """Return the owner of what another door has seen of a visitor, as authenticated data."""
    return f"visitor {visitor}, {uid} at the door {door}, model {model_sha256}"


class FieldCipher:
    """Encrypts and decrypts values with one key. AES is loaded with the first value.

    Example::

        cipher = FieldCipher(read_key(path))
        cipher.decrypt(row.embedding, FACE_EMBEDDING, person_context(row.person_id))
    """

    def __init__(self, key: Key) -> None:
        self.key = key
        self.identifier = key.identifier
        self._head = _VERSION + bytes.fromhex(self.identifier)
        self._aes: AESGCM | None = None

    def encrypt(self, plain: bytes, column: str, owner: str) -> bytes:
        """Encrypt ``plain``, bound to ``column`` and ``owner``."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._loaded().encrypt(nonce, plain, self._bound(column, owner))

    def decrypt(self, encrypted: bytes, column: str, owner: str) -> bytes:
        """Decrypt a value. Raises ValueError if it was changed, or was encrypted for another column or owner."""
        from cryptography.exceptions import InvalidTag

        if len(encrypted) < _LEAST:
            raise ValueError("it is missing or truncated")
        if encrypted[:_HEAD] != self._head:
            raise ValueError("it is encrypted in another way or with another key")
        nonce, rest = encrypted[_HEAD : _HEAD + _NONCE], encrypted[_HEAD + _NONCE :]
        try:
            return self._loaded().decrypt(nonce, rest, self._bound(column, owner))
        except InvalidTag:
            raise ValueError("it is damaged, or was moved to another row or column") from None

    def made(self, encrypted: bytes) -> bool:
        """Return whether ``encrypted`` says that it was encrypted with this key."""
        return encrypted[:_HEAD] == self._head

    def _bound(self, column: str, owner: str) -> bytes:
        return self._head + f"{column} of {owner}".encode()

    def _loaded(self) -> AESGCM:
        if self._aes is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._aes = AESGCM(self.key.derived("AES-256-GCM"))
        return self._aes


class Keyring:
    """The cipher of a database, whose key another process may replace at any time."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._cipher: FieldCipher | None = None

    @property
    def latest(self) -> FieldCipher:
        """The cipher that ``cipher`` returned last. Raises StoreError before its first call."""
        if self._cipher is None:
            raise StoreError("the key of the faces has not been read yet", "this is a bug; please report it")
        return self._cipher

    def cipher(self, session: Session) -> FieldCipher:
        """Return the cipher for the current key of the session's database. Raises StoreError for a wrong key."""
        wanted = session.scalars(select(KeyRow.identifier)).one()
        if self._cipher is None or self._cipher.identifier != wanted:
            self._cipher = FieldCipher(required_key(self._state_dir, wanted))
        return self._cipher


def cipher_of(session: Session) -> FieldCipher:
    """Return the cipher of the session's database; its key is checked once for each session."""
    if "cipher" not in session.info:
        keyring: Keyring = session.info["keyring"]
        session.info["cipher"] = keyring.cipher(session)
    cipher: FieldCipher = session.info["cipher"]
    return cipher
