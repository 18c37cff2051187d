"""Faces on the disk are unreadable without the key: each value is sealed by AES-256-GCM (NIST SP 800-38D).

A sealed value is a version (1 byte), the key's identifier (8), a nonce (12, random), and the ciphertext with its tag
(16). Its place (table, column, and whose it is) is authenticated with it: moved to another person's row, or into
another column, it cannot be opened any more, and neither can one that was changed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

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


def person_context(person: int) -> str:
    """The owner of what somebody is known by."""
    return f"person {person}"


def sighting_context(identifier: str) -> str:
    """The owner of a face that was seen."""
    return f"sighting {identifier}"


def mark_context(visitor: int, not_person: int | None) -> str:
    """The owner of a face that was marked: whose it is, and whose it is not."""
    return f"visitor {visitor}, not {not_person or 'anybody'}"


class FieldCipher:
    """Seals and opens values with one key. The cipher is loaded with the first value, not before."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.identifier = key.identifier
        self._head = _VERSION + bytes.fromhex(self.identifier)
        self._cipher: AESGCM | None = None

    def encrypt(self, plain: bytes, place: str, owner: str) -> bytes:
        """``plain`` for that place, of that owner, and no other."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._aes().encrypt(nonce, plain, self._bound(place, owner))

    def decrypt(self, sealed: bytes, place: str, owner: str) -> bytes:
        """What was sealed. Raises ValueError where it was changed, or is not where it was put."""
        from cryptography.exceptions import InvalidTag

        if len(sealed) < _LEAST:
            raise ValueError("it is missing or cut short")
        if sealed[:_HEAD] != self._head:
            raise ValueError("it is encrypted in another way or with another key")
        nonce, rest = sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
        try:
            return self._aes().decrypt(nonce, rest, self._bound(place, owner))
        except InvalidTag:
            raise ValueError("it is damaged, or was moved from where it was put") from None

    def _bound(self, place: str, owner: str) -> bytes:
        return self._head + f"{place} of {owner}".encode()

    def _aes(self) -> AESGCM:
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._cipher = AESGCM(self.key.derived("AES-256-GCM"))
        return self._cipher


class Keyring:
    """This process's hold on the key of a database, which another process may change for a new one at any time."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._vault: FieldCipher | None = None

    def cipher(self, session: Session) -> FieldCipher:
        """What opens and seals in ``session``'s database as it is now. Raises StoreError where the key does not fit."""
        wanted = session.scalars(select(KeyRow.identifier)).one()
        if self._vault is None or self._vault.identifier != wanted:
            self._vault = FieldCipher(required_key(self._state_dir, wanted))
        return self._vault


def cipher_of(session: Session) -> FieldCipher:
    """The vault of the session's database, its key checked once a session."""
    if "vault" not in session.info:
        keyring: Keyring = session.info["keyring"]
        session.info["vault"] = keyring.cipher(session)
    vault: FieldCipher = session.info["vault"]
    return vault
