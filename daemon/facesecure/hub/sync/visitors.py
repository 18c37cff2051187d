"""Share visitors: a stranger whom one door has seen is the same visitor at the household's other doors.

A door says what it has seen itself, and who was forgotten or turned out to be another. What doors say never conflicts:
what was forgotten stays forgotten, and of two numbers of one visitor the lower one stays.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from facesecure.domain.actors import DAEMON, LONGEST_ACTOR, Actor, acting
from facesecure.domain.errors import StoreError, UsageError
from facesecure.hub.rows import RecordKind
from facesecure.hub.store import HubStore
from facesecure.hub.sync.records import HouseholdRecords, Said
from facesecure.hub.sync.visitor_document import (
    MOST_GONE,
    MOST_LOOKS,
    MOST_PARTS,
    PART_DIGITS,
    VisitorDocument,
    may_be_gone,
    may_be_told,
)
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.services import audit
from facesecure.services.visitors import forget_visitor
from facesecure.storage.shared_visitors import Arrival, VisitorPart
from facesecure.storage.store import Store
from facesecure.util.plain_text import one_line

MOST_SHARED = 500
"""Visitors that a door tells of, the last seen."""
MOST_TAKEN = 1_000
"""Visitors of one door that another knows."""
_MOST_BLANKED = 3
_AT_ONCE = 20
_DIGITS = set("0123456789abcdef")

_log = logging.getLogger(__name__)


class PeopleIds(Protocol):
    """Tells which local person is which at the hub."""

    def identifier_of(self, uid: str) -> str | None:
        """Return the identifier at the hub of a local person, None if they are not shared."""

    def uid_of(self, identifier: str) -> str | None:
        """Return the local person of an identifier at the hub, None if they are not known here."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What tells visitors apart here: the model of embeddings of ``size`` values, and what ``match`` decides by it."""

    model_sha256: str
    size: int
    match: MatchVisitor


