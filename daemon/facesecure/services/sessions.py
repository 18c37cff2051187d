"""The sessions of the page: find one by its token at once, begin and end them.

Every verb asks for its session, so found ones are kept in memory. They are read again when another process changed
accounts, which is noticed within LAG seconds, and after KEPT seconds in any case.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from facesecure.domain.accounts import Account, Session
from facesecure.domain.errors import StoreError
from facesecure.storage.page import PageRecords

LAG = 1.0
KEPT = 60.0
USE_NOTED = timedelta(minutes=10)
"""How precisely is stored when a session was last used: the disk is an SD card."""
LONGEST_TOKEN = 100
_PATIENCE = 0.2
"""Seconds that a request waits to store that its session was used; it is tried again with a later one."""

_log = logging.getLogger(__name__)


def new_token() -> str:
    """Return a secret of 256 random bits, as 43 characters that an address may hold."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the SHA-256 that a token is stored as."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def utc_now() -> datetime:
    """Return the time of the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Kept:
    session: Session
    read_at: float


class Sessions:
    """Who is signed in. Safe to use from any thread.

    Example::

        session = sessions.find(token)
        if session is None or not session.role.includes(Role.MEMBER): ...
    """

    def __init__(
        self,
        records: PageRecords,
        signed_in_days: float,
        now: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``signed_in_days``: how long a browser stays signed in that is not used."""
        self._records, self._lasts = records, timedelta(days=signed_in_days)
        self._now, self._steady = now, steady
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._revision = -1
        self._generation = 0
        self._asked_at = float("-inf")

    def find(self, token: str | None) -> Session | None:
        """Return the session of ``token``; None if there is none, or it has ended. Raises StoreError."""
        if not token or len(token) > LONGEST_TOKEN:
            return None
        hashed = token_hash(token)
        self._notice_changes()
        with self._lock:
            kept, generation = self._kept.get(hashed), self._generation
        if kept is None or self._steady() - kept.read_at > KEPT:
            session = self._records.sessions.find(hashed)
            if session is None:
                self.forget(hashed)
                return None
            kept = self._keep(hashed, session, generation)
        return self._used(hashed, kept.session, generation)

    def begin(self, account: Account, device: str, address: str) -> tuple[str, Session] | None:
        """Begin a session: its token, and the session. None if the account was changed meanwhile. Raises StoreError."""
        token, now = new_token(), self._now()
        self._records.sessions.end_before(now - self._lasts)
        session = self._records.sessions.begin(account, token_hash(token), now, device, address)
        return None if session is None else (token, session)

    def confirm(self, token: str) -> None:
        """Note that the password was given just now."""
        now = self._now()
        self._records.sessions.update(token_hash(token), used_at=now, confirmed_at=now)
        self.forget()

    def all(self) -> list[Session]:
        """Return the sessions that have not ended, last used first."""
        return [one for one in self._records.sessions.all() if not self._has_ended(one)]

    def end(self, *sessions: Session) -> int:
        """End sessions; return how many there were."""
        ended = self._records.sessions.end(one.identifier for one in sessions)
        self.forget()
        return ended

    def forget(self, hashed: str | None = None) -> None:
        """Read a session from the database the next time it is asked for; None: every session."""
        with self._lock:
            self._generation += 1
            if hashed is None:
                self._kept.clear()
            else:
                self._kept.pop(hashed, None)

    def _notice_changes(self) -> None:
        now = self._steady()
        if now - self._asked_at < LAG:
            return
        revision = self._records.accounts.revision()
        with self._lock:
            self._asked_at = now
            if revision != self._revision:
                self._kept.clear()
                self._generation += 1
                self._revision = revision

    def _keep(self, hashed: str, session: Session, generation: int) -> _Kept:
        """Keep a session, unless something was forgotten since ``generation``: it may have been read before that."""
        kept = _Kept(session, self._steady())
        with self._lock:
            if generation == self._generation:
                self._kept[hashed] = kept
        return kept

    def _used(self, hashed: str, session: Session, generation: int) -> Session | None:
        """Return the session unless it has ended, and store now and then that it was used."""
        if self._has_ended(session):
            return None
        now = self._now()
        if session.used_at is None or now - session.used_at >= USE_NOTED:
            session = replace(session, used_at=now)
            self._keep(hashed, session, generation)
            try:
                self._records.sessions.update(hashed, used_at=now, timeout=_PATIENCE)
            except StoreError as error:
                _log.debug("when a session was used is not stored: %s", error)
        return session

    def _has_ended(self, session: Session) -> bool:
        return self._now() - (session.used_at or session.began_at) > self._lasts
