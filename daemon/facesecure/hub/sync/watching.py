"""Notice what changes about people at this door, by whatever process, and wake the link."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from facesecure.domain.errors import FacesecureError
from facesecure.hub.sync.assigning import NAME
from facesecure.storage.secret_files import SecretFiles
from facesecure.storage.store import Store

_EVERY = 0.5
"""Seconds between two looks, which cost a query of one number each."""

_log = logging.getLogger(__name__)

Names = dict[str, tuple[str, float]]
"""What people are called, by ``uid``, and since when, in seconds of this door's clock."""


class PeopleWatch:
    """Looks for changes of people in a thread of its own, whether there is a connection or not.

    Example::

        with PeopleWatch(store, state_dir, sync.notice, link.wake):
            ...
    """

    def __init__(
        self, store: Store, state_dir: Path, notice: Callable[[Names], None], wake: Callable[[], None]
    ) -> None:
        """``notice`` is told what people are called, ``wake`` called after each change. Begin with ``with``."""
        self._store, self._notice, self._wake = store, notice, wake
        self._wishes = SecretFiles(state_dir).path(NAME)
        self._seen: tuple[int, int] | None = None
        self._names: Names = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-people", daemon=True)

    def __enter__(self) -> PeopleWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(5.0)

    def look(self) -> None:
        """Look once. Raises StoreError."""
        now = (self._store.people_revision(1.0), self._written())
        if now == self._seen:
            return
        at = time.time()
        known = {person.uid: person.name for person in self._store.people()}
        before = self._names
        self._names = {
            uid: before[uid] if uid in before and before[uid][0] == name else (name, at) for uid, name in known.items()
        }
        self._seen = now
        self._notice(self._names)
        self._wake()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except FacesecureError as error:
                _log.debug("people cannot be looked at now: %s", error.message)
            except Exception:  # noqa: BLE001 - it is tried again; the link looks every few seconds besides
                _log.exception("changes of people are not noticed at once; this is a bug, please report it")
            self._stopping.wait(_EVERY)

    def _written(self) -> int:
        try:
            return self._wishes.stat().st_mtime_ns
        except OSError:
            return 0
