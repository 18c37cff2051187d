"""What this door needs to seal for its household, and to open what the household's doors have sealed."""

from __future__ import annotations

import logging
from pathlib import Path

from facesecure.hub.documents import Documents
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Certificate
from facesecure.hub.identity_file import member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.rows import HouseholdKey, Right
from facesecure.hub.store import HubStore
from facesecure.hub.trust import TrustedDoors

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
        """``known`` learns the doors. Raises FacesecureError if the door's identity cannot be read."""
        self._state_dir, self._known = state_dir, known
        self._keys: tuple[HouseholdKey, ...] = ()
        self._encoded: dict[str, bytes] = {}
        self._make((), known.trusted.encoded())

    def refresh(self, store: HubStore) -> None:
        """Learn the household's keys, and what ``known`` has learnt meanwhile. Raises HubError."""
        keys, encoded = store.household_keys.mine(), self._known.trusted.encoded()
        if (keys, encoded) != (self._keys, self._encoded):
            self._make(keys, encoded)

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
        documents = Documents(identity, doors, ())
        for problem in documents.learn(keys):
            _log.warning("the hub: %s", problem)
        self._door, self.doors, self.documents = identity.door, doors, documents
        self._keys, self._encoded = keys, encoded
