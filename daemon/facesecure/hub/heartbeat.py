"""Say once a minute that this door is alive, sealed for its household."""

from __future__ import annotations

import json
import time
from pathlib import Path

from facesecure import __version__
from facesecure.hub.documents import Documents
from facesecure.hub.identity_file import member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.store import HubStore

_EVERY = 60.0
"""Seconds between two signs of life."""


class Heartbeat:
    """The sign of life of one door. One thread uses it.

    Example::

        Link(store, [known.learn, Heartbeat(state_dir, known).report])
    """

    def __init__(self, state_dir: Path, known: KnownDoors) -> None:
        """``known`` has learnt the door's own certificate."""
        self._state_dir, self._known = state_dir, known
        self._last: float | None = None

    def report(self, store: HubStore) -> None:
        """Report, if a minute has passed. Raises HubError."""
        if self._last is not None and time.monotonic() - self._last < _EVERY:
            return
        identity = member_identity(self._state_dir)
        documents = Documents(identity, self._known.trusted, store.household_keys.mine())
        store.doors.report(documents.status(json.dumps({"version": __version__}).encode()))
        self._last = time.monotonic()
