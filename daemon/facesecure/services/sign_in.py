"""Signing in to the page, as the daemon answers it: passwords, passkeys, one-time links, and their limits.

Example::

    sign_in = SignIn(store, config.web.signed_in_days)
    token, session = sign_in.by_password("Anna", typed, Browser("192.168.1.7", "Firefox on Android"))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from facesecure.domain.accounts import PAGE, Account, Invitation, Role, Session
from facesecure.domain.actors import Actor
from facesecure.domain.errors import BusyError, FacesecureError, UsageError
from facesecure.domain.names import name_key
from facesecure.domain.passkeys import Purpose, Site
from facesecure.services import audit
from facesecure.services.passkey_checks import Signed
from facesecure.services.passkeys import Passkeys
from facesecure.services.passwords import Passwords, require_good
from facesecure.services.sessions import LONGEST_TOKEN, Sessions, token_hash, utc_now
from facesecure.services.sign_in_limits import (
    NOTED,
    Limit,
    SignInLimits,
    account_limit,
    address_limit,
    household,
    session_limit,
)
from facesecure.storage.store import Store

_ASK_THE_OWNER = "ask whoever set up the page for a new one: facesecure web accounts invite"
_NOBODY = Actor("nobody", PAGE)


class WrongPasswordError(FacesecureError):
    """The name or the password is wrong; which one, nobody is told."""


class WrongPasskeyError(WrongPasswordError):
    """The passkey is none of this page's, or what it signed is not right."""

    def __init__(self) -> None:
        super().__init__("this passkey was not accepted", "try again, or use your password")


class TooManyTriesError(FacesecureError):
    """Too many tries failed: the next one is looked at in ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many tries failed", "wait a little, then try again")
        self.seconds = seconds


class LinkVoidError(FacesecureError):
    """A one-time link does not work (any more)."""


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser that somebody signs in with: its address, and what it is in words."""

    address: str = ""
    words: str = ""


