"""Enrolments that are not saved yet, of everybody who is signed in: a few, in memory, for a quarter of an hour."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from facesecure.domain.errors import BusyError, UsageError
from facesecure.services.enrolment_draft import EnrolmentDraft

MOST_DRAFTS = 4
"""Open at once. Each takes some megabytes."""
DRAFT_SECONDS = 15 * 60.0
"""How long a draft is kept after its last step."""


@dataclass(slots=True)
class _Open:
    session: str
    draft: EnrolmentDraft
    used: float


@dataclass(slots=True)
class Drafts:
    """The open drafts; thread-safe. Each can be reached from the session only that began it.

    Example::

        identifier = drafts.add(session.identifier, EnrolmentDraft(models, store, "Anna"))
        drafts.find(session.identifier, identifier)
    """

    most: int = MOST_DRAFTS
    seconds: float = DRAFT_SECONDS
    clock: Callable[[], float] = time.monotonic
    _open: dict[str, _Open] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _timer: threading.Timer | None = field(default=None, init=False)

    def add(self, session: str, draft: EnrolmentDraft) -> str:
        """Keep a draft, and return its identifier, 32 hexadecimal digits.

        If there are too many, the oldest of the same ``session`` is closed. Raises BusyError if all are of others.
        """
        with self._lock:
            self._drop_old()
            if len(self._open) >= self.most:
                self._make_room(session)
            identifier = secrets.token_hex(16)
            self._open[identifier] = _Open(session, draft, self.clock())
            self._wake_later()
            return identifier

    def find(self, session: str, identifier: str) -> EnrolmentDraft:
        """Return the draft of ``session``. Raises UsageError if there is none, or it is another session's."""
        with self._lock:
            self._drop_old()
            found = self._open.get(identifier)
            if found is None or found.session != session:
                hint = f"it is kept for {self.seconds / 60:.0f} minutes; begin again"
                raise UsageError("this enrolment is not open any more", hint)
            found.used = self.clock()
            return found.draft

    def close(self, session: str, identifier: str) -> None:
        """Forget a draft with its pictures, if it is one of ``session``."""
        with self._lock:
            if identifier in self._open and self._open[identifier].session == session:
                del self._open[identifier]

    def __len__(self) -> int:
        """Return how many are open."""
        with self._lock:
            self._drop_old()
            return len(self._open)

    def _make_room(self, session: str) -> None:
        own = [(one.used, identifier) for identifier, one in self._open.items() if one.session == session]
        if own:
            del self._open[min(own)[1]]
            return
        raise BusyError("others are enrolling people just now", "try again in some minutes")

    def _drop_old(self) -> None:
        oldest = self.clock() - self.seconds
        self._open = {identifier: one for identifier, one in self._open.items() if one.used > oldest}

    def _wake_later(self) -> None:
        """Look again when a draft may have become too old: pictures are not kept until somebody happens to come."""
        if self._timer is None:
            self._timer = threading.Timer(self.seconds + 1, self._wake)
            self._timer.name, self._timer.daemon = "old-drafts", True
            self._timer.start()

    def _wake(self) -> None:
        with self._lock:
            self._timer = None
            self._drop_old()
            if self._open:
                self._wake_later()
