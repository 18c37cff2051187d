"""Authenticate rows of the database that decide and are not encrypted: people, visits of a visitor, alerts to send.

A seal is an HMAC-SHA-256 with a key derived for this purpose. It is stored beside what it covers: whoever has no key
can remove such a row, or put back an earlier one of the same owner, but not make one or change one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC
from functools import lru_cache
from typing import Any

from facesecure.domain.errors import StoreError
from facesecure.storage.encryption import FieldCipher
from facesecure.storage.keys import Key
from facesecure.storage.tables import PersonRow

_PURPOSE = "sealed rows"


def new_uid() -> str:
    """Return a random identifier of 128 bits, which will not occur again."""
    return secrets.token_hex(16)


def person_seal(cipher: FieldCipher, row: PersonRow) -> str:
    """Return the seal of a person's name, identifier, edition and time of enrolment."""
    created = row.created_at.astimezone(UTC).isoformat()
    return seal(cipher, "person", row.uid, row.name, row.name_key, created, row.edition)


def is_genuine(cipher: FieldCipher, row: PersonRow) -> bool:
    """Return whether the row of a person is as facesecure wrote it."""
    return matches(person_seal(cipher, row), row.seal)


def require_genuine(cipher: FieldCipher, row: PersonRow) -> None:
    """Raise StoreError if the row of a person was changed by others."""
    if not is_genuine(cipher, row):
        raise StoreError(altered(row.name), f"remove and enrol again: facesecure people remove {row.name!r}")


def altered(name: str) -> str:
    """Return the sentence about a person whose row was changed by others."""
    return f"{name} is not recognised: the name or number of that person was changed outside of facesecure"


def visit_seal(cipher: FieldCipher, sighting: str, visitor: int) -> str:
    """Return the seal of a sighting's being a visit of ``visitor``."""
    return seal(cipher, "visit", sighting, str(visitor))


def alert_seal(cipher: FieldCipher, identifier: str, document: Mapping[str, Any]) -> str:
    """Return the seal of an alert."""
    return seal(cipher, "alert", identifier, json.dumps(document, sort_keys=True))


def seal(cipher: FieldCipher, *values: str) -> str:
    """Return the seal of ``values``, 64 hexadecimal digits."""
    return hmac.digest(_sealing_key(cipher.key), json.dumps(values).encode(), hashlib.sha256).hex()


@lru_cache(2)
def _sealing_key(key: Key) -> bytes:
    """Return the key for seals, derived once: thousands of visits are checked at a time."""
    return key.derived(_PURPOSE)


def matches(wanted: str, found: object) -> bool:
    """Return whether a seal that was ``found`` is the one ``wanted``; takes the same time wherever they differ."""
    return isinstance(found, str) and hmac.compare_digest(wanted.encode(), found.encode(errors="replace"))
