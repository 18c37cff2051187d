"""The thread that keeps the connection to the hub, and does what there is to do while it holds."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence

from facesecure.domain.errors import FacesecureError, HubError
from facesecure.hub.access import require_fitting
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.store import HubStore
from facesecure.util.backoff import Backoff

Duty = Callable[[HubStore], None]
"""Does one thing at the hub. A HubError means that it is to be done again after the next connection."""

_LONGEST_PAUSE = 60.0
_LOOK = 5.0
"""Seconds after which the duties are done even if nothing was notified."""
_LOOK_OF_MANY = 24.0, 36.0
"""The same at a hub with many doors, where the duties of those that have nothing to do would be most of its work."""

_log = logging.getLogger(__name__)


class Link:
    """Does ``duties`` in their order whenever something has changed, and at least every few seconds.

    Without a connection it tries again after 1 to 60 seconds; nothing of the door waits for it.

    Example::

        with Link(store, [answer, learn_doors]) as link:
            link.wake()  # something has changed here
            link.trouble  # None while the connection holds
    """

    def __init__(self, store: HubStore, duties: Sequence[Duty]) -> None:
        """Begin with ``with``."""
        self._store, self._duties = store, tuple(duties)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
        self.trouble: FacesecureError | None = None

    def __enter__(self) -> Link:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.wake()
        self._thread.join(3.0)  # a connection that is being made may take longer: the thread is left to itself
        self._store.database.close()

    def wake(self) -> None:
        """Do the duties soon: something has changed at this door."""
        self._store.database.wake()

    def _run(self) -> None:
        backoff = Backoff(_LONGEST_PAUSE, first=1.0)
        while not self._stopping.is_set():
            try:
                require_fitting(self._store.database)
                self._connected()
                backoff.reset()
                self._serve()
            except FacesecureError as error:
                self._lost(error)
            except NotGenuineError as error:
                self._lost(HubError(f"what is at the hub is not genuine: {error}", "ask who administers its database"))
            except Exception:  # noqa: BLE001 - the door goes on, and so does its next try
                _log.exception("the hub cannot be used; this is a bug, please report it")
            self._stopping.wait(backoff.pause())

    def _serve(self) -> None:
        while not self._stopping.is_set():
            for duty in self._duties:
                duty(self._store)
            many = self._store.database.is_looking
            self._store.database.wait(random.uniform(*_LOOK_OF_MANY) if many else _LOOK)

    def _connected(self) -> None:
        if self.trouble is not None:
            _log.info("the hub can be used again")
        self.trouble = None

    def _lost(self, error: FacesecureError) -> None:
        if self.trouble is None or self.trouble.message != error.message:
            _log.warning("the hub cannot be used; this door goes on without it: %s; %s", error.message, error.hint)
        self.trouble = error
