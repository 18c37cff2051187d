"""Encrypt a message for one browser (RFC 8291, with the content coding of RFC 8188): the push service cannot read it.

``cryptography`` is imported with the first message.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

LONGEST = 3993
"""Bytes of a message: every push service takes a body of 4096 (RFC 8030, section 7.2), whose head and tag are 103."""
POINT, AUTH = 65, 16
"""Bytes of a browser's public key and of its secret."""
_SALT = 16
_RECORD = 4096
_LAST_RECORD = b"\x02"


def encrypt(
    plain: bytes,
    browser: bytes,
    auth: bytes,
    *,
    multiple: int = 1,
    salt: bytes | None = None,
    key: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Return the body of a push message for the browser with the public key ``browser`` and the secret ``auth``.

    It is padded so that its length is a ``multiple``, which hides how long a name is. ``salt`` and ``key`` are random
    and used once, unless a test gives them. Raises ValueError if ``plain`` is too long, or ``browser`` is no point of
    P-256.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(plain) > LONGEST:
        raise ValueError(f"a message has at most {LONGEST} bytes")
    theirs = point(browser)
    key, salt = key or ec.generate_private_key(ec.SECP256R1()), salt or os.urandom(_SALT)
    ours = uncompressed(key.public_key())
    content_key, nonce = _keys(key.exchange(ec.ECDH(), theirs), auth, salt, browser, ours)
    padding = min(-len(plain) % multiple, LONGEST - len(plain))
    sealed = AESGCM(content_key).encrypt(nonce, plain + _LAST_RECORD + bytes(padding), None)
    return salt + _RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours + sealed


def point(encoded: bytes) -> EllipticCurvePublicKey:
    """Return a public key of P-256 from its 65 bytes. Raises ValueError if it is none."""
    from cryptography.hazmat.primitives.asymmetric import ec

    if len(encoded) != POINT:
        raise ValueError("a point of P-256 has 65 bytes")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), encoded)


def uncompressed(key: EllipticCurvePublicKey) -> bytes:
    """Return the 65 bytes of a public key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _keys(shared: bytes, auth: bytes, salt: bytes, theirs: bytes, ours: bytes) -> tuple[bytes, bytes]:
    """Return the content encryption key and the nonce (RFC 8291, section 3.4)."""
    combined = _hmac(auth, shared)
    material = _hmac(combined, b"WebPush: info\0" + theirs + ours + b"\x01")
    pseudorandom = _hmac(salt, material)
    content_key = _hmac(pseudorandom, b"Content-Encoding: aes128gcm\0\x01")[:16]
    return content_key, _hmac(pseudorandom, b"Content-Encoding: nonce\0\x01")[:12]


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
