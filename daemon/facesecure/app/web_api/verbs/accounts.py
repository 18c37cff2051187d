"""Accounts and devices: who may use the page, where they are signed in, and tokens for live pictures."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Refused, Verb
from facesecure.app.web_api.verbs.live import by_slug
from facesecure.app.web_api.verbs.passkeys import document as passkey_document
from facesecure.app.web_api.verbs.session import refusing, sign_in_of
from facesecure.domain.accounts import Account, LiveToken, Role, Session
from facesecure.domain.passkeys import Passkey
from facesecure.services import accounts, audit, live_tokens
from facesecure.services.accounts import OneTimeLink

_IDENTIFIER = r"^[0-9a-f]{32}$"
_MOST_CAMERAS = 64
Name = Annotated[str, Field(min_length=1, max_length=64)]


class WhichAccount(Arguments):
    """An account by its name."""

    name: Name


class NameAndRole(Arguments):
    """An account, and a role for it."""

    name: Name
    role: Role


class WhichSession(Arguments):
    """A session by the identifier that people see, which is not its token."""

    identifier: str = Field(pattern=_IDENTIFIER)


class NewToken(Arguments):
    """What a token is for: a program's name, and the cameras that it may see; none: every camera."""

    name: Name
    cameras: list[Name] = Field(default_factory=list, max_length=_MOST_CAMERAS)


def list_accounts(call: Call[Nothing]) -> Answer:
    """Return every account with its sessions, the tokens for live pictures, and rows that others changed."""
    store, mine = call.parts.store, call.session.identifier
    sessions, passkeys = sign_in_of(call.parts).sessions.all(), store.page.passkeys.all()
    return Answer(
        {
            "accounts": [_account(one, sessions, passkeys, mine) for one in store.page.accounts.all()],
            "tokens": [_token(one) for one in store.page.live_tokens.all()],
            "cameras": [{"camera": slug, "name": one.name} for slug, one in by_slug(call.parts).items()],
            "problems": store.page.accounts.problems(),
        }
    )


def my_devices(call: Call[Nothing]) -> Answer:
    """Return where whoever asks is signed in, and their passkeys."""
    sessions, mine = sign_in_of(call.parts).sessions.all(), call.session
    account = call.parts.store.page.accounts.find(mine.account)
    passkeys = sign_in_of(call.parts).passkeys.of(account) if account else []
    return Answer(
        {
            "devices": [_device(one, mine.identifier) for one in sessions if one.account == mine.account],
            "passkeys": [passkey_document(one) for one in passkeys],
        }
    )


def invite(call: Call[NameAndRole]) -> Answer:
    """Make a one-time link for a new account."""
    with refusing("name"):
        return _link(accounts.invite(call.parts.store, call.arguments.name, call.arguments.role))


def reset_account(call: Call[WhichAccount]) -> Answer:
    """Make the password of another account void, and a one-time link that sets a new one."""
    if accounts.require(call.parts.store, call.arguments.name).name == call.session.account:
        raise Refused(Refusal.INVALID, "this is your own account", "change your password instead", argument="name")
    with refusing("name"):
        link = accounts.reset(call.parts.store, call.arguments.name)
    _notice(call)
    return _link(link)


def change_role(call: Call[NameAndRole]) -> Answer:
    """Give an account another role. It has to sign in again."""
    with refusing("role"):
        accounts.change_role(call.parts.store, call.arguments.name, call.arguments.role)
    _notice(call)
    return Answer()


def remove_account(call: Call[WhichAccount]) -> Answer:
    """Remove an account; its sessions end."""
    with refusing("name"):
        accounts.remove(call.parts.store, call.arguments.name)
    _notice(call)
    return Answer()


def end_session(call: Call[WhichSession]) -> Answer:
    """End a session: one's own, or as an owner anybody's."""
    sessions, mine = sign_in_of(call.parts).sessions, call.session
    found = next((one for one in sessions.all() if one.identifier == call.arguments.identifier), None)
    if found is None or not (mine.role is Role.OWNER or found.account == mine.account):
        raise Refused(Refusal.MISSING, "there is no such session", "it may have ended already", argument="identifier")
    with audit.audited(call.parts.state_dir, "signed-out", found.account, found.device or "one browser"):
        sessions.end(found)
    return Answer()


def make_token(call: Call[NewToken]) -> Answer:
    """Make a token for live pictures. It is answered this once; ``shows`` are the cameras' words in addresses."""
    known = [camera.name for camera in call.parts.cameras]
    with refusing("name"):
        token, made = live_tokens.make(
            call.parts.store, call.arguments.name, call.arguments.cameras, call.session.account, known
        )
    shown = [slug for slug, camera in by_slug(call.parts).items() if made.shows(camera.name)]
    return Answer({"token": token, "shows": shown, **_token(made)})


def revoke_token(call: Call[WhichSession]) -> Answer:
    """Make a token for live pictures worthless."""
    if live_tokens.revoke(call.parts.store, call.arguments.identifier) is None:
        raise Refused(Refusal.MISSING, "there is no such token", "it may be revoked already", argument="identifier")
    return Answer()


def _notice(call: Call[Any]) -> None:
    sign_in_of(call.parts).sessions.forget()


def _link(link: OneTimeLink) -> Answer:
    made = link.invitation
    result = {"name": made.name, "role": made.role.value, "code": link.code, "expires_at": made.expires_at.isoformat()}
    return Answer({**result, "replaces": link.replaces})


def _account(account: Account, sessions: list[Session], passkeys: list[Passkey], mine: str) -> dict[str, Any]:
    return {
        "name": account.name,
        "role": account.role.value,
        "created_at": account.created_at.isoformat(),
        "has_password": bool(account.password),
        "devices": [_device(one, mine) for one in sessions if one.account == account.name],
        "passkeys": [passkey_document(one) for one in passkeys if one.account == account.uid],
    }


def _device(session: Session, mine: str) -> dict[str, Any]:
    return {
        "identifier": session.identifier,
        "device": session.device,
        "address": session.address,
        "began_at": session.began_at.isoformat(),
        "used_at": (session.used_at or session.began_at).isoformat(),
        "this": session.identifier == mine,
    }


def _token(token: LiveToken) -> dict[str, Any]:
    return {
        "identifier": token.identifier,
        "name": token.name,
        "cameras": list(token.cameras),
        "made_by": token.made_by,
        "created_at": token.created_at.isoformat(),
        "used_at": token.used_at and token.used_at.isoformat(),
    }


_CHANGES = (Topic.ACCOUNTS,)
VERBS = (
    Verb("accounts", Role.OWNER, Nothing, list_accounts),
    Verb("devices", Role.KIOSK, Nothing, my_devices),
    Verb("invite", Role.OWNER, NameAndRole, invite, confirmed=True, changes=_CHANGES),
    Verb("reset-account", Role.OWNER, WhichAccount, reset_account, confirmed=True, changes=_CHANGES),
    Verb("change-role", Role.OWNER, NameAndRole, change_role, confirmed=True, changes=_CHANGES),
    Verb("remove-account", Role.OWNER, WhichAccount, remove_account, confirmed=True, changes=_CHANGES),
    Verb("end-session", Role.KIOSK, WhichSession, end_session, changes=_CHANGES),
    Verb("live-token-make", Role.OWNER, NewToken, make_token, confirmed=True, changes=_CHANGES),
    Verb("live-token-revoke", Role.OWNER, WhichSession, revoke_token, changes=_CHANGES),
)
