"""Passkeys: make one, sign in with one, give one instead of the password, name and remove them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Refused, Verb
from facesecure.app.web_api.verbs.session import begun, browser_of, refusing, sign_in_of
from facesecure.domain.accounts import Account, Role
from facesecure.domain.passkeys import Passkey, Purpose, Site
from facesecure.services.device_words import device_words
from facesecure.services.passkey_checks import LONGEST, Made, Signed
from facesecure.services.passkeys import site_of

Part = Annotated[str, Field(max_length=LONGEST, pattern=r"^[A-Za-z0-9_-]*$")]
Name = Annotated[str, Field(min_length=1, max_length=64)]


class AtSite(Arguments):
    """How the browser reaches the page: scheme, host and port."""

    origin: str = Field(max_length=300)


class MadePasskey(AtSite):
    """A passkey that the browser made."""

    name: Name
    client_data: Part
    attestation: Part


class SignedPasskey(AtSite):
    """What a passkey signed."""

    credential: Part
    client_data: Part
    authenticator_data: Part
    signature: Part = Field(repr=False)
    user_handle: Part = ""


class WhichPasskey(Arguments):
    """A passkey by the identifier that people see."""

    identifier: str = Field(pattern=r"^[0-9a-f]{32}$")


class NamedPasskey(WhichPasskey):
    """A passkey, and a name for it."""

    name: Name


def passkeys_here(call: Call[AtSite]) -> Answer:
    """Return whether browsers offer passkeys at this address, and whether anybody, or who is signed in, has one."""
    site = site_of(call.arguments.origin, call.parts.config.web.hosts)
    any_here = site is not None and sign_in_of(call.parts).passkeys.any_at(site, call.signed_in)
    return Answer({"possible": site is not None, "any": any_here})


def ask_to_sign_in(call: Call[AtSite]) -> Answer:
    """Return what a browser asks a passkey with, to sign in."""
    begin = sign_in_of(call.parts).passkeys.begin
    return Answer({"options": begin(Purpose.SIGN_IN, _site(call), None, call.client.address)})


def sign_in(call: Call[SignedPasskey]) -> Answer:
    """Begin a session, as with a password."""
    site, browser = _site(call), browser_of(call.client)
    with refusing("credential"):
        by_passkey = sign_in_of(call.parts).by_passkey
        return begun(*by_passkey(site, _signed(call.arguments), browser, call.signed_in))


def ask_to_confirm(call: Call[AtSite]) -> Answer:
    """Return what a browser asks a passkey of the account with."""
    with refusing("credential"):
        return Answer({"options": sign_in_of(call.parts).passkeys.begin(Purpose.CONFIRM, _site(call), call.session)})


def confirm(call: Call[SignedPasskey]) -> Answer:
    """Take a passkey in place of the password, for what needs it within the next minutes."""
    site, token = _site(call), call.token or ""
    with refusing("credential"):
        sign_in_of(call.parts).confirm_by_passkey(token, call.session, site, _signed(call.arguments))
    return Answer()


def ask_to_add(call: Call[AtSite]) -> Answer:
    """Return what a browser makes a passkey with, and what it may be called."""
    with refusing("credential"):
        options = sign_in_of(call.parts).passkeys.begin(Purpose.ADD, _site(call), call.session)
    return Answer({"options": options, "name": device_words(call.client.agent)})


def add(call: Call[MadePasskey]) -> Answer:
    """Store a passkey that the browser made for whoever is signed in."""
    given = call.arguments
    made = Made(given.client_data, given.attestation)
    with refusing("name"):
        return Answer(document(sign_in_of(call.parts).passkeys.add(_site(call), call.session, given.name, made)))


def rename(call: Call[NamedPasskey]) -> Answer:
    """Give a passkey of one's own another name."""
    passkey, _ = _found(call, anybodys=False)
    with refusing("name"):
        sign_in_of(call.parts).passkeys.rename(passkey, call.arguments.name)
    return Answer()


def remove(call: Call[WhichPasskey]) -> Answer:
    """Remove a passkey: one's own, or as an owner anybody's."""
    sign_in_of(call.parts).passkeys.remove(*_found(call, anybodys=call.session.role is Role.OWNER))
    return Answer()


def document(passkey: Passkey) -> dict[str, Any]:
    """Return what people see of a passkey."""
    return {
        "identifier": passkey.identifier,
        "name": passkey.name,
        "host": passkey.host,
        "created_at": passkey.created_at.isoformat(),
        "used_at": passkey.used_at and passkey.used_at.isoformat(),
    }


def _site(call: Call[Any]) -> Site:
    site = site_of(call.arguments.origin, call.parts.config.web.hosts)
    if site is None:
        message, hint = "passkeys need https and a name", "open the page by its name, not by its address"
        raise Refused(Refusal.INVALID, message, hint, argument="origin")
    return site


def _signed(given: SignedPasskey) -> Signed:
    return Signed(given.credential, given.client_data, given.authenticator_data, given.signature, given.user_handle)


def _found(call: Call[Any], *, anybodys: bool) -> tuple[Passkey, Account]:
    found = sign_in_of(call.parts).passkeys.find(call.arguments.identifier)
    if found is None or not (anybodys or found[1].name == call.session.account):
        raise Refused(Refusal.MISSING, "there is no such passkey", "it may be removed already", argument="identifier")
    return found


_CHANGES = (Topic.ACCOUNTS,)
VERBS = (
    Verb("passkeys-here", None, AtSite, passkeys_here),
    Verb("passkey-sign-in-begin", None, AtSite, ask_to_sign_in),
    Verb("passkey-sign-in", None, SignedPasskey, sign_in, changes=_CHANGES),
    Verb("passkey-confirm-begin", Role.KIOSK, AtSite, ask_to_confirm),
    Verb("passkey-confirm", Role.KIOSK, SignedPasskey, confirm),
    Verb("passkey-add-begin", Role.VIEWER, AtSite, ask_to_add, confirmed=True),
    Verb("passkey-add", Role.VIEWER, MadePasskey, add, confirmed=True, changes=_CHANGES),
    Verb("passkey-rename", Role.VIEWER, NamedPasskey, rename, changes=_CHANGES),
    Verb("passkey-remove", Role.VIEWER, WhichPasskey, remove, confirmed=True, changes=_CHANGES),
)
