"""The one-time code by which a door joins an estate: where the hub is, whom to trust, and a secret.

All that is secret in it comes from 128 random bits: the identifier of the invitation, the password of the first sign-in
and the key that authenticates the request to join (HKDF-SHA-256).
"""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from facesecure.config.hub import SCHEME, hub_address
from facesecure.domain.errors import UsageError
from facesecure.hub.sealing import unambiguous

_FORMAT = b"\x01"
_SECRET = 16
_ESTATE = 16
_CHECK = 4
_GROUP = 4
_LONGEST = 4096
_MISREAD = str.maketrans("0189", "OIBG")
"""Digits that are no letters of base32, and the letters that they were."""
_LENGTH = struct.Struct(">H")
_HINT = "copy all of what facesecure hub invite printed; it works once, within an hour"


@dataclass(frozen=True)
class JoinCode:
    """What an invitation says. ``estate`` is the identifier, ``url`` the hub's address, ``ca`` a certificate (DER).

    An empty ``ca`` stands for the authorities of the system, or those that the door itself names.

    Example::

        code = JoinCode.made(estate, "postgresql+psycopg://hub.lan/facesecure", b"")
        JoinCode.parsed(code.text) == code
    """

    secret: bytes = field(repr=False)
    estate: str
    url: str
    ca: bytes = field(default=b"", repr=False)

    @staticmethod
    def made(estate: str, url: str, ca: bytes) -> JoinCode:
        """Return a new code for a door of ``estate``."""
        return JoinCode(secrets.token_bytes(_SECRET), estate, url, ca)

    @staticmethod
    def parsed(text: str) -> JoinCode:
        """Return the code that ``text`` is, in groups or not, in any case. Raises UsageError if it is none."""
        encoded = "".join(text.split()).replace("-", "").upper().translate(_MISREAD)
        try:
            if len(encoded) > _LONGEST:
                raise ValueError("too long")
            content = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
            body, check = content[:-_CHECK], content[-_CHECK:]
            if body[:1] != _FORMAT and len(body) > _SECRET:
                raise UsageError("this code is of another version of facesecure", "use the same version on both doors")
            if sha256(body).digest()[:_CHECK] != check:
                raise ValueError("mistyped")
            return _decoded(body[1:])
        except (ValueError, binascii.Error, struct.error):
            raise UsageError("this is not the code of an invitation, or something of it is missing", _HINT) from None

    @property
    def text(self) -> str:
        """The code as people copy it: letters and digits in groups of four."""
        url, ca = self.url.removeprefix(f"{SCHEME}://").encode(), self.ca
        body = _FORMAT + self.secret + bytes.fromhex(self.estate)
        body += _LENGTH.pack(len(url)) + url + _LENGTH.pack(len(ca)) + ca
        letters = base64.b32encode(body + sha256(body).digest()[:_CHECK]).decode().rstrip("=")
        return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))

    @property
    def invitation(self) -> str:
        """The identifier of the invitation, and of the door that it becomes."""
        return self._derived("invitation")[:16].hex()

    @property
    def password(self) -> str:
        """The password of the first sign-in to the database."""
        return self._derived("password").hex()

    @property
    def mac_key(self) -> bytes:
        """The key that authenticates the request to join."""
        return self._derived("request")

    def _derived(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, None, unambiguous("facesecure hub 1", "code", purpose)).derive(self.secret)


def _decoded(body: bytes) -> JoinCode:
    fixed = _SECRET + _ESTATE
    secret, estate, rest = body[:_SECRET], body[_SECRET:fixed], body[fixed:]
    parts = []
    for _ in range(2):
        (length,) = _LENGTH.unpack_from(rest)
        parts.append(rest[_LENGTH.size : _LENGTH.size + length])
        if len(parts[-1]) != length:
            raise ValueError("truncated")
        rest = rest[_LENGTH.size + length :]
    if rest or len(estate) != _ESTATE:
        raise ValueError("too long")
    return JoinCode(secret, estate.hex(), hub_address(f"{SCHEME}://{parts[0].decode()}"), parts[1])
