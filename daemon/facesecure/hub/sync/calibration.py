"""Share the calibration: a door without a newer one of its own uses the household's newest for the same model.

Numbers count only for people who are enrolled with the same crops here, so that a door with other faces of a person
keeps the safe default for them.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from facesecure.domain.actors import LONGEST_ACTOR, Actor, acting
from facesecure.domain.errors import BusyError, DiskFullError, StoreError
from facesecure.hub.rows import RecordKind
from facesecure.hub.store import HubStore
from facesecure.hub.sync.calibration_document import Shared, decoded, encoded, is_lax, named
from facesecure.hub.sync.person_document import face_id
from facesecure.hub.sync.records import HouseholdRecords, Said
from facesecure.hub.sync.visitors import PeopleIds
from facesecure.recognition.calibration import CHART_NAME, FILE_NAME, Calibration, fingerprint
from facesecure.recognition.impostor_model import Vectors
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.thresholds import Fit, by_name
from facesecure.services.calibration import save_calibration
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import Store
from facesecure.util.plain_text import one_line

PART = "newest"
_DIGITS = 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judge:
    """By which model this door judges, its scores as the card says, and the rate of strangers that is allowed."""

    model_sha256: str
    card: ScoreModel
    false_accept: float


class SharedCalibration:
    """Shares the calibration of one door. One thread uses it; a taker of records (``records.Taker``).

    Example::

        calibration = SharedCalibration(store, Judge(sha256, scores, 1e-4), people)
        records = HouseholdRecords(state_dir, household, {RecordKind.CALIBRATION: calibration})
    """

    def __init__(self, store: Store, judge: Judge, people: PeopleIds) -> None:
        """``judge``: what a calibration of another door has to fit."""
        self._store, self._judge, self._people = store, judge, people
        self._documents = SignedDocuments(store.state_dir)
        self._offers: dict[str, tuple[str, Calibration]] = {}
        self._looked: object = None
        self._done: object = None
        self._changes = 0
        self._crops: dict[tuple[str, str], str] = {}

    def take(self, said: Said) -> None:
        """Check what a door says of its calibration. Raises ValueError if it is nothing to believe."""
        if said.part != PART:
            raise ValueError("it is no calibration")
        if said.ours:
            return
        self._changes += 1
        self._offers.pop(said.door, None)
        if said.plain is None:
            return
        if not said.may_enrol:
            raise ValueError("its door has not the right to enrol")
        found = decoded(said.plain, datetime.now(UTC))
        if found.model_sha256 == self._judge.model_sha256 and found.false_accept <= self._judge.false_accept * 1.001:
            lax = any(is_lax(one, found.false_accept, self._judge.card) for one in found.people.values())
            if lax:
                raise ValueError("it would let in strangers more readily than its model can tell them apart")
            self._offers[said.door] = said.name, found

    def settle(self) -> None:
        """Do nothing: what is offered is compared as soon as all is read."""

    def push(self, hub: HubStore, records: HouseholdRecords, *, may_enrol: bool) -> None:
        """Use the newest, and tell of the one that was made here. Raises HubError, StoreError."""
        now = (self._store.people_revision(), self._written(), self._changes)
        if now != self._looked:
            self._adopt()
            self._looked = (self._store.people_revision(), self._written(), self._changes)
        due = (self._looked, may_enrol, records.generation)
        if due != self._done:
            plain = self._own() if may_enrol else None
            done = records.say(hub, RecordKind.CALIBRATION, PART, plain)
            self._done = due if done else None

    def _adopt(self) -> None:
        """Put the newest calibration that fits this door in the place of an older one."""
        current = self._loaded()
        if not self._offers and (current is None or not current.door):
            return
        templates, people = self._templates(), self._shared()
        prints = {name: fingerprint(theirs) for name, theirs in templates.items()}
        if current is not None and current.door and current.model_sha256 != self._judge.model_sha256:
            self._drop()
            current = None
        fits = len(Fit.of(current, templates, self._judge.model_sha256).calibrated)
        since = current.made_at if current is not None and fits else datetime.min.replace(tzinfo=UTC)
        for place, offer in sorted(self._offers.values(), key=lambda one: one[1].made_at, reverse=True):
            found = named(offer, people, prints)
            covered = len(Fit.of(found, templates, self._judge.model_sha256).calibrated)
            if offer.made_at > since and covered >= max(1, fits):
                changes = {"door": place, "people_revision": self._store.people_revision()}
                with acting(Actor("facesecure", one_line(f"door {place}", LONGEST_ACTOR))):
                    save_calibration(self._store, found.model_copy(update=changes), self._store.state_dir)
                (self._store.state_dir / CHART_NAME).unlink(missing_ok=True)  # it is of the one before
                _log.info("the calibration of the door %s is used from now on", place)
                return

    def _own(self) -> bytes | None:
        """Return what was calibrated here, as other doors may know it; None if there is nothing."""
        found = self._loaded()
        if found is None or found.door or found.model_sha256 != self._judge.model_sha256:
            return None
        fits = Fit.of(found, self._templates(), self._judge.model_sha256).calibrated
        people = self._shared()
        people = {name: people[name] for name in fits if name in people}
        return encoded(found, people) if people else None

    def _shared(self) -> dict[str, Shared]:
        """Return the people here who are shared, by name."""
        found = dict[str, Shared]()
        crops = dict[tuple[str, str], str]()
        for person in self._store.people():
            identifier = self._people.identifier_of(person.uid)
            if person.genuine and identifier is not None:
                key = person.uid, person.edition
                crops[key] = self._crops.get(key) or self._fingerprint(person.name)
                if crops[key]:
                    found[person.name] = Shared(identifier, crops[key])
        self._crops = crops
        return found

    def _fingerprint(self, name: str) -> str:
        """Return a fingerprint of the crops that somebody is enrolled with, which is the same at all doors.

        Empty if one is damaged: then it is the same nowhere.
        """
        try:
            ids = sorted(face_id(face.image) for face in self._store.faces_of(name))
        except (BusyError, DiskFullError):
            raise
        except StoreError as error:
            _log.debug("the calibration of %s is not shared: %s", name, error.message)
            return ""
        return hashlib.sha256("".join(ids).encode()).hexdigest()[:_DIGITS]

    def _templates(self) -> dict[str, Vectors]:
        return by_name(self._store.templates(), self._judge.model_sha256)

    def _loaded(self) -> Calibration | None:
        try:
            return Calibration.load(self._documents)
        except StoreError as error:
            _log.debug("the calibration here is not shared: %s", error.message)
            return None

    def _drop(self) -> None:
        (self._store.state_dir / FILE_NAME).unlink(missing_ok=True)
        (self._store.state_dir / CHART_NAME).unlink(missing_ok=True)
        _log.info("the calibration of another door is not used any more: the model has changed")

    def _written(self) -> int:
        try:
            return (self._store.state_dir / FILE_NAME).stat().st_mtime_ns
        except OSError:
            return 0
