"""A phone with passkeys, in software: it signs as WebAuthn says, or lies as a test wants."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

ORIGIN = "https://localhost:8443"
FLAG = AuthenticatorData.FLAG
VERIFIED = FLAG.UP | FLAG.UV


def text_of(data: bytes) -> str:
    """Return base64url as browsers write it."""
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Phone:
    """Keeps one passkey, which ``make`` makes and with which ``sign`` signs; ``counter`` is how often it has."""

    origin: str = ORIGIN
    host: str = "localhost"
    counter: int = 0
    counts: bool = True
    flags: FLAG = VERIFIED
    identifier: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    user: str = ""

    def make(self, options: Mapping[str, Any], **said: Any) -> dict[str, str]:
        """Answer ``options`` with a new passkey; ``said`` replaces what the browser says: origin, type, crossOrigin."""
        self.user = options["user"]["id"]
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        stored = AttestedCredentialData.create(bytes(16), self.identifier, public)
        data = AuthenticatorData.create(self._host_hash(), self.flags | FLAG.AT, self._counted(), stored)
        attestation = AttestationObject.create("none", data, {})
        return {
            "client_data": text_of(self._said("webauthn.create", options, said)),
            "attestation": text_of(attestation),
        }

    def sign(self, options: Mapping[str, Any], **said: Any) -> dict[str, str]:
        """Answer ``options`` with a signature."""
        client = self._said("webauthn.get", options, said)
        data = AuthenticatorData.create(self._host_hash(), self.flags, self._counted())
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        return {
            "credential": text_of(self.identifier),
            "client_data": text_of(client),
            "authenticator_data": text_of(data),
            "signature": text_of(signature),
            "user_handle": self.user,
        }

    def _said(self, kind: str, options: Mapping[str, Any], said: Mapping[str, Any]) -> bytes:
        values = {"type": kind, "challenge": options["challenge"], "origin": self.origin, **said}
        kind, challenge, origin = (values.pop(name) for name in ("type", "challenge", "origin"))
        return bytes(CollectedClientData.create(kind, challenge, origin, values.pop("crossOrigin", False), **values))

    def _host_hash(self) -> bytes:
        return hashlib.sha256(self.host.encode()).digest()

    def _counted(self) -> int:
        self.counter += self.counts
        return self.counter
