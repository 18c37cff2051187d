"""Passkeys of the page: made by whoever is signed in, then given in place of the password.

Example::

    passkeys = Passkeys(store)
    site = site_of("https://raspberrypi.local:8443", config.web.hosts)
    options = passkeys.begin(Purpose.ADD, site, session)
    passkeys.add(site, session, "Anna's phone", made)
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from facesecure.domain.accounts import Account, Session
from facesecure.domain.errors import UsageError
from facesecure.domain.names import person_name
from facesecure.domain.passkeys import Passkey, Purpose, Site
from facesecure.services import audit, passkey_checks
from facesecure.services.passkey_challenges import Asked, Challenges
from facesecure.services.passkey_checks import Made, Signed
from facesecure.services.sessions import utc_now
from facesecure.services.sign_in_limits import household
from facesecure.storage.store import Store
from facesecure.util.host_names import own_names

_ORIGIN = re.compile(r"(https?)://([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,20})(?::[0-9]{1,5})?")
_LOCAL = "localhost"
_ADDRESS = re.compile(r"[0-9.]+")


def site_of(origin: str, hosts: Iterable[str]) -> Site | None:
    """Return the page that a browser reaches by ``origin``; None if browsers offer no passkeys there.

    They want https and a name, which must be one of ``hosts`` or this machine's own; or localhost.
    """
    found = _ORIGIN.fullmatch(origin)
    if found is None or _ADDRESS.fullmatch(found[2]):
        return None
    known = {host.lower() for host in hosts} | own_names()
    is_safe = found[1] == "https" or found[2] == _LOCAL
    return Site(origin, found[2]) if is_safe and found[2] in known else None


class Passkeys:
    """Makes challenges, and checks what passkeys signed. Thread-safe; each method raises StoreError, too."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._now = store, now
        self.challenges = Challenges(steady)

    def of(self, account: Account, host: str | None = None) -> list[Passkey]:
        """Return the passkeys of an account; with ``host`` those that work at that name of the page."""
        theirs = [one for one in self._store.page.passkeys.all() if one.account == account.uid]
        return [one for one in theirs if host in (None, one.host)]

    def any_at(self, site: Site, session: Session | None) -> bool:
        """Return whether somebody, or whoever is signed in, has a passkey for this name of the page."""
        account = self._store.page.accounts.find(session.account) if session else None
        found = self._store.page.passkeys.all() if session is None else self.of(account) if account else []
        return any(one.host == site.host for one in found)

    def begin(self, purpose: Purpose, site: Site, session: Session | None, address: str = "") -> dict[str, Any]:
        """Return what the browser asks a passkey with, as JSON. ``session`` is None for a sign-in."""
        challenge = self.challenges.make(Asked(purpose, site, _who(session, address)))
        if session is None:
            return passkey_checks.request_options(site, [], challenge)
        account = self._account(session)
        known = self.of(account, site.host)
        if purpose is Purpose.ADD:
            return passkey_checks.creation_options(site, account, known, challenge)
        if not known:
            raise UsageError("this account has no passkey for this address", "give the password instead")
        return passkey_checks.request_options(site, known, challenge)

    def add(self, site: Site, session: Session, name: str, made: Made) -> Passkey:
        """Store a passkey that the browser made. Raises UsageError if it is not right, or the name is not."""
        challenge, called = passkey_checks.challenge_in(made.client_data), person_name(name)
        is_ours = self.challenges.take(challenge, Asked(Purpose.ADD, site, _who(session)))
        new = passkey_checks.checked_new(site, challenge, made) if is_ours else None
        if new is None:
            raise UsageError("the passkey was not stored: it took too long, or was not made here", "try again")
        account = self._account(session)
        with audit.audited(self._store.state_dir, "passkey-added", session.account, called):
            return self._store.page.passkeys.add(
                account, called, site.host, new.identifier, new.data, new.signed, self._now()
            )

    def owner_of(self, signed: Signed) -> tuple[Passkey, Account] | None:
        """Return the passkey that claims to have signed, and its account, if it may sign in."""
        found = self._store.page.passkeys.find(passkey_checks.decoded(signed.credential))
        return found if found is not None and found[1].password else None

    def is_right(
        self, purpose: Purpose, site: Site, signed: Signed, passkey: Passkey | None, by: Session | str
    ) -> bool:
        """Return whether ``passkey`` signed, just now and for this; its count is stored. ``by``: session or address."""
        challenge = passkey_checks.challenge_in(signed.client_data)
        session, address = (by, "") if isinstance(by, Session) else (None, by)
        is_ours = self.challenges.take(challenge, Asked(purpose, site, _who(session, address)))
        if not is_ours or passkey is None:
            return False
        count = passkey_checks.checked_signature(site, challenge, signed, passkey)
        return count is not None and self._store.page.passkeys.use(passkey, count, self._now())

    def rename(self, passkey: Passkey, name: str) -> None:
        """Give a passkey another name. Raises UsageError if the name is not valid."""
        self._store.page.passkeys.rename(passkey.identifier, person_name(name))

    def remove(self, passkey: Passkey, account: Account) -> None:
        """Remove a passkey: it signs nobody in any more."""
        with audit.audited(self._store.state_dir, "passkey-removed", account.name, passkey.name):
            self._store.page.passkeys.remove(passkey.identifier)

    def find(self, identifier: str) -> tuple[Passkey, Account] | None:
        """Return a passkey by the identifier that people see, and its account."""
        accounts = {one.uid: one for one in self._store.page.accounts.all()}
        found = [one for one in self._store.page.passkeys.all() if one.identifier == identifier]
        return (found[0], accounts[found[0].account]) if found and found[0].account in accounts else None

    def _account(self, session: Session) -> Account:
        found = self._store.page.accounts.find(session.account)
        if found is None:
            raise UsageError("the account was changed just now", "try again")
        return found


def _who(session: Session | None, address: str = "") -> str:
    return f"session {session.identifier}" if session else f"address {household(address)}"