class SharedVisitors:
    """Shares the visitors of one door. One thread uses it; a taker of records (``records.Taker``).

    Example::

        visitors = SharedVisitors(store, Looks(sha256, 192, match), people, keep_days=90)
        records = HouseholdRecords(state_dir, household, {RecordKind.VISITOR: visitors})
        Link(hub, [lambda hub: records.pull(hub) and visitors.push(hub, records, may_enrol=True)])
    """

    def __init__(
        self,
        store: Store,
        looks: Looks,
        people: PeopleIds,
        keep_days: float = 0.0,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """``keep_days``: what was seen before is not taken in; 0 for no limit. ``on_change``: visitors have changed."""
        self._store, self._looks, self._people, self._on_change = store, looks, people, on_change
        self._keep_days = keep_days
        self._waiting: list[tuple[Said, VisitorDocument]] = []
        self._known: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        self._blanked: Counter[tuple[str, str]] = Counter()
        self._done: object = None
        self._looked = False

    def take(self, said: Said) -> None:
        """Check what a door says of visitors. Raises ValueError if it is nothing to believe."""
        if len(said.part) != PART_DIGITS or not set(said.part) <= _DIGITS:
            raise ValueError("it is no part of visitors")
        document = VisitorDocument()
        if said.plain is not None:
            document = VisitorDocument.decode(said.plain, said.part, datetime.now(UTC))
        looks = [look for part in document.parts for look in part.looks]
        if document.model_sha256 == self._looks.model_sha256 and any(
            one.mean.size != self._looks.size for one in looks
        ):
            raise ValueError("its embeddings are not of the model that it names")
        if not said.ours:
            known = {**self._known[said.door], said.part: frozenset(one.uid for one in document.parts)}
            if sum(map(len, known.values())) > MOST_TAKEN:
                raise ValueError("its door tells of too many visitors")
            self._known[said.door] = known
        self._looked = False
        self._waiting.append((said, document))

    def settle(self) -> None:
        """Store what was taken. Raises StoreError."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        news = False
        for said, document in waiting:
            if said.may_enrol:
                news |= self._end(said, document)
        arrivals = [self._arrival(said, document) for said, document in waiting if not said.ours]
        for start in range(0, len(arrivals), _AT_ONCE):  # others have to write to the database, too
            news |= self._store.shared_visitors.take(arrivals[start : start + _AT_ONCE], self._looks.match)
        if news:
            self._on_change()

    def push(self, hub: HubStore, records: HouseholdRecords, *, may_enrol: bool) -> None:
        """Say what this door has seen, and remove from the hub what nobody is to know any more. Raises HubError.

        ``may_enrol``: whether other doors heed whom this one forgets and names.
        """
        self._name()
        now = (self._store.shared_visitors.revision(), may_enrol, records.generation)
        if now != self._done:
            documents = self._own(may_enrol)
            parts = sorted(documents.keys() | records.parts(RecordKind.VISITOR))
            plain = [documents[part].encode() if part in documents else None for part in parts]
            done = [records.say(hub, RecordKind.VISITOR, *one) for one in zip(parts, plain, strict=True)]
            self._done, self._looked = now if all(done) else None, False
        if may_enrol and not self._looked:
            self._blank(hub, records)
            self._looked = True

    def _own(self, may_enrol: bool) -> dict[str, VisitorDocument]:
        """Return what this door says, by part."""
        shared = self._store.shared_visitors
        parts, forgotten = defaultdict[str, list[VisitorPart]](list), defaultdict[str, list[str]](list)
        same = defaultdict[str, dict[str, str]](dict)
        for part in shared.own(self._looks.model_sha256, MOST_SHARED, MOST_LOOKS):
            person = self._people.identifier_of(part.person) if part.person and may_enrol else None
            if (part.looks or person) and may_be_told(part):
                parts[part.uid[:PART_DIGITS]].append(replace(part, person=person))
        for uid, becomes in shared.gone().items() if may_enrol else ():
            if not may_be_gone(uid):
                continue
            if becomes:
                same[uid[:PART_DIGITS]][uid] = becomes
            else:
                forgotten[uid[:PART_DIGITS]].append(uid)
        return {
            one: VisitorDocument(
                self._looks.model_sha256,
                tuple(parts[one][:MOST_PARTS]),
                tuple(forgotten[one][-MOST_GONE:]),
                dict(list(same[one].items())[-MOST_GONE:]),
            )
            for one in {*parts, *forgotten, *same}
        }

    def _end(self, said: Said, document: VisitorDocument) -> bool:
        """Forget and merge whom another door has. Return whether there was anybody."""
        shared = self._store.shared_visitors
        gone = shared.gone()
        pairs = [(_now(uid, gone), _now(kept, gone)) for uid, kept in document.same.items()]
        pairs = [(max(pair), min(pair)) for pair in pairs if pair[0] != pair[1]]
        for uid, kept in pairs:
            if kept:
                shared.same(uid, kept)
        new = [uid for uid in document.forgotten if gone.get(uid) != ""]
        new += [uid for uid, kept in pairs if not kept]  # whoever was the same as somebody forgotten
        for uid in new:
            number = shared.number(uid)
            if number is not None:
                self._forget(said, number)
        if new:
            shared.forget(new)
        return bool(new or pairs)

    def _forget(self, said: Said, number: int) -> None:
        actor = DAEMON if said.ours else Actor("facesecure", one_line(f"door {said.name}", LONGEST_ACTOR))
        try:
            with acting(actor):
                forget_visitor(self._store, number)
        except UsageError:
            pass  # somebody was quicker
        except OSError as error:
            what = f"a visitor whom another door forgot is not forgotten yet: {error.strerror}"
            raise StoreError(what, "facesecure tries again; check the state directory") from error

    def _arrival(self, said: Said, document: VisitorDocument) -> Arrival:
        model = self._looks.model_sha256
        since = datetime.now(UTC) - timedelta(days=self._keep_days) if self._keep_days else None
        parts = list[VisitorPart]()
        for part in document.parts:
            if since is None or part.last_seen >= since:
                looks = part.looks if document.model_sha256 == model else ()
                parts.append(replace(part, looks=looks, person=part.person if said.may_enrol else None))
        return Arrival(said.door, said.name, said.part, model, tuple(parts))

    def _name(self) -> None:
        """Name visitors whom another door has named, as soon as the person is known here."""
        for number, identifier in self._store.shared_visitors.to_name():
            uid = self._people.uid_of(identifier)
            if uid is not None and self._store.shared_visitors.name(number, uid):
                name = self._store.visitors.find(number).name
                audit.record(self._store.state_dir, "visitor-named", f"visitor {number}", name or "")
                self._on_change()

    def _blank(self, hub: HubStore, records: HouseholdRecords) -> None:
        """Remove what a door that is cut off says of somebody who was forgotten. It says the rest again later."""
        gone = self._store.shared_visitors.gone()
        forgotten = {uid for uid in gone if _now(uid, gone) == ""}
        for door, known in self._known.items():
            for part in [part for part, uids in known.items() if not uids.isdisjoint(forgotten)]:
                if self._blanked[(door, part)] < _MOST_BLANKED:
                    self._blanked[(door, part)] += 1
                    records.blank(hub, RecordKind.VISITOR, door, part)
                known[part] = frozenset()


def _now(uid: str, gone: Mapping[str, str]) -> str:
    """Return who a visitor is by now; empty if they were forgotten."""
    while uid in gone:
        uid = gone[uid] if gone[uid] < uid else ""
    return uid
