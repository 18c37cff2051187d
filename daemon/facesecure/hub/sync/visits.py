"""The duty of sharing visits: hear of those at other doors, then tell of those at this one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from facesecure.app.changes import Topic
from facesecure.domain.door_visits import DoorVisit
from facesecure.domain.errors import StoreError
from facesecure.hub.identity_file import find_identity, member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.store import HubStore
from facesecure.hub.sync.hearing import Hearing
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.shared_ids import SharedIds
from facesecure.hub.sync.telling import Telling
from facesecure.hub.sync.visits_state import VisitsState
from facesecure.hub.trust import TrustedDoors
from facesecure.storage.store import Store

_EVERYTHING_EVERY = 300.0
"""Seconds between two looks at all visits of two weeks, which another process may have corrected."""
_LOOK_EVERY = 1.0
_SAVE_EVERY = 15.0
"""Seconds between two writes of what can be read from the hub again."""
_ALL = {Topic.PEOPLE, Topic.VISITORS}

_log = logging.getLogger(__name__)


class SharedVisits:
    """The visits of one household. One thread shares; any may read ``elsewhere`` and report ``changed``.

    Example::

        visits = SharedVisits(store, state_dir, household, context.changes.bumper(Topic.VISITS))
        Link(hub, [household.refresh, visits.share])
        visits.elsewhere()
    """

    def __init__(
        self,
        store: Store,
        state_dir: Path,
        household: Household,
        on_change: Callable[[], object] = lambda: None,
        steady: Callable[[], float] = time.monotonic,
        keep_days: float = 0,
    ) -> None:
        """``on_change`` is told when other doors' visits are others than before, of which ``changed`` is not told.

        ``keep_days`` is ``[store]``'s.
        """
        self._state_dir, self._household, self._steady = state_dir, household, steady
        self._own = household.own.door
        self._on_change = on_change
        self._state = _remembered(state_dir)
        self._ids = SharedIds(store, state_dir)
        self.told = Telling(store, household, self._state, self._ids, keep_days)
        self._hearing = Hearing(household, self._state)
        self._lock, self._people_changed = threading.Lock(), False
        self._dirty = self._all_dirty = True
        self._waiting = False
        self._looked = self._looked_at_all = self._saved = float("-inf")
        self._documents: object = household.documents
        self._shown = tuple(self._state.visits(_others(household.doors, household.own.door)))

    def changed(self, topics: Sequence[Topic]) -> None:
        """Note that something of ``topics`` has changed at this door."""
        if not _ALL.isdisjoint(topics):
            self._all_dirty = True
        if Topic.VISITS in topics:
            self._dirty = True

    def elsewhere(self) -> Sequence[DoorVisit]:
        """Return the visits at the household's other doors, newest first, as far as they were heard of."""
        return self._shown

    def share(self, hub: HubStore) -> None:
        """Do what there is to do. Raises HubError, StoreError; may be called again at any point where it ended."""
        with self._lock:
            try:
                self._forget()
                finished = self._hearing.hear(hub, self._ids.removed)
                if finished and self._doors():
                    self._look(hub)
                    finished = self.told.tell(hub)
            finally:
                self._settle()
        if self._people_changed:
            self.people_changed()
        if not finished:
            hub.database.wake()  # go on after the other duties

    def people_changed(self) -> None:
        """Forget who was removed, also while the hub is away. Any thread may call it; it does not wait."""
        self._people_changed = True
        if not self._lock.acquire(blocking=False):
            return  # who has it looks again
        try:
            self._forget()
            self._settle()
        except StoreError as error:
            _log.debug("people cannot be looked at now: %s", error.message)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Keep what is remembered, unless this door has left its hub, or joined another since."""
        if not self._belongs_to_hub():
            return
        if self._lock.acquire(timeout=1.0):  # else the hub is slow just now: what is missing is read from it again
            try:
                self._save()
            finally:
                self._lock.release()

    def _belongs_to_hub(self) -> bool:
        try:
            identity = find_identity(self._state_dir)
        except StoreError:
            return False
        return identity is not None and identity.door == self._own

    def _save(self) -> None:
        """Keep what is remembered; what cannot be kept is read from the hub again."""
        try:
            self._state.save(self._state_dir)
            self._saved = self._steady()
        except StoreError as error:
            _log.warning("%s; %s", error.message, error.hint)

    def _forget(self) -> None:
        self._people_changed = False
        if self._ids.refresh():
            self._all_dirty = True
            self._hearing.forget(self._ids.removed)

    def _look(self, hub: HubStore) -> None:
        now = self._steady()
        if self._all_dirty or now - self._looked_at_all >= _EVERYTHING_EVERY:
            self._all_dirty = self._dirty = False
            self.told.look(everything=True)
            self._looked = self._looked_at_all = now
        elif self._dirty and now - self._looked >= _LOOK_EVERY:
            self._dirty = False
            self.told.look(everything=False)
            self._looked = now
        elif self._dirty and not self._waiting:
            self._waiting = True
            later = threading.Timer(_LOOK_EVERY, self._look_again, [hub])
            later.daemon = True
            later.start()

    def _look_again(self, hub: HubStore) -> None:
        self._waiting = False
        hub.database.wake(Topic.VISITS)

    def _settle(self) -> None:
        """Keep, and show, what has changed."""
        pruned = self._state.prune(self._doors(), datetime.now(UTC))
        changed, urgent = self._hearing.changed or pruned, self._hearing.urgent
        if urgent or self._steady() - self._saved >= _SAVE_EVERY:
            self._save()
        self._hearing.changed = self._hearing.urgent = False
        if changed or self._documents is not self._household.documents:
            self._documents = self._household.documents
            self._show()

    def _show(self) -> None:
        shown = tuple(self._state.visits(self._doors()))
        if shown != self._shown:
            self._shown = shown
            self._on_change()

    def _doors(self) -> dict[str, str]:
        return _others(self._household.doors, self._household.own.door)


def visits_elsewhere(store: Store, state_dir: Path) -> list[DoorVisit]:
    """Return the visits at other doors as the daemon has last kept them, newest first, without asking the hub.

    Raises HubError if this door belongs to no hub, or was removed from it, StoreError if they cannot be read.
    """
    own, known = member_identity(state_dir).door, KnownDoors(state_dir)
    known.require_member()
    state, ids = VisitsState.read(state_dir), SharedIds(store, state_dir)
    ids.refresh()
    state.forget(ids.removed)  # the daemon may not run
    return state.visits(_others(known.trusted, own))


def _others(doors: TrustedDoors, own: str) -> dict[str, str]:
    """Return the names of the household's other doors, by their identifier."""
    household = doors.door(own).household
    return {one.door: one.name for one in doors.present() if one.household == household and one.door != own}


def _remembered(state_dir: Path) -> VisitsState:
    try:
        return VisitsState.read(state_dir)
    except StoreError as error:
        _log.warning("%s; they are read from the hub again", error.message)
        return VisitsState()
