"""Subscribe a browser to notifications by Web Push, and end that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from facesecure.alerts.push.encryption import AUTH, point
from facesecure.alerts.push.sending import endpoint_problem
from facesecure.alerts.push.vapid import from_base64url, public_key
from facesecure.domain.accounts import Role, Session
from facesecure.domain.errors import UsageError
from facesecure.domain.push import PushSubscription
from facesecure.services import audit
from facesecure.services.sessions import utc_now
from facesecure.storage.store import Store


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
