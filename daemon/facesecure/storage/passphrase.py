"""Encrypt a file with a passphrase: scrypt (RFC 7914) derives the key, AES-256-GCM (NIST SP 800-38D) encrypts.

    facesecure-encrypted 1 scrypt 65536 8 2 SALT CHECK NONCE     one line of ASCII, authenticated with the content
    ...                                                          the ciphertext and its tag

CHECK distinguishes a wrong passphrase from a damaged file; guessing with it costs as much as with the content.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass

from facesecure.domain.errors import UsageError

SHORTEST = 8
_MAGIC = "facesecure-encrypted"
_VERSION = 1
_LONGEST_HEAD = 300
COST = (1 << 16, 8, 2)
"""n, r, p: 64 MB and half a second, as OWASP's password storage cheat sheet requires; two seconds on a Pi."""
_MOST = (1 << 18, 16, 8)
"""A file that requires more than this is rejected."""


class WrongPassphrase(ValueError):
    """The passphrase is not the one that the file was written with."""


@dataclass(frozen=True, slots=True)
class _Head:
    cost: tuple[int, int, int]
    salt: bytes
    check: bytes
    nonce: bytes

    def line(self) -> bytes:
        numbers = " ".join(map(str, self.cost))
        return (
            f"{_MAGIC} {_VERSION} scrypt {numbers} {self.salt.hex()} {self.check.hex()} {self.nonce.hex()}\n".encode()
        )

    @classmethod
    def parse(cls, line: bytes) -> _Head:
        """Parse the first line. Raises ValueError if it is invalid, or of an unknown version."""
        magic, version, method, *rest = line.decode("ascii").split()
        if magic != _MAGIC or method != "scrypt" or version != str(_VERSION):
            raise ValueError(f"version {version} with {method} is not supported")
        n, r, p, salt, check, nonce = rest
        cost = int(n), int(r), int(p)
        if not all(1 <= value <= most for value, most in zip(cost, _MOST, strict=True)):
            raise ValueError("its scrypt cost is out of range")
        head = cls(cost, bytes.fromhex(salt), bytes.fromhex(check), bytes.fromhex(nonce))
        if len(head.nonce) != 12 or len(head.salt) < 16:
            raise ValueError("its first line is damaged")
        return head


def require_good(passphrase: str) -> str:
    """Return ``passphrase``. Raises UsageError if it is too short."""
    if len(passphrase) < SHORTEST:
        raise UsageError(
            f"the passphrase is too short: it needs at least {SHORTEST} characters", "use four or five random words"
        )
    return passphrase


def is_encrypted(data: bytes) -> bool:
    """Return whether ``data`` is, or begins, a file written by ``encrypt``."""
    return data.startswith(_MAGIC.encode() + b" ")


def encrypt(content: bytes, passphrase: str) -> bytes:
    """Return the bytes of a file that only ``passphrase`` can decrypt."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt = os.urandom(16)
    key = _key(passphrase, salt, COST)
    head = _Head(COST, salt, _check(key), os.urandom(12))
    return head.line() + AESGCM(key).encrypt(head.nonce, content, head.line())


def decrypt(data: bytes, passphrase: str) -> bytes:
    """Return the content of a file. Raises WrongPassphrase, or another ValueError if the file is damaged."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    line, _, rest = data.partition(b"\n")
    if len(line) > _LONGEST_HEAD:
        raise ValueError("its first line is damaged")
    head = _Head.parse(line)
    key = _key(passphrase, head.salt, head.cost)
    if not hmac.compare_digest(_check(key), head.check):
        raise WrongPassphrase("the passphrase is wrong")
    try:
        return AESGCM(key).decrypt(head.nonce, rest, head.line())
    except InvalidTag:
        raise ValueError("its content was changed or truncated") from None


def _key(passphrase: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    password = unicodedata.normalize("NFC", passphrase).encode()
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


def _check(key: bytes) -> bytes:
    return hmac.digest(key, b"facesecure passphrase check", hashlib.sha256)[:4]