class SignIn:
    """Everything that begins a session or asks for a password. Thread-safe; each method raises StoreError, too."""

    def __init__(
        self,
        store: Store,
        signed_in_days: float,
        passwords: Passwords | None = None,
        now: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``signed_in_days``: how long a browser that is not used stays signed in."""
        self._store, self._now = store, now
        self._passwords = passwords or Passwords()
        self._limits = SignInLimits(store.page.attempts, now)
        self.passkeys = Passkeys(store, now, steady)
        self.sessions = Sessions(store.page, signed_in_days, now, steady)

    def any_account(self) -> bool:
        """Return whether anybody can sign in."""
        return any(one.password for one in self._store.page.accounts.all())

    def by_password(
        self, name: str, password: str, browser: Browser, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """Begin a session, and return its token with it. The one it is ``instead_of`` ends.

        Raises WrongPasswordError, TooManyTriesError or BusyError.
        """
        key, account = self._account(name)
        limits, beside = self._limits_for(key, account, browser)
        hashed = account.password if account else ""
        if not self._is_right(hashed, password, limits, beside):
            self._note_refusal(account, browser)
            raise WrongPasswordError("the name or the password is wrong", "check both; capital letters count")
        return self._begin(account, browser, instead_of)

    def by_passkey(
        self, site: Site, signed: Signed, browser: Browser, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """Begin a session as ``by_password`` does. Raises WrongPasskeyError or TooManyTriesError."""
        passkey, account = self.passkeys.owner_of(signed) or (None, None)
        key = name_key(account.name) if account else ""
        limits, beside = self._limits_for(key, account, browser) if account else ([address_limit(browser.address)], [])
        self._take(limits, beside)
        if not self.passkeys.is_right(Purpose.SIGN_IN, site, signed, passkey, browser.address):
            self._note_refusal(account, browser)
            raise WrongPasskeyError
        self._limits.give_back([*limits, *beside])
        return self._begin(account, browser, instead_of)

    def confirm_by_passkey(self, token: str, session: Session, site: Site, signed: Signed) -> None:
        """Note that whoever is signed in gave a passkey of theirs. Raises as ``by_passkey``."""
        passkey, account = self.passkeys.owner_of(signed) or (None, None)
        is_theirs = account is not None and account.name == session.account
        limits, beside = [session_limit(session.identifier)], [account_limit(name_key(session.account))]
        self._take(limits, beside)
        mine = passkey if is_theirs else None
        if not self.passkeys.is_right(Purpose.CONFIRM, site, signed, mine, session):
            self._note_refusal(
                self._store.page.accounts.find(session.account), Browser(session.address, session.device)
            )
            raise WrongPasskeyError
        self._limits.give_back([*limits, *beside])
        self.sessions.confirm(token)

    def confirm(self, token: str, session: Session, password: str) -> None:
        """Note that whoever is signed in gave the password again. Raises as ``by_password``."""
        self._check(session, password)
        self.sessions.confirm(token)

    def vouch(self, session: Session, name: str, password: str, least: Role, browser: Browser) -> Account:
        """Return the account ``name``, whose owner gave its password in another's ``session``, which stays as it was.

        The password of an account that is not at ``least`` that role counts as a wrong one. Raises as ``by_password``.
        """
        key, account = self._account(name)
        limits, beside = self._limits_for(key, account, browser)
        may = account is not None and account.role.includes(least)
        hashed = account.password if account is not None and may else ""
        right = self._is_right(hashed, password, [session_limit(session.identifier), *limits], beside)
        if account is None or not right:
            self._note_refusal(account, browser)
            raise WrongPasswordError("the name or the password is wrong", "check both; capital letters count")
        return account

    def change_password(self, token: str, session: Session, old: str, new: str) -> None:
        """Change the password, and end the account's other sessions.

        Raises as ``by_password``, and UsageError if the new password is not good enough.
        """
        require_good(new, session.account)
        self._check(session, old)
        hashed = self._passwords.hash(new)
        with audit.audited(self._store.state_dir, "password-changed", session.account):
            self._store.page.accounts.set_password(session.account, hashed, token_hash(token))
        self.sessions.confirm(token)

    def invitation(self, code: str, browser: Browser) -> Invitation:
        """Return what a one-time link is for; it stays as it was. Raises LinkVoidError or TooManyTriesError."""
        limit = address_limit(browser.address)
        self._take([limit])
        found = self._store.page.invitations.find(token_hash(code)) if len(code) <= LONGEST_TOKEN else None
        if found is None:
            raise LinkVoidError("this link is not one that was made here", _ASK_THE_OWNER)
        self._limits.give_back([limit])
        if found.used_at is not None:
            raise LinkVoidError("this link was used already; it works once", _ASK_THE_OWNER)
        if self._now() >= found.expires_at:
            raise LinkVoidError("this link is too old: it works for 15 minutes", _ASK_THE_OWNER)
        return found

    def accept(
        self, code: str, password: str, browser: Browser, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """Use a one-time link: make its account, or set its password, and sign in as ``by_password`` does.

        Raises LinkVoidError, TooManyTriesError, BusyError, and UsageError if the password is not good enough.
        """
        invitation = self.invitation(code, browser)
        require_good(password, invitation.name)
        hashed = self._passwords.hash(password)
        account = self._store.page.invitations.accept(token_hash(code), hashed, self._now())
        if account is None:
            raise LinkVoidError("this link was used already; it works once", _ASK_THE_OWNER)
        action = "password-changed" if invitation.edition else "account-created"
        audit.record(self._store.state_dir, action, account.name, account.role.value, actor=_actor(account))
        self.sessions.forget()
        return self._begin(account, browser, instead_of)

    def _begin(self, account: Account | None, browser: Browser, instead_of: Session | None) -> tuple[str, Session]:
        begun = self.sessions.begin(account, browser.words, browser.address) if account else None
        if begun is None or account is None:
            raise WrongPasswordError("the account was changed just now", "try again")
        about = [one for one in (browser.words, browser.address) if one]
        audit.record(self._store.state_dir, "signed-in", *about, actor=_actor(account))
        if instead_of is not None:
            self.sessions.end(instead_of)
        return begun

    def _account(self, name: str) -> tuple[str, Account | None]:
        """Return what the account's failures are counted by, and the account if there is one with that name."""
        try:
            return name_key(name), self._store.page.accounts.find(name)
        except UsageError:
            return "", None

    def _limits_for(
        self, key: str, account: Account | None, browser: Browser
    ) -> tuple[Sequence[Limit], Sequence[Limit]]:
        """Return the limits that the browser waits for, and those that its tries only count for.

        Where the account is signed in already, others' tries make nobody wait.
        """
        theirs = {household(one.address) for one in self.sessions.all() if account and one.account == account.name}
        address, of_account = address_limit(browser.address), account_limit(key)
        if household(browser.address) in theirs:
            return [address], [of_account]
        return [address, of_account], []

    def _check(self, session: Session, password: str) -> None:
        account = self._store.page.accounts.find(session.account)
        beside = [account_limit(name_key(session.account))]
        if not self._is_right(
            account.password if account else "", password, [session_limit(session.identifier)], beside
        ):
            self._note_refusal(account, Browser(session.address, session.device))
            raise WrongPasswordError("that is not the password of this account", "check it; capital letters count")

    def _is_right(self, hashed: str, password: str, limits: Sequence[Limit], beside: Sequence[Limit]) -> bool:
        """Count the try, then look at it. Raises TooManyTriesError, or BusyError, which counts nothing."""
        self._take(limits, beside)
        try:
            right = self._passwords.matches(hashed, password)
        except BusyError:
            self._limits.give_back([*limits, *beside])
            raise
        if right:
            self._limits.give_back([*limits, *beside])
        return right

    def _take(self, limits: Sequence[Limit], beside: Sequence[Limit] = ()) -> None:
        if (seconds := self._limits.take(limits, beside)) > 0:
            raise TooManyTriesError(seconds)

    def _note_refusal(self, account: Account | None, browser: Browser) -> None:
        """Record a wrong password or passkey, unless many were lately.

        A name that no account has may be a password: it is not recorded.
        """
        if self._limits.take([NOTED]) > 0:
            return
        about = [account.name if account else "a name that no account has", browser.address]
        audit.record(self._store.state_dir, "sign-in-refused", *(one for one in about if one), actor=_NOBODY)


def _actor(account: Account) -> Actor:
    return Actor(account.name, PAGE)
