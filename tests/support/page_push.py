"""A household with browsers that are notified, and a push service of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from facesecure.alerts.push.plugin import PushPlugin, PushSettings
from facesecure.alerts.push.sending import LIMITS, Sender
from facesecure.domain.accounts import Role, Session
from facesecure.domain.push import PushSubscription
from facesecure.services import accounts, push
from facesecure.services.sessions import new_token, token_hash
from facesecure.storage.store import Store
from support.push_service import PushService, SubscribedBrowser, encoded, push_service
from support.tls import Authority

PLACES = ("front door",)


@dataclass
class Household:
    """``plugin`` sends to ``service``, which is in a private network; ``given_up`` are the browsers it gave up."""

    store: Store
    service: PushService
    authority: Authority
    given_up: list[PushSubscription] = field(default_factory=list)

    def session(self, name: str, role: Role = Role.MEMBER, device: str = "Firefox on Android") -> Session:
        """A session of ``name``, whose account is made if there is none."""
        if self.store.page.accounts.find(name) is None:
            code = accounts.invite(self.store, name, role).code
            self.store.page.invitations.accept(token_hash(code), "hash", datetime.now(UTC))
        account = self.store.page.accounts.find(name)
        assert account is not None
        begun = self.store.page.sessions.begin(account, token_hash(new_token()), datetime.now(UTC), device, "")
        assert begun is not None
        return begun

    def browser(self, name: str, path: str, role: Role = Role.MEMBER) -> SubscribedBrowser:
        """A browser of ``name`` that is notified at ``path`` of the push service."""
        browser = SubscribedBrowser()
        endpoint, auth = self.service.url + path, encoded(browser.auth)
        push.subscribe(self.store, self.session(name, role), endpoint, browser.p256dh, auth, private=True)
        return browser

    def plugin(self, *, private: bool = True, seconds: float = LIMITS.total, **changed: Any) -> PushPlugin:
        """The channel; ``seconds``: how long one push service may take."""
        settings = PushSettings("mailto:anna@example.org", private, 30.0, PLACES, "en")
        limits = replace(LIMITS, silence=min(seconds, LIMITS.silence), total=seconds)
        sender = partial(
            Sender, contact=settings.contact, private=private, limits=limits, trust=str(self.authority.root)
        )
        return PushPlugin(self.store.page.push, replace(settings, **changed), self.given_up.append, sender)


@contextmanager
def notified_household(folder: Path) -> Iterator[Household]:
    """A household with an empty store in ``folder``."""
    authority = Authority(folder)
    with Store.open(folder / "state") as store, push_service(authority) as service:
        yield Household(store, service, authority)
