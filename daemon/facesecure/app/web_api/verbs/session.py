"""Who is signed in: sign in and out, give the password again, open a one-time link, choose password and language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import LANGUAGES, Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Client, Nothing, Refused, Verb
from facesecure.domain.accounts import Role, Session
from facesecure.domain.errors import UsageError
from facesecure.services import accounts, audit
from facesecure.services.device_words import device_words
from facesecure.services.passwords import LONGEST
from facesecure.services.sessions import LONGEST_TOKEN
from facesecure.services.sign_in import Browser, LinkVoidError, SignIn, TooManyTriesError, WrongPasswordError

COOKIE_SECONDS = 400 * 86_400
"""How long a browser may keep the token: RFC 6265bis allows no longer. The daemon ends sessions earlier."""


class NameAndPassword(Arguments):
    """Who somebody says they are."""

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=2 * LONGEST, repr=False)


class Password(Arguments):
    """The password of whoever is signed in."""

    password: str = Field(min_length=1, max_length=2 * LONGEST, repr=False)


class Code(Arguments):
    """The code of a one-time link."""

    code: str = Field(min_length=1, max_length=LONGEST_TOKEN, repr=False)


class CodeAndPassword(Code):
    """A one-time link, and the password that was chosen."""

    password: str = Field(min_length=1, max_length=2 * LONGEST, repr=False)


class TwoPasswords(Arguments):
    """The password so far, and another."""

    old: str = Field(min_length=1, max_length=2 * LONGEST, repr=False)
    new: str = Field(min_length=1, max_length=2 * LONGEST, repr=False)


class Where(Arguments):
    """Where to sign out: here, or in every browser."""

    everywhere: bool = False


class WhichLanguage(Arguments):
    """A language of the page; empty: the browser's."""

    language: Literal["", *LANGUAGES] = ""  # type: ignore[valid-type]


def sign_in_of(parts: WebParts) -> SignIn:
    """Return the part that signs people in."""
    assert parts.sign_in is not None
    return parts.sign_in


@contextmanager
def refusing(argument: str, **others: str) -> Iterator[None]:
    """Turn what is wrong with a password, link or name into a refusal that names the argument."""
    try:
        yield
    except TooManyTriesError as error:
        raise Refused(Refusal.LIMITED, error.message, error.hint, argument=argument, seconds=error.seconds) from error
    except LinkVoidError as error:
        raise Refused(Refusal.MISSING, error.message, error.hint, argument="code") from error
    except WrongPasswordError as error:
        named = others.get("wrong", argument)
        raise Refused(Refusal.INVALID, error.message, error.hint, argument=named) from error
    except UsageError as error:
        raise Refused(Refusal.INVALID, error.message, error.hint, argument=argument) from error


def who(call: Call[Nothing]) -> Answer:
    """Return who is signed in; without an account if nobody is."""
    session = call.signed_in
    if session is None:
        return Answer({"account": None, "role": None, "language": None, "accounts": call.parts.any_account()})
    return Answer(
        {
            "account": session.account,
            "role": session.role.value,
            "language": session.language or None,
            "accounts": True,
            "session": session.identifier,
            "began_at": session.began_at.isoformat(),
            "confirmed_at": session.confirmed_at.isoformat(),
        }
    )


def sign_in(call: Call[NameAndPassword]) -> Answer:
    """Begin a session. A session that the browser had before ends: nobody can have planted the new token."""
    given, browser = call.arguments, browser_of(call.client)
    with refusing("password"):
        return begun(*sign_in_of(call.parts).by_password(given.name, given.password, browser, call.signed_in))


def sign_out(call: Call[Where]) -> Answer:
    """End this session, or all of the account's."""
    sessions, mine = sign_in_of(call.parts).sessions, call.session
    theirs = [one for one in sessions.all() if one.account == mine.account] if call.arguments.everywhere else [mine]
    about = "everywhere" if call.arguments.everywhere else mine.device or "one browser"
    with audit.audited(call.parts.state_dir, "signed-out", mine.account, about):
        return Answer({"ended": sessions.end(*theirs)})


def confirm(call: Call[Password]) -> Answer:
    """Take the password again, for what needs it within the next minutes."""
    with refusing("password"):
        sign_in_of(call.parts).confirm(call.token or "", call.session, call.arguments.password)
    return Answer()


def invitation(call: Call[Code]) -> Answer:
    """Return whom a one-time link is for. Looking at it does not use it."""
    with refusing("code"):
        found = sign_in_of(call.parts).invitation(call.arguments.code, browser_of(call.client))
    return Answer(
        {
            "name": found.name,
            "role": found.role.value,
            "replaces": bool(found.edition),
            "expires_at": found.expires_at.isoformat(),
        }
    )


def accept_invitation(call: Call[CodeAndPassword]) -> Answer:
    """Use a one-time link: its account gets the password, and is signed in here, in place of whoever was."""
    given, browser = call.arguments, browser_of(call.client)
    with refusing("password"):
        return begun(*sign_in_of(call.parts).accept(given.code, given.password, browser, call.signed_in))


def change_password(call: Call[TwoPasswords]) -> Answer:
    """Change the password; the account's other sessions end."""
    given, token = call.arguments, call.token or ""
    with refusing("new", wrong="old"):
        sign_in_of(call.parts).change_password(token, call.session, given.old, given.new)
    return Answer()


def set_language(call: Call[WhichLanguage]) -> Answer:
    """Keep the language of the account."""
    accounts.set_language(call.parts.store, call.session.account, call.arguments.language)
    sign_in_of(call.parts).sessions.forget()
    return Answer()


def browser_of(client: Client) -> Browser:
    """Return the browser that somebody signs in with, in words."""
    return Browser(client.address, device_words(client.agent))


def begun(token: str, session: Session) -> Answer:
    """Return what a sign-in answers: the token, and who is signed in."""
    result: dict[str, Any] = {
        "token": token,
        "seconds": COOKIE_SECONDS,
        "account": session.account,
        "role": session.role.value,
        "language": session.language or None,
    }
    return Answer(result)


VERBS = (
    Verb("session", None, Nothing, who),
    Verb("sign-in", None, NameAndPassword, sign_in, changes=(Topic.ACCOUNTS,)),
    Verb("invitation", None, Code, invitation),
    Verb("accept-invitation", None, CodeAndPassword, accept_invitation, changes=(Topic.ACCOUNTS,)),
    Verb("sign-out", Role.KIOSK, Where, sign_out, changes=(Topic.ACCOUNTS,)),
    Verb("confirm", Role.KIOSK, Password, confirm),
    Verb("change-password", Role.KIOSK, TwoPasswords, change_password, changes=(Topic.ACCOUNTS,)),
    Verb("set-language", Role.KIOSK, WhichLanguage, set_language),
)
