"""Notice what other processes change, such as ``facesecure people rename``, while a page waits for changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from facesecure.app.changes import LOOK_EVERY, ChangeFeed, Topic
from facesecure.domain.errors import StoreError
from facesecure.storage.store import Store

_PATIENCE = 0.1
"""Seconds to wait for the database."""


class OutsideChanges:
    """Looks at revisions in the database when it is asked to, but not more often than ``every`` seconds. Thread-safe.

    Example::

        outside = OutsideChanges({(Topic.PEOPLE,): store.people_revision}, feed)
        outside.look()
    """

    def __init__(
        self,
        revisions: Mapping[tuple[Topic, ...], Callable[[], object]],
        feed: ChangeFeed,
        every: float = LOOK_EVERY / 2,
    ) -> None:
        """``revisions``: functions whose result is another when something of the topics has changed; they are cheap."""
        self._revisions, self._feed, self._every = dict(revisions), feed, every
        self._lock = threading.Lock()
        self._seen: dict[tuple[Topic, ...], object] = {}
        self._looked_at = float("-inf")

    def look(self) -> None:
        """Bump the topics of what has changed since the last look; does nothing if that was just now."""
        if not self._lock.acquire(blocking=False):
            return  # somebody looks already
        try:
            if time.monotonic() - self._looked_at >= self._every:
                self._looked_at = time.monotonic()
                self._look()
        finally:
            self._lock.release()

    def _look(self) -> None:
        for topics, revision in self._revisions.items():
            try:
                found = revision()
            except StoreError:
                continue  # the database is busy; the next look will tell
            if self._seen.setdefault(topics, found) != found:
                self._seen[topics] = found
                self._feed.bump(*topics)


def outside_changes(store: Store, feed: ChangeFeed) -> OutsideChanges:
    """Return what looks at the people and accounts in ``store``; who is removed or named changes visits as well."""
    return OutsideChanges(
        {
            (Topic.PEOPLE, Topic.VISITORS, Topic.VISITS): lambda: store.people_revision(_PATIENCE),
            (Topic.ACCOUNTS,): store.page.accounts.revision,
        },
        feed,
    )
