"""Share marked faces: whoever was marked at one door as not somebody is not taken for them at another door."""

from __future__ import annotations

import logging

from facesecure.domain import AlignedFace, SeenFace
from facesecure.domain.errors import BusyError, ModelError
from facesecure.domain.records import check_embedding
from facesecure.hub.rows import RecordKind
from facesecure.hub.store import HubStore
from facesecure.hub.sync.local_people import Lend
from facesecure.hub.sync.mark_document import MOST_FACES, MarkDocument, aligned
from facesecure.hub.sync.records import HouseholdRecords, Said
from facesecure.hub.sync.visitors import PeopleIds
from facesecure.storage.shared_marks import MarkTaken
from facesecure.storage.store import Store
from facesecure.vision.images.quality import remeasure

MOST_SHARED = 200
"""Marks that a door tells of, the last ones; each is of one visit."""
MOST_TAKEN = 500
"""Marks of one door that another takes in."""
_DIGITS = 32
_MOST_REFUSED = 500

_log = logging.getLogger(__name__)


class SharedMarks:
    """Shares the marked faces of one door. One thread uses it; a taker of records (``records.Taker``).

    Example::

        marks = SharedMarks(store, people, spare.lend)
        records = HouseholdRecords(state_dir, household, {RecordKind.MARKED: marks})
    """

    def __init__(self, store: Store, people: PeopleIds, lend: Lend) -> None:
        """``lend`` is called only when faces of other doors are to be embedded."""
        self._store, self._people, self._lend = store, people, lend
        self._waiting: list[tuple[str, str, MarkDocument | None]] = []
        self._later: dict[tuple[str, str], None] = {}
        self._done: object = None
        self._tried: object = None
        self._soon = False

    def take(self, said: Said) -> None:
        """Check what a door says of marked faces. Raises ValueError if it is nothing to believe."""
        if len(said.part) != _DIGITS or not set(said.part) <= set("0123456789abcdef"):
            raise ValueError("it is no marked face")
        if said.plain is not None and not said.may_enrol:
            raise ValueError("its door has not the right to enrol")
        if not said.ours:
            document = None if said.plain is None else MarkDocument.decode(said.plain)
            self._waiting.append((said.door, said.part, document))

    def settle(self) -> None:
        """Store what was taken. Raises StoreError, ModelError."""
        while self._waiting:
            door, key, document = self._waiting[0]
            taken = self._store.shared_visitors.marks.taken(door)
            if document is None:
                self._later.pop((door, key), None)
                if key in taken:
                    self._store.shared_visitors.marks.drop(door, key)
            elif taken.get(key) != len(document.faces):
                self._add(door, key, document, len(taken) >= MOST_TAKEN)
            self._waiting.pop(0)

    def push(self, hub: HubStore, records: HouseholdRecords, *, may_enrol: bool) -> None:
        """Say whom this door has marked, and take in what had to wait for a person. Raises HubError, StoreError."""
        revision = self._store.shared_visitors.marks.revision()
        if self._later and (self._soon or revision != self._tried):
            self._soon = False
            self._try_again(hub, records)
            self._tried = revision = self._store.shared_visitors.marks.revision()
        now = (revision, may_enrol, records.generation)
        if now == self._done:
            return
        plain = self._own() if may_enrol else {}
        parts = sorted(plain.keys() | records.parts(RecordKind.MARKED))
        done = [records.say(hub, RecordKind.MARKED, part, plain.get(part)) for part in parts]
        self._done = now if all(done) else None

    def _own(self) -> dict[str, bytes]:
        """Return what this door says, by key. Marks of people who are not shared are not told."""
        found = dict[str, bytes]()
        for mark in self._store.shared_visitors.marks.own(MOST_SHARED, MOST_FACES):
            person = self._people.identifier_of(mark.person) if mark.person else None
            if mark.person and person is None:
                continue
            try:
                found[mark.key] = MarkDocument(mark.visitor, person, mark.faces).encode()
            except ValueError as error:  # a damaged row of the database
                _log.warning("a marked face is not shared: %s", error)
        return found

    def _add(self, door: str, key: str, document: MarkDocument, full: bool) -> None:
        if full:
            _log.warning("a marked face of another door is left out: there are %d of that door", MOST_TAKEN)
            return
        person = self._people.uid_of(document.person) if document.person else None
        if document.person and person is None:
            if len(self._later) < _MOST_REFUSED:
                self._later[(door, key)] = None
            return
        try:
            mark = MarkTaken(door, key, document.visitor, person, self._embedded(document))
        except (BusyError, ModelError) as error:  # of this door, not of the mark
            _log.debug("a marked face waits: %s", error.message)
            self._later[(door, key)], self._soon = None, True
            return
        except ValueError as error:
            _log.warning("a marked face of another door is left out: %s", error)
            return
        self._later.pop((door, key), None)
        self._store.shared_visitors.marks.take(mark)

    def _embedded(self, document: MarkDocument) -> tuple[SeenFace, ...]:
        found = list[SeenFace]()
        with self._lend() as models:
            for crop, face in zip(document.faces, aligned(document.faces), strict=True):
                quality = remeasure(face.image, face.quality, models.enrolment_floors)
                embedding = models.embedder.embed(face.image)
                check_embedding(embedding)
                made = AlignedFace(face.image, quality)
                found.append(SeenFace(made, embedding, models.embedder.sha256, crop.taken_at))
        return tuple(found)

    def _try_again(self, hub: HubStore, records: HouseholdRecords) -> None:
        for door, key in list(self._later):
            self._later.pop((door, key), None)
            records.again(hub, RecordKind.MARKED, door, key)
        self.settle()
