"""The policy's memory across a restart, in STATE_DIR/told.json (0600): when, and which sightings; no name, no face.

Whom those sightings showed is asked of the store. How long ago something was is told by the clock that never jumps
where the machine has not been restarted, else by the time of day; what then lies in the future is forgotten, since to
say something twice is better than not at all. Written a moment after the alerts it tells of were handed over, so that
a daemon killed in between says them again rather than never.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from facesecure.alerts.policy.camera_state import CameraState
from facesecure.alerts.policy.cooldowns import REMEMBERED, NotificationHistory, NotifiedVisit, SuppressedVisit
from facesecure.alerts.policy.visit import VisitAppearance
from facesecure.domain import AlertKind
from facesecure.domain.errors import FacesecureError
from facesecure.domain.names import name_key
from facesecure.util.clock import Clock

if TYPE_CHECKING:
    from facesecure.domain.records import StoredFace, StoredSighting

FILE_NAME = "told.json"
_VERSION = 1
_US = (AlertKind.CAMERA, AlertKind.SERVICE)

_log = logging.getLogger(__name__)


class Records(Protocol):
    """Who was seen, as ``store.Store`` keeps it. Both raise FacesecureError."""

    def sighting(self, identifier: str) -> StoredSighting: ...

    def faces_seen(self, identifier: str) -> Sequence[StoredFace]: ...


class PolicyStateFile:
    """The file of one state directory."""

    def __init__(self, state_dir: Path, records: Records) -> None:
        self.path = state_dir / FILE_NAME
        self._records = records
        self._failed = False

    def load(self, clock: Clock) -> tuple[NotificationHistory, CameraState]:
        """What was told before the restart; nothing where there is no such file, or one that makes no sense."""
        try:
            found = json.loads(self.path.read_bytes())
            if found["version"] != _VERSION:
                return NotificationHistory(), CameraState()
            shift = _shift(found, clock)
            told = [one for document in found["told"] if (one := self._told(document, shift, clock.steady()))]
            return NotificationHistory(tuple(told)), _story(found["camera"], shift, clock.steady())
        except FileNotFoundError:
            return NotificationHistory(), CameraState()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            _log.warning("%s cannot be understood (%s): somebody may be told of again", self.path, error)
            return NotificationHistory(), CameraState()

    def save(self, history: NotificationHistory, story: CameraState, clock: Clock) -> None:
        """Write it whole. A disk that takes nothing is complained of once."""
        from facesecure.util.files import write_durably

        document = {
            "version": _VERSION,
            "boot": clock.boot,
            "steady": clock.steady(),
            "wall": clock.now().isoformat(),
            "told": [_document(told) for told in history.told],
            "camera": _story_document(story),
        }
        try:
            write_durably(self.path, json.dumps(document).encode())
            self._failed = False
        except OSError as error:
            if not self._failed:
                _log.warning("cannot write %s (%s): after a restart somebody may be told of again", self.path, error)
            self._failed = True

    def _told(self, document: dict[str, Any], shift: float, now: float) -> NotifiedVisit | None:
        """None where it lies in the future or too far back, or nobody knows any more whom it was about."""
        kind, at = AlertKind(document["kind"]), float(document["at"]) + shift
        if not 0 <= now - at < REMEMBERED:
            return None
        held = tuple(SuppressedVisit(identifier) for identifier in document["held"])
        identifier = str(document["sighting"])
        if kind in _US:
            return NotifiedVisit(kind, str(document["key"]), identifier, at, held=held)
        try:
            key = name_key(self._records.sighting(identifier).name or "") if kind is AlertKind.KNOWN else ""
            looks = [
                (str(one), VisitAppearance.of([face.seen for face in self._records.faces_seen(str(one))]))
                for one in document["looks"]
            ]
        except FacesecureError as error:
            _log.debug("forgotten: %s", error)
            return None
        compared = tuple((one, look) for one, look in looks if look is not None)
        return NotifiedVisit(kind, key, identifier, at, looks=compared, held=held)


def _shift(found: dict[str, Any], clock: Clock) -> float:
    """What to add to steady seconds of the file to have them on the clock of today."""
    if clock.boot and found["boot"] == clock.boot:
        return 0.0
    written = datetime.fromisoformat(found["wall"])
    return clock.steady() - float(found["steady"]) - (clock.now() - written) / timedelta(seconds=1)


def _document(told: NotifiedVisit) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": told.kind.value,
        "sighting": told.identifier,
        "at": told.at,
        "looks": [identifier for identifier, _ in told.looks],
        "held": [held.identifier for held in told.held],
    }
    return {**document, "key": told.key} if told.kind in _US else document


def _story_document(story: CameraState) -> dict[str, Any]:
    return {"believed": story.last_notified, "troubles": story.troubles, "muted": story.silenced, "held": story.held}


def _story(document: dict[str, Any], shift: float, now: float) -> CameraState:
    troubles = tuple((str(what), float(at) + shift) for what, at in document["troubles"])
    past = tuple((what, at) for what, at in troubles if now >= at)
    return CameraState(str(document["believed"]), None, past, bool(document["muted"]), int(document["held"]))
