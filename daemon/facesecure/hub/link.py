"""The thread that keeps the connection to the hub, and does what there is to do while it holds."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from facesecure.domain.errors import FacesecureError, HubError
from facesecure.hub.access import require_fitting
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.store import HubStore
from facesecure.util.backoff import Backoff

Duty = Callable[[HubStore], None]
"""Does one thing at the hub. An error means that it is to be done again, soon or after the next connection."""

_LONGEST_PAUSE = 60.0
_LOOK = 5.0
"""Seconds after which all duties are done even if nothing was notified."""
_LOOK_OF_MANY = 24.0, 36.0
"""The same at a hub with many doors, where the duties of those that have nothing to do would be most of its work."""
_BUG = "this is a bug, please report it; the rest goes on"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Concerned:
    """A ``duty`` with nothing to do unless something of ``about`` has changed: tables of the hub, topics of this door.

    It is done besides whenever all duties are.
    """

    duty: Duty
    about: frozenset[str]

    def __call__(self, store: HubStore) -> None:
        """Do it."""
        self.duty(store)


class Link:
    """Does ``duties`` in their order whenever something has changed, and at least every few seconds.

    Of those that are ``Concerned`` only the ones that are have their turn, where it is known what has changed.

    Without a connection it tries again after 1 to 60 seconds; nothing of the door waits for it. A duty that fails is
    tried again after 1 to 5 seconds and keeps no other from its turn: it may be one other door's doing.

    Example::

        with Link(store, [answer, learn_doors]) as link:
            link.wake()  # something has changed here
            link.trouble  # None while the connection holds, and everything could be done
    """

    def __init__(self, store: HubStore, duties: Sequence[Duty], require: Callable[[], object] = lambda: None) -> None:
        """``require`` raises FacesecureError where nothing is to be done at the hub any more. Begin with ``with``."""
        self._store, self._duties, self._require = store, tuple(duties), require
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
        self._told: frozenset[str] = frozenset()
        self.trouble: FacesecureError | None = None

    def __enter__(self) -> Link:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.wake()
        self._thread.join(3.0)  # the hub may take longer to answer: the thread ends with the process then
        self._store.database.close(0.5)

    def wake(self, *about: str) -> None:
        """Do the duties soon: something of ``about`` has changed at this door, or without it, anything may have."""
        self._store.database.wake(*about)

    def _run(self) -> None:
        backoff = Backoff(_LONGEST_PAUSE, first=1.0)
        while not self._stopping.is_set():
            try:
                self._require_member()
                require_fitting(self._store.database)
                backoff.reset()
                self._serve()
            except FacesecureError as error:
                self._lost(error)
            except Exception:  # noqa: BLE001 - the door goes on, and so does its next try
                _log.exception("the hub cannot be used; this is a bug, please report it")
            self._stopping.wait(backoff.pause())

    def _serve(self) -> None:
        """Do the duties again and again. Raises FacesecureError if the connection is lost, or the hub was changed."""
        again, database = Backoff(_LOOK, first=1.0), self._store.database
        database.news.tell()
        while not self._stopping.is_set():
            self._require_member()
            news = database.news.take()
            if news is None:
                due = time.monotonic() + (random.uniform(*_LOOK_OF_MANY) if database.is_looking else _LOOK)
            self._tell([trouble for duty in self._due(news) if (trouble := self._done(duty)) is not None])
            if self.trouble is None:
                again.reset()
                database.wait(max(0.0, due - time.monotonic()))
                if time.monotonic() >= due:
                    database.news.tell()
            else:
                database.wait(again.pause())
                require_fitting(database)
                database.news.tell()

    def _require_member(self) -> None:
        """Call ``require``; if it raises, close the connection, which notices use as long as it is there."""
        try:
            self._require()
        except FacesecureError:
            self._store.database.close()
            raise

    def _due(self, news: frozenset[str] | None) -> list[Duty]:
        """Return the duties to be done; ``news`` is what has changed, None for anything."""
        return [one for one in self._duties if news is None or not isinstance(one, Concerned) or one.about & news]

    def _done(self, duty: Duty) -> FacesecureError | None:
        """Do one duty, and return what kept it from being done. Raises FacesecureError if the connection is lost."""
        try:
            duty(self._store)
        except NotGenuineError as error:
            return HubError(f"what is at the hub is not genuine: {error}", "ask who administers its database")
        except FacesecureError as error:
            if not self._store.database.is_connected:
                raise
            return error
        except Exception as error:  # noqa: BLE001 - whatever a door has written, it must not keep this one from the rest
            return self._bug(duty, error)
        return None

    def _bug(self, duty: Duty, error: Exception) -> FacesecureError:
        """Log an error that nobody expected, once as long as it lasts."""
        done = duty.duty if isinstance(duty, Concerned) else duty
        trouble = HubError(f"{getattr(done, '__qualname__', 'a duty')} fails with {type(error).__name__}", _BUG)
        if trouble.message not in self._told:
            _log.error("the hub: %s; %s", trouble.message, trouble.hint, exc_info=error)
        return trouble

    def _tell(self, troubles: Sequence[FacesecureError]) -> None:
        """Say what could not be done, once as long as it lasts, and when everything can be done again."""
        for trouble in troubles:
            if trouble.message not in self._told and trouble.hint != _BUG:
                _log.warning("the hub: a part cannot be done: %s; %s", trouble.message, trouble.hint)
        self._told = frozenset(trouble.message for trouble in troubles)
        if not troubles and self.trouble is not None:
            _log.info("the hub can be used again")
        self.trouble = troubles[0] if troubles else None

    def _lost(self, error: FacesecureError) -> None:
        if self.trouble is None or self.trouble.message != error.message:
            _log.warning("the hub cannot be used; this door goes on without it: %s; %s", error.message, error.hint)
        self.trouble = error
