"""The doors of the estate as this door knows them, kept across restarts so that no older certificate is believed."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from facesecure.domain.errors import HubError, StoreError
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Identity
from facesecure.hub.identity_file import member_identity, write_identity
from facesecure.hub.rows import NewDoor
from facesecure.hub.store import HubStore
from facesecure.hub.store.last_read import LastRead
from facesecure.hub.trust import TrustedDoors
from facesecure.storage.signed_documents import SignedDocuments

FILE_NAME = "hub/doors.json"

_log = logging.getLogger(__name__)


class KnownDoors:
    """Learns the certificates of the estate's doors, its own foremost. One thread uses it.

    Example::

        known = KnownDoors(state_dir)
        known.learn(store)
        known.trusted.present()
    """

    def __init__(self, state_dir: Path) -> None:
        """Begin with what was known before. Raises HubError, or StoreError if the identity cannot be read."""
        self._state_dir, self._documents = state_dir, SignedDocuments(state_dir)
        self._identity = member_identity(state_dir)
        self.trusted = self._remembered(self._identity)
        self._kept = self.trusted.encoded()
        self._cursor, self._last = 0, LastRead()

    def require_member(self) -> None:
        """Raise HubError if this door has learnt that it was removed from its hub."""
        try:
            self.trusted.door(self._identity.door)
        except NotGenuineError as error:
            raise HubError(
                "this door was removed from the hub", "facesecure hub leave; to come back it needs another invitation"
            ) from error

    def learn(self, store: HubStore) -> None:
        """Learn what has changed at the hub since. Raises HubError, or OSError if it cannot be kept."""
        if store.doors.was_put_back(self._last, self._cursor) or store.doors.is_behind(self._cursor):
            self._cursor = 0  # the hub was restored from a backup
        while rows := store.doors.after(self._cursor):
            for problem in self.trusted.learn(rows):
                _log.warning("the hub: %s", problem)
            for row in rows:
                self._last.note(row.identifier, row.revision, row.certificate)
            self._cursor = rows.read_to
        self._keep()

    def believe(self, row: NewDoor) -> None:
        """Learn a certificate that this door has signed itself, as the manager. Raises OSError."""
        self.trusted.learn([row])
        self._keep()

    def _keep(self) -> None:
        encoded = self.trusted.encoded()
        if encoded != self._kept:
            self._documents.write(FILE_NAME, {door: one.hex() for door, one in encoded.items()})
            self._renew_own()
            self._kept = encoded

    def _renew_own(self) -> None:
        """Keep the newest certificate of this door: it may have been renamed, or have other rights."""
        encoded = self.trusted.encoded().get(self._identity.door)
        if encoded is not None and encoded != self._identity.certificate:
            self._identity = replace(member_identity(self._state_dir), certificate=encoded)
            write_identity(self._state_dir, self._identity)

    def _remembered(self, identity: Identity) -> TrustedDoors:
        own = {identity.door: identity.certificate}
        try:
            found = self._documents.read(FILE_NAME)
            return TrustedDoors(identity, {**own, **{door: bytes.fromhex(one) for door, one in found.items()}})
        except FileNotFoundError:
            pass  # nothing was learnt yet
        except (StoreError, NotGenuineError, ValueError, TypeError) as error:
            _log.warning("what was known of the hub's doors is not believed, and learnt anew: %s", error)
        return TrustedDoors(identity, own)
