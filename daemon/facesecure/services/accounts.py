"""Accounts of the page, as their owner manages them: at the command line, while the daemon runs or not, or on the page.

An account begins with a one-time link: whoever opens it within 15 minutes chooses the password. A daemon notices within
a second what the command line changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from facesecure.domain.accounts import Account, Invitation, Role, Session
from facesecure.domain.errors import UsageError
from facesecure.domain.names import person_name
from facesecure.services import audit
from facesecure.services.sessions import new_token, token_hash, utc_now
from facesecure.storage.store import Store

LINK_LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link that was made just now: the code is nowhere else. ``replaces``: it sets an account's password anew."""

    code: str
    invitation: Invitation

    @property
    def replaces(self) -> bool:
        """Whether the link is for an account that exists."""
        return bool(self.invitation.edition)


def set_up(store: Store, name: str, now: Callable[[], datetime] = utc_now) -> OneTimeLink:
    """Return the link that makes the first owner, called ``name``. Raises UsageError if there is an owner already."""
    owners = [one.name for one in store.page.accounts.all() if one.role is Role.OWNER and one.password]
    if owners:
        hint = f"a lost password: facesecure web accounts reset {owners[0]!r}; another: facesecure web accounts invite"
        raise UsageError(f"the page is set up: {', '.join(owners)} may do everything", hint)
    existing = store.page.accounts.find(name)
    if existing is not None and existing.role is Role.OWNER:
        return reset(store, name, now)
    return invite(store, name, Role.OWNER, now)


def invite(store: Store, name: str, role: Role, now: Callable[[], datetime] = utc_now) -> OneTimeLink:
    """Return a link that makes the account ``name``. Raises UsageError if the name is not valid, or is taken."""
    return _made(store, Invitation(person_name(name), role, "", now() + LINK_LASTS), now)


def reset(store: Store, name: str, now: Callable[[], datetime] = utc_now) -> OneTimeLink:
    """Make an account's password void, end its sessions, and return a link that sets another. Raises UsageError."""
    with audit.audited(store.state_dir, "password-reset", name):
        account = store.page.accounts.set_password(name, "")
    return _made(store, Invitation(account.name, account.role, account.edition, now() + LINK_LASTS), now)


def change_role(store: Store, name: str, role: Role) -> Account:
    """Give an account another role; its sessions end. Raises UsageError: no such account, or the last owner's."""
    with audit.audited(store.state_dir, "role-changed", name, role.value):
        return store.page.accounts.set_role(name, role)


def set_language(store: Store, name: str, language: str) -> None:
    """Keep the language of an account; empty: whatever the browser asks for. Raises UsageError: no such account."""
    store.page.accounts.set_language(name, language)


def remove(store: Store, name: str) -> None:
    """Remove an account with its sessions and links. Raises UsageError: no such account, or the last owner's."""
    with audit.audited(store.state_dir, "account-removed", name):
        store.page.accounts.remove(name)
        store.page.invitations.withdraw(name)


def sessions_of(store: Store, name: str) -> list[Session]:
    """Return the sessions of an account. Raises UsageError: no such account."""
    account = require(store, name)
    return [one for one in store.page.sessions.all() if one.account == account.name]


def sign_out(store: Store, name: str) -> int:
    """End every session of an account; return how many there were. Raises UsageError: no such account."""
    theirs = sessions_of(store, name)
    with audit.audited(store.state_dir, "signed-out", require(store, name).name, "everywhere"):
        return store.page.sessions.end(one.identifier for one in theirs)


def require(store: Store, name: str) -> Account:
    """Return the account ``name``. Raises UsageError that names those there are."""
    account = store.page.accounts.find(name)
    if account is None:
        names = ", ".join(one.name for one in store.page.accounts.all())
        hint = f"the accounts are: {names}" if names else "make the first one: facesecure web setup"
        raise UsageError(f"the page has no account called {name!r}", hint)
    return account


def _made(store: Store, invitation: Invitation, now: Callable[[], datetime]) -> OneTimeLink:
    code = new_token()
    with audit.audited(store.state_dir, "account-invited", invitation.name, invitation.role.value):
        store.page.invitations.make(token_hash(code), invitation, now())
    return OneTimeLink(code, invitation)
