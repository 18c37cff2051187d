"""The policy's state across a restart, in STATE_DIR/told.json (0600, signed): times and sightings.

Whom those sightings showed is read from the store. Ages are measured by the clock that never jumps if the machine has
not been restarted, else by the time of day; an entry that then lies in the future is dropped, since an alert sent twice
is better than none. The file is written a moment after the alerts were handed over, so that a daemon killed in between
sends them again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from facesecure.alerts.policy.camera_state import CameraState
from facesecure.alerts.policy.cooldowns import REMEMBERED, NotificationHistory, NotifiedVisit, SuppressedVisit
from facesecure.alerts.policy.visit import VisitAppearance, visit_key
from facesecure.domain import AlertKind
from facesecure.domain.errors import FacesecureError, StoreError
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.util.clock import Clock

if TYPE_CHECKING:
    from facesecure.domain.records import StoredFace, StoredSighting

FILE_NAME = "told.json"
ONLY = ""
"""The name under which the camera of a file of version 0.1, which knew only one, is loaded."""
_VERSION = 1
_SYSTEM = (AlertKind.CAMERA, AlertKind.SERVICE)

_log = logging.getLogger(__name__)


class SightingRecords(Protocol):
    """The stored sightings (``storage.store.Store``). Both methods raise FacesecureError."""

    def sighting(self, identifier: str) -> StoredSighting:
        """Return the sighting ``identifier``."""

    def faces_seen(self, identifier: str) -> Sequence[StoredFace]:
        """Return the faces of that sighting."""


class PolicyStateFile:
    """The file of one state directory.

    Example::

        file = PolicyStateFile(state_dir, store)
        history, cameras = file.load(clock)
        file.save(history, cameras, clock)
    """

    def __init__(self, state_dir: Path, records: SightingRecords) -> None:
        """Read and write nothing yet."""
        self.path = state_dir / FILE_NAME
        self._documents = SignedDocuments(state_dir)
        self._records = records
        self._failed = False

    def load(self, clock: Clock) -> tuple[NotificationHistory, Mapping[str, CameraState]]:
        """Return what was notified before the restart, and the state of each camera by name.

        Nothing if the file is missing or cannot be read.
        """
        try:
            found = self._documents.read(FILE_NAME)
            if found["version"] != _VERSION:
                return NotificationHistory(), {}
            shift = _shift(found, clock)
            visits = [one for entry in found["told"] if (one := self._notified(entry, shift, clock.steady()))]
            entries = found["cameras"] if "cameras" in found else {ONLY: found["camera"]}
            cameras = {str(name): _camera_state(entry, shift, clock.steady()) for name, entry in entries.items()}
            return NotificationHistory(tuple(visits)), cameras
        except FileNotFoundError:
            return NotificationHistory(), {}
        except StoreError as error:
            _log.error("%s: visitors may be announced a second time", error.message)
            return NotificationHistory(), {}
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            _log.warning("%s cannot be read (%s): visitors may be announced a second time", self.path, error)
            return NotificationHistory(), {}

    def save(self, history: NotificationHistory, cameras: Mapping[str, CameraState], clock: Clock) -> None:
        """Write the file atomically. A failure is logged once, until a write succeeds."""
        document = {
            "version": _VERSION,
            "boot": clock.boot,
            "steady": clock.steady(),
            "wall": clock.now().isoformat(),
            "told": [_entry(notified) for notified in history.visits],
            "cameras": {name: _camera_entry(camera) for name, camera in cameras.items()},
        }
        try:
            self._documents.write(FILE_NAME, document)
            self._failed = False
        except (OSError, StoreError) as error:
            if not self._failed:
                message = "cannot write %s (%s): after a restart visitors may be announced a second time"
                _log.warning(message, self.path, error)
            self._failed = True

    def _notified(self, entry: dict[str, Any], shift: float, now: float) -> NotifiedVisit | None:
        """Return the entry as a value; None if it lies in the future, is too old, or its sighting is gone."""
        kind, at = AlertKind(entry["kind"]), float(entry["at"]) + shift
        if not 0 <= now - at < REMEMBERED:
            return None
        suppressed = tuple(SuppressedVisit(str(identifier)) for identifier in entry["held"])
        identifier = str(entry["sighting"])
        if kind in _SYSTEM:
            return NotifiedVisit(kind, str(entry["key"]), identifier, at, suppressed=suppressed)
        try:
            seen = self._records.sighting(identifier)
            key = visit_key(kind, seen.name, seen.source, doubted=bool(seen.doubt), subject=seen.subject)
            appearances = [(str(one), self._appearance(str(one))) for one in entry["looks"]]
        except FacesecureError as error:
            _log.debug("a notified visit is dropped: %s", error)
            return None
        compared = tuple((one, appearance) for one, appearance in appearances if appearance is not None)
        channels = None if entry.get("channels") is None else tuple(map(str, entry["channels"]))
        return NotifiedVisit(
            kind, key, identifier, at, channels, seen.source, appearances=compared, suppressed=suppressed
        )

    def _appearance(self, identifier: str) -> VisitAppearance | None:
        return VisitAppearance.of([face.seen for face in self._records.faces_seen(identifier)])


def _shift(found: dict[str, Any], clock: Clock) -> float:
    """Return what to add to the file's steady seconds to have them on the present clock."""
    if clock.boot and found["boot"] == clock.boot:
        return 0.0
    written = datetime.fromisoformat(found["wall"])
    return clock.steady() - float(found["steady"]) - (clock.now() - written) / timedelta(seconds=1)


def _entry(notified: NotifiedVisit) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": notified.kind.value,
        "sighting": notified.identifier,
        "at": notified.at,
        "looks": [identifier for identifier, _ in notified.appearances],
        "held": [one.identifier for one in notified.suppressed],
        "channels": notified.channels,
    }
    return {**entry, "key": notified.key} if notified.kind in _SYSTEM else entry


def _camera_entry(camera: CameraState) -> dict[str, Any]:
    return {
        "believed": camera.last_notified,
        "troubles": camera.troubles,
        "muted": camera.silenced,
        "held": camera.held,
    }


def _camera_state(entry: dict[str, Any], shift: float, now: float) -> CameraState:
    troubles = tuple((str(trouble), float(at) + shift) for trouble, at in entry["troubles"])
    past = tuple((trouble, at) for trouble, at in troubles if now >= at)
    return CameraState(str(entry["believed"]), None, past, bool(entry["muted"]), int(entry["held"]))
