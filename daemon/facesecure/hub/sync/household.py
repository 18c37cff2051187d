"""What this door needs to seal for its household, and to open what the household's doors have sealed."""

from __future__ import annotations

import logging
from pathlib import Path

from facesecure.domain.errors import StoreError
from facesecure.hub.documents import Documents
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate
from facesecure.hub.identity_file import member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.rows import HouseholdKey, Right
from facesecure.hub.store import HubStore
from facesecure.hub.trust import TrustedDoors
from facesecure.storage.signed_documents import SignedDocuments

FILE_NAME = "hub/household.json"

_log = logging.getLogger(__name__)


class Household:
    """The keys of the household and the certificates of its doors, as they were when ``refresh`` last looked.

    One thread refreshes; ``documents`` never changes once it is made, so that any thread may use it.

    Example::

        household = Household(state_dir, known)
        household.refresh(store)
        household.documents.status(b"...")
    """

    def __init__(self, state_dir: Path, known: KnownDoors) -> None:
        """``known`` learns the doors. Raises FacesecureError if the door was removed, or its identity is unreadable."""
        known.require_member()
        self._state_dir, self._known = state_dir, known
        self._kept = self._least = newest_seen(state_dir, member_identity(state_dir).own().household)
        self._keys: tuple[HouseholdKey, ...] = ()
        self._encoded: dict[str, bytes] = {}
        self._make((), known.trusted.encoded())

    def refresh(self, store: HubStore) -> None:
        """Learn the household's keys, and what ``known`` has learnt meanwhile. Raises HubError, StoreError."""
        keys, encoded = store.household_keys.mine(), self._known.trusted.encoded()
        if (keys, encoded) != (self._keys, self._encoded):
            self._make(keys, encoded)
        if self._kept < self._least:
            _keep(self._state_dir, self.own.household, self._least)
            self._kept = self._least

    @property
    def own(self) -> Certificate:
        """The newest certificate of this door."""
        return self.doors.door(self._door)

    def may(self, right: Right) -> bool:
        """Return whether this door has ``right``."""
        return self.own.may(right)

    def name_of(self, door: str) -> str:
        """Return the name of a door of the estate; of one that was removed, what there is: nothing."""
        try:
            return self.doors.door(door).name
        except NotGenuineError:
            return ""

    def _make(self, keys: tuple[HouseholdKey, ...], encoded: dict[str, bytes]) -> None:
        identity = member_identity(self._state_dir)
        doors = TrustedDoors(identity, encoded)
        documents = Documents(identity, doors, (), self._least)
        for problem in documents.learn(keys):
            _log.warning("the hub: %s", problem)
        self._least = max(self._least, documents.newest)
        self._door, self.doors, self.documents = identity.door, doors, documents
        self._keys, self._encoded = keys, encoded


def newest_seen(state_dir: Path, household: str) -> int:
    """Return the newest version of the key of ``household`` that this door has seen, 0 if none is remembered."""
    try:
        found = SignedDocuments(state_dir).read(FILE_NAME)
        return int(found["version"]) if found["household"] == household else 0
    except FileNotFoundError:
        return 0
    except (StoreError, ValueError, KeyError, TypeError) as error:
        _log.warning("which key of the household was the newest is not known, so that an older may be used: %s", error)
        return 0


def _keep(state_dir: Path, household: str, version: int) -> None:
    try:
        SignedDocuments(state_dir).write(FILE_NAME, {"household": household, "version": version})
    except OSError as error:
        what = f"which key of the household is the newest cannot be kept: {error.strerror}"
        raise StoreError(what, "check the free space on the disk of the state directory") from error
