"""The shapes of what is in a row of the hub: limits of size, and checks that raise ValueError."""

from __future__ import annotations

import re

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


def require_role(role: str) -> None:
    """Raise ValueError unless ``role`` may be the name of a PostgreSQL role."""
    if not isinstance(role, str) or not _ROLE.fullmatch(role):
        raise ValueError("not the name of a role")


def require_version(version: int) -> None:
    """Raise ValueError unless ``version`` is a version: 1 or more, and not so high that there is none above it."""
    if not isinstance(version, int) or not 1 <= version < 1 << 53:
        raise ValueError("not a version")


def require_bytes(value: bytes | None, least: int, most: int) -> None:
    """Raise ValueError unless ``value`` is ``least`` to ``most`` bytes, or None."""
    if value is not None and (not isinstance(value, bytes) or not least <= len(value) <= most):
        raise ValueError(f"not {least} to {most} bytes")


def require_record_identifier(identifier: str) -> None:
    """Raise ValueError unless ``identifier`` is 1 to 128 of ``0-9 a-z _ . : -``, a digit or letter first."""
    if not isinstance(identifier, str) or not _RECORD_ID.fullmatch(identifier):
        raise ValueError("not an identifier of a record")
