"""Say to a push service who sends (RFC 8292, VAPID): a short-lived JSON Web Token, signed with the household's key.

A browser's subscription is bound to the key, so that nobody else can use it, even with its address.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from facesecure.alerts.push.encryption import uncompressed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
LASTS = 12 * 3600
"""Seconds that a token is valid; a push service refuses more than 24 hours, and clocks differ."""


def public_key(private: bytes) -> str:
    """Return the public key of ``private`` (32 bytes), as a browser takes it: 65 bytes in base64url."""
    return base64url(uncompressed(_loaded(private).public_key()))


def authorization(endpoint: str, private: bytes, contact: str, now: float) -> str:
    """Return the header Authorization for a message to ``endpoint``, at ``now`` (seconds since 1970).

    ``contact`` is the mailto: or https: address at which a push service finds whoever sends.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(now) + LASTS, "sub": contact}
    signed = f"{_encoded({'typ': 'JWT', 'alg': 'ES256'})}.{_encoded(claims)}"
    r, s = decode_dss_signature(_loaded(private).sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={public_key(private)}"


def base64url(value: bytes) -> str:
    """Return ``value`` in base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return the bytes of ``text``, with or without padding. Raises ValueError if it is no base64url."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError("that is no base64url")
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _loaded(private: bytes) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())


def _encoded(document: dict[str, Any]) -> str:
    return base64url(json.dumps(document, separators=(",", ":")).encode())
