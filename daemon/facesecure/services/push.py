"""Subscribe a browser to notifications by Web Push, end that, and send to those that are subscribed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from facesecure.alerts.push.encryption import AUTH, point
from facesecure.alerts.push.plugin import PushPlugin, PushSettings
from facesecure.alerts.push.sending import endpoint_problem
from facesecure.alerts.push.vapid import from_base64url, public_key
from facesecure.config import FacesecureConfig
from facesecure.domain import Alert
from facesecure.domain.accounts import Role, Session
from facesecure.domain.actors import DAEMON
from facesecure.domain.errors import PluginError, UsageError
from facesecure.domain.push import PushSubscription
from facesecure.services import audit
from facesecure.services.sessions import utc_now
from facesecure.storage.store import DATABASE_NAME, Store

_NOBODY = (
    "no phone or computer has asked for notifications",
    "open the page on it: More > Notifications > Notify this browser",
)


def push_plugin(config: FacesecureConfig, store: Store, state_dir: Path) -> PushPlugin | None:
    """Return what sends alerts to the subscribed browsers of ``store``; None where they may not ask for them."""
    web = config.web
    if not (web.enabled and web.push):
        return None
    settings = PushSettings(
        contact=web.push_contact,
        private=web.push_private,
        signed_in_days=web.signed_in_days,
        places=tuple(each.camera.name for each in config.each_camera()),
        language=config.speech.language,
    )

    def removed(one: PushSubscription) -> None:
        audit.record(state_dir, "push-removed", one.account, one.device or "one browser", actor=DAEMON)

    return PushPlugin(store.page.push, settings, removed)


def send_to_browsers(config: FacesecureConfig, state_dir: Path, alert: Alert) -> None:
    """Send ``alert`` to every subscribed browser. Raises PluginError if none got it, or not all, and StoreError.

    No store is made where there is none.
    """
    if not (state_dir / DATABASE_NAME).exists():
        raise PluginError(*_NOBODY)
    with Store.open(state_dir, keep_snapshots=config.store.snapshots) as store:
        plugin = push_plugin(config, store, state_dir)
        if plugin is None:
            raise PluginError("notifications are off", "set enabled = true and push = true in [web]")
        if not plugin.has_receivers():
            raise PluginError(*_NOBODY)
        plugin.send(alert)
        if not plugin.has_receivers():
            raise PluginError("every browser that had asked for notifications wants no more", _NOBODY[1])


def household_key(store: Store) -> str:
    """Return the public key to which a browser binds its subscription, in base64url."""
    return public_key(store.page.push.key())


def subscribe(
    store: Store,
    session: Session,
    endpoint: str,
    p256dh: str,
    auth: str,
    *,
    private: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Notify the browser of ``session``. Raises UsageError if what it says of itself cannot be used.

    ``private``: its push service may be in a private network.
    """
    if (problem := endpoint_problem(endpoint, private=private)) is not None:
        raise UsageError(f"the push service of this browser is not used: {problem}", "try another browser")
    key, secret = _decoded(p256dh), _decoded(auth)
    try:
        point(key)
    except ValueError as error:
        raise UsageError("the key of this browser is none", "try again, or another browser") from error
    if len(secret) != AUTH:
        raise UsageError("the secret of this browser is none", "try again, or another browser")
    with audit.audited(store.state_dir, "push-subscribed", session.account, session.device or "one browser"):
        store.page.push.subscribe(session, endpoint, key, secret, now())


def unsubscribe(store: Store, session: Session, identifier: str) -> bool:
    """Notify a browser no longer: one of one's own account, or as an owner anybody's. Returns whether there was one."""
    found = next((one for one in store.page.push.all() if one.identifier == identifier), None)
    if found is None or not may_remove(session, found):
        return False
    with audit.audited(store.state_dir, "push-removed", found.account, found.device or "one browser"):
        return store.page.push.remove(identifier)


def may_remove(session: Session, one: PushSubscription) -> bool:
    """Return whether whoever is signed in may end that subscription."""
    return session.role is Role.OWNER or one.account == session.account


def _decoded(text: str) -> bytes:
    try:
        return from_base64url(text)
    except ValueError:
        return b""
