"""Check what browsers say in the name of a passkey, with the library fido2, which is imported with the first one.

Whatever bytes come, what is not right is None: the library raises many kinds of errors about them.
"""

from __future__ import annotations

import json
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from facesecure.domain.accounts import Account
from facesecure.domain.passkeys import Passkey, Site

if TYPE_CHECKING:
    from fido2.server import Fido2Server

LONGEST = 4096
"""Characters of the longest part: an attestation, which we do not ask for, and some send."""
_LONGEST_CREDENTIAL = 2048
_ALGORITHMS = (-7, -8, -257)
"""ES256, EdDSA, and RS256, which Windows Hello needs."""
_NAME = "facesecure"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """What a browser sends of a passkey that it made; each part is base64url."""

    client_data: str
    attestation: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What a browser sends of a passkey that signed; each part is base64url."""

    credential: str
    client_data: str
    authenticator_data: str
    signature: str = field(repr=False)
    user_handle: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """A new passkey's identifier, what is to be stored of it, and how often it has signed."""

    identifier: bytes
    data: bytes = field(repr=False)
    signed: int


def decoded(text: str) -> bytes:
    """Return the bytes of base64url; none for other text."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def challenge_in(client_data: str) -> bytes:
    """Return the challenge that a browser says it was given; empty if it says none."""
    try:
        return decoded(json.loads(decoded(client_data))["challenge"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return b""


def creation_options(site: Site, account: Account, known: Sequence[Passkey], challenge: bytes) -> dict[str, Any]:
    """Return what a browser needs to make a passkey, beside those of the account that it may have, as JSON."""
    from fido2.webauthn import PublicKeyCredentialUserEntity, ResidentKeyRequirement, UserVerificationRequirement

    user = PublicKeyCredentialUserEntity(id=bytes.fromhex(account.uid), name=account.name, display_name=account.name)
    options, _ = _server(site).register_begin(
        user, [_stored(one) for one in known], ResidentKeyRequirement.REQUIRED,
        UserVerificationRequirement.REQUIRED, challenge=challenge,
    )  # fmt: skip
    return dict(options.public_key)


def request_options(site: Site, known: Sequence[Passkey], challenge: bytes) -> dict[str, Any]:
    """Return what a browser needs to let a passkey sign, one of ``known``; none of them: any of this page's."""
    from fido2.webauthn import UserVerificationRequirement

    credentials = [_stored(one) for one in known] or None
    options, _ = _server(site).authenticate_begin(
        credentials, UserVerificationRequirement.REQUIRED, challenge=challenge
    )
    return dict(options.public_key)


def checked_new(site: Site, challenge: bytes, made: Made) -> Credential | None:
    """Return the new passkey if it was made for this page, this challenge, and by a person who showed who they are."""
    try:
        data = _server(site).register_complete(_state(challenge), _registration(made))
        stored = data.credential_data
        if stored is None or not _is_usable(stored) or _is_framed(made.client_data):
            return None
        return Credential(stored.credential_id, bytes(stored), data.counter)
    except Exception as error:  # noqa: BLE001 - hostile bytes
        _log.info("a passkey is not stored: %r", error)
        return None


def checked_signature(site: Site, challenge: bytes, signed: Signed, passkey: Passkey) -> int | None:
    """Return how often the passkey has signed, if this is its signature for this page and challenge; else None."""
    from fido2.webauthn import AuthenticatorData

    try:
        _server(site).authenticate_complete(_state(challenge), [_stored(passkey)], _assertion(signed))
        if passkey.host != site.host or _is_framed(signed.client_data) or not _is_theirs(signed, passkey):
            return None
        return AuthenticatorData(decoded(signed.authenticator_data)).counter
    except Exception as error:  # noqa: BLE001 - hostile bytes
        _log.info("a passkey is refused: %r", error)
        return None


def _server(site: Site) -> Fido2Server:
    from fido2.server import Fido2Server
    from fido2.webauthn import PublicKeyCredentialParameters, PublicKeyCredentialRpEntity, PublicKeyCredentialType

    server = Fido2Server(
        PublicKeyCredentialRpEntity(name=_NAME, id=site.host), verify_origin=lambda origin: origin == site.origin
    )
    kind = PublicKeyCredentialType.PUBLIC_KEY
    server.allowed_algorithms = [PublicKeyCredentialParameters(type=kind, alg=one) for one in _ALGORITHMS]
    return server


def _state(challenge: bytes) -> dict[str, Any]:
    from fido2.webauthn import UserVerificationRequirement

    text = urlsafe_b64encode(challenge).decode().rstrip("=")
    return {"challenge": text, "user_verification": UserVerificationRequirement.REQUIRED}


def _stored(passkey: Passkey) -> Any:
    from fido2.webauthn import AttestedCredentialData

    return AttestedCredentialData(passkey.credential)


def _registration(made: Made) -> Any:
    from fido2.webauthn import (
        AttestationObject,
        AuthenticatorAttestationResponse,
        CollectedClientData,
        RegistrationResponse,
    )

    attestation = AttestationObject(decoded(made.attestation))
    response = AuthenticatorAttestationResponse(
        client_data=CollectedClientData(decoded(made.client_data)), attestation_object=attestation
    )
    found = attestation.auth_data.credential_data
    return RegistrationResponse(raw_id=found.credential_id if found else b"", response=response)


def _assertion(signed: Signed) -> Any:
    from fido2.webauthn import (
        AuthenticationResponse,
        AuthenticatorAssertionResponse,
        AuthenticatorData,
        CollectedClientData,
    )

    response = AuthenticatorAssertionResponse(
        client_data=CollectedClientData(decoded(signed.client_data)),
        authenticator_data=AuthenticatorData(decoded(signed.authenticator_data)),
        signature=decoded(signed.signature),
    )
    return AuthenticationResponse(raw_id=decoded(signed.credential), response=response)


def _is_usable(credential: Any) -> bool:
    """Return whether the key is of a kind that was asked for, and not larger than such keys are."""
    return credential.public_key.get(3) in _ALGORITHMS and len(credential) <= _LONGEST_CREDENTIAL


def _is_framed(client_data: str) -> bool:
    """Return whether another site's page asked, with ours in a frame."""
    said = json.loads(decoded(client_data))
    return bool(said.get("crossOrigin")) or "topOrigin" in said


def _is_theirs(signed: Signed, passkey: Passkey) -> bool:
    """Return whether the passkey says the account that it was made for, if it says one."""
    return not signed.user_handle or decoded(signed.user_handle) == bytes.fromhex(passkey.account)
