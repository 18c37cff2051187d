"""The duty of sharing people: what was removed first, then what others changed, then what was changed here."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from facesecure.domain.actors import DAEMON, acting
from facesecure.hub.documents import Documents
from facesecure.hub.identity_file import member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.store import HubStore
from facesecure.hub.sync.assigning import Wish, read_wishes
from facesecure.hub.sync.handing_out import add_new, hand_out
from facesecure.hub.sync.local_people import LocalPeople
from facesecure.hub.sync.people_state import PeopleState
from facesecure.hub.sync.person_keys import settle_keys
from facesecure.hub.sync.removing import finish_begun, obey, obey_again, order
from facesecure.hub.sync.round import Round
from facesecure.hub.sync.taking_in import pull, take_again

_MOST_ROUNDS = 4
"""Tries to write what other doors write at the same time, before the next duty has its turn."""
_AGAIN_AFTER = 300.0
"""Seconds after which is tried again what failed at this door, unless people here change before."""


class PeopleSync:
    """Shares the people of one door. One thread calls ``share``; ``notice`` may be called by another.

    Example::

        sync = PeopleSync(state_dir, known, LocalPeople(store, config, state_dir, spare.lend))
        Link(hub, [known.learn, sync.share])
    """

    def __init__(
        self,
        state_dir: Path,
        known: KnownDoors,
        local: LocalPeople,
        on_change: Callable[[], None] = lambda: None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``on_change`` is called after people here have changed. Raises StoreError."""
        self._state_dir, self._known, self._local, self._on_change = state_dir, known, local, on_change
        self._state = PeopleState.read(state_dir)
        self._noticed: dict[str, tuple[str, float]] = {}
        self._looked_back = False
        self._done: tuple[int, dict[str, Wish], dict[str, bytes]] | None = None
        self._steady, self._tried = steady, float("-inf")

    def notice(self, names: dict[str, tuple[str, float]]) -> None:
        """Take note of what people are called (by ``uid``), and since when, in seconds of this door's clock."""
        self._noticed = names

    def identifier_of(self, uid: str) -> str | None:
        """Return the identifier at the hub of a local person, None if they are not shared."""
        found = self._state.of_uid(uid)
        return None if found is None else found[0]

    def uid_of(self, identifier: str) -> str | None:
        """Return the local person of an identifier at the hub, None if they are not known here."""
        entry = self._state.people.get(identifier)
        return None if entry is None else entry.uid

    def share(self, hub: HubStore) -> None:
        """Do what there is to do. Raises HubError, StoreError; may be called again at any point where it ended."""
        with acting(DAEMON):
            work = self._round(hub)
            before = self._local.revision()
            try:
                obey(work)
                self._look_back(work)
                self._forget_missing(work)
                order(work)
                read = pull(work)
                if read:
                    finish_begun(work)
                if not (read and self._push(work)):
                    hub.database.wake()  # go on after the other duties
                self._state.local_revision = self._local.revision()
            finally:
                self._state.save()
                self._local.tell()
            if self._local.revision() != before:
                self._on_change()

    def _push(self, work: Round) -> bool:
        """Hand out what has changed here, if anything has since the last time. Return False to go on later."""
        if self._state.failed and self._steady() - self._tried >= _AGAIN_AFTER:
            self._done = None
        for _ in range(_MOST_ROUNDS):
            now = (self._local.revision(), read_wishes(self._state_dir), self._known.trusted.encoded())
            if now == self._done and not self._pending(work):
                return True
            if self._done is None or (now[0], now[2]) != (self._done[0], self._done[2]):
                self._tried = self._steady()
                self._state.failed.clear()
                take_again(work)
            add_new(work)
            if not hand_out(work):
                return False
            settle_keys(work, now[1])
            if not pull(work):
                return False
            order(work)
            self._done = now
        return True

    def _pending(self, work: Round) -> bool:
        """Return whether the hub lacks what is here, as after another door was quicker."""
        genuine = {uid for uid, person in self._local.all().items() if person.genuine}
        mine = [
            entry
            for one, entry in self._state.people.items()
            if entry.uid in genuine and work.ours(entry) and one not in self._state.failed
        ]
        begun = any(entry.renew and not entry.note for entry in mine)
        return begun or any(entry.missing or not entry.edition for entry in mine)

    def _round(self, hub: HubStore) -> Round:
        identity, trusted = member_identity(self._state_dir), self._known.trusted
        documents = Documents(identity, trusted, ())
        return Round(hub, documents, trusted, identity.own(), self._state, self._local, self._noticed)

    def _look_back(self, work: Round) -> None:
        """Look whether an old backup of this door was put back: undo what it brought. Once, and if people went back."""
        before, work.state.local_revision = work.state.local_revision, self._local.revision()
        if work.state.local_revision < before:
            for entry in work.state.people.values():
                entry.put_back, entry.edition = entry.version > 0, ""
            self._looked_back = False
            work.state.save()
        if not self._looked_back:
            obey_again(work)
            self._looked_back = True

    def _forget_missing(self, work: Round) -> None:
        """Note whose local copy is gone although nobody removed it, as after a database was put back: take them in."""
        here, removed = self._local.all(), self._local.removed()
        for entry in work.state.people.values():
            if entry.uid is not None and entry.uid not in here and entry.uid not in removed and not entry.twin:
                entry.uid, entry.put_back = None, False
                self._done = None
