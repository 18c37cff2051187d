"""Tokens for live pictures: another program, a wall tablet for example, shows a camera without signing in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from facesecure.domain.accounts import LiveToken
from facesecure.domain.errors import StoreError
from facesecure.domain.names import known_camera, person_name
from facesecure.services import audit
from facesecure.services.sessions import LONGEST_TOKEN, new_token, token_hash, utc_now
from facesecure.storage.store import Store

_USE_NOTED = timedelta(minutes=10)

_log = logging.getLogger(__name__)


def make(store: Store, name: str, cameras: Sequence[str], made_by: str, known: Sequence[str]) -> tuple[str, LiveToken]:
    """Make a token for ``cameras`` of those that are ``known``; none: for every one. Returns it with what is stored.

    Raises UsageError if a name is not valid, there is no such camera, or there are too many tokens.
    """
    name, chosen = person_name(name), [known_camera(one, known) for one in cameras]
    token = new_token()
    made = store.page.live_tokens.make(token_hash(token), name, chosen, made_by, utc_now())
    audit.record(store.state_dir, "live-token-made", name, *(chosen or ["every camera"]))
    return token, made


def revoke(store: Store, identifier: str) -> LiveToken | None:
    """Make a token worthless, and return what it was; None if there is none."""
    gone = store.page.live_tokens.revoke(identifier)
    if gone is not None:
        audit.record(store.state_dir, "live-token-revoked", gone.name)
    return gone


def find(store: Store, token: str, now: Callable[[], datetime] = utc_now) -> LiveToken | None:
    """Return what a token is for, and note now and then that it was used; None if it is worth nothing.

    Example::

        if (found := find(store, token)) is None or not found.shows("gate"): ...
    """
    if not 0 < len(token) <= LONGEST_TOKEN:
        return None
    found = store.page.live_tokens.find(token_hash(token))
    if found is not None and (found.used_at is None or now() - found.used_at >= _USE_NOTED):
        try:
            store.page.live_tokens.used(token_hash(token), now())
        except StoreError as error:
            _log.debug("when a token was used is not stored: %s", error)
    return found
