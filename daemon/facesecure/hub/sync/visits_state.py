"""What this door remembers of visits at the household's doors, encrypted in STATE_DIR/hub/visits.secret."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from facesecure.domain import Subject, VerdictKind
from facesecure.domain.door_visits import DoorVisit
from facesecure.domain.errors import StoreError
from facesecure.domain.names import FORGOTTEN
from facesecure.hub.rows import KEPT_DAYS, require_identifiers
from facesecure.hub.store.last_read import LastRead
from facesecure.hub.sync.visit_document import VisitFacts
from facesecure.storage.secret_files import SecretFiles

NAME = "visits"
MOST = 2000
"""Visits of other doors that are kept, the newest; each door has its share."""
_LEAST_SHARE = 50
_MOST_PROBLEMS = 20
_SHOWN_FOR = timedelta(days=1)
"""How long a problem is told of."""
_TURNED_BACK = 3600.0
"""Seconds by which our clock has to go back until it counts as having been ahead."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A visit as another door told it last; without ``facts`` there is no such visit any more.

    ``at`` is when it began (without facts: when that was told) and ``facts`` have times, in seconds of our clock.
    """

    author: str
    edition: int
    at: float
    facts: VisitFacts | None

    def forgotten(self) -> Heard:
        """Return it as the visit of somebody forgotten."""
        assert self.facts is not None
        return replace(self, facts=self.facts.model_copy(update={"name": FORGOTTEN, "person": None, "picture": False}))


@dataclass(frozen=True, slots=True)
class Own:
    """What the hub has of a visit at this door: the edition, and the digest of its facts; None: tell it again."""

    edition: int
    digest: str | None
    at: float


@dataclass
class VisitsState:
    """The visits by their identifier at the hub, and how far the hub was read. One thread uses it.

    ``again_from``: the lowest revision of what could not be opened, which is looked at again when other doors are
    trusted, or there is another key. ``problems`` say what was refused, and since when in seconds. ``pruned``: when
    something was last removed as too old, in seconds of our clock.

    Example::

        state = VisitsState.read(state_dir)
        state.visits({door: name})
    """

    cursor: int = 0
    again_from: int | None = None
    own: dict[str, Own] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    problems: dict[str, float] = field(default_factory=dict)
    last: LastRead = field(default_factory=LastRead)
    pruned: float = 0.0
    _saved: bytes = field(default=b"", repr=False, compare=False)

    @classmethod
    def read(cls, state_dir: Path) -> VisitsState:
        """Return what is remembered; nothing if there is none yet. Raises StoreError if it cannot be read."""
        try:
            found = json.loads(SecretFiles(state_dir).read(NAME))
        except FileNotFoundError:
            return cls()
        except ValueError as error:
            raise StoreError("the visits of other doors cannot be understood", _HINT) from error
        try:
            return cls(
                int(found["cursor"]),
                None if found["again_from"] is None else int(found["again_from"]),
                {_identifier(one): _own(*row) for one, row in found["own"].items()},
                {_identifier(one): _heard(row) for one, row in found["heard"].items()},
                {str(said): float(at) for said, at in found["problems"].items()},
                LastRead.decode(found["last"]) if "last" in found else LastRead(),
                float(found.get("pruned", 0.0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise StoreError("the visits of other doors cannot be understood", _HINT) from error

    def save(self, state_dir: Path) -> None:
        """Keep it, if it has changed. Raises StoreError."""
        document = {
            "cursor": self.cursor,
            "again_from": self.again_from,
            "own": {one: [row.edition, row.digest, row.at] for one, row in self.own.items()},
            "heard": {one: _row(heard) for one, heard in self.heard.items()},
            "problems": self.problems,
            "last": self.last.encoded(),
            "pruned": self.pruned,
        }
        content = json.dumps(document).encode()
        if content == self._saved:
            return
        try:
            SecretFiles(state_dir).write(NAME, content)
            self._saved = content
        except OSError as error:
            what = f"the visits of other doors cannot be kept: {error.strerror}"
            raise StoreError(what, "free space, or check who owns the state directory") from error

    def complain(self, problem: str, now: float) -> bool:
        """Note what was refused. Return whether that is new."""
        is_new = problem not in self.problems
        self.problems.setdefault(problem, now)
        for old in list(self.problems)[:-_MOST_PROBLEMS]:
            del self.problems[old]
        return is_new

    def forget(self, removed: Collection[str]) -> bool:
        """Take the names of people from their visits, by the identifiers of who was ``removed``. Return if any was."""
        theirs = [one for one, heard in self.heard.items() if heard.facts is not None and heard.facts.person in removed]
        for identifier in theirs:
            self.heard[identifier] = self.heard[identifier].forgotten()
        return bool(theirs)

    def prune(self, doors: Iterable[str], now: datetime) -> bool:
        """Remove what is too old, too much, or of a door that is not among ``doors`` any more. Return if any was.

        Where our clock was ahead when something was removed as too old, everything is to be read again.
        """
        before, since, allowed = len(self.heard), (now - timedelta(days=KEPT_DAYS)).timestamp(), set(doors)
        if now.timestamp() < self.pruned - _TURNED_BACK:
            self.cursor, self.pruned = 0, 0.0
        if any(heard.at < since for heard in self.heard.values()):
            self.pruned = now.timestamp()
        self.own = {one: row for one, row in self.own.items() if row.at >= since}
        lately = (now - _SHOWN_FOR).timestamp()
        self.problems = {said: at for said, at in self.problems.items() if at >= lately}
        share, kept = max(_LEAST_SHARE, MOST // max(1, len(allowed))), dict[str, int]()
        newest = sorted(self.heard.items(), key=lambda item: item[1].at, reverse=True)
        self.heard = {}
        for identifier, heard in newest:
            kept[heard.author] = kept.get(heard.author, 0) + 1
            if heard.author in allowed and heard.at >= since and kept[heard.author] <= share:
                self.heard[identifier] = heard
        return len(self.heard) != before

    def visits(self, doors: dict[str, str]) -> list[DoorVisit]:
        """Return the visits of ``doors``, whose names those are, newest first."""
        found = [
            _visit(identifier, heard, heard.facts, doors[heard.author])
            for identifier, heard in self.heard.items()
            if heard.facts is not None and heard.author in doors
        ]
        return sorted(found, key=lambda visit: visit.place, reverse=True)


_HINT = "remove hub/visits.secret: it is read from the hub again"


def _identifier(text: str) -> str:
    require_identifiers(text)
    return text


def _own(edition: int, digest: str | None, at: float) -> Own:
    return Own(int(edition), None if digest is None else str(digest), float(at))


def _row(heard: Heard) -> list[Any]:
    facts = None if heard.facts is None else heard.facts.model_dump(exclude_defaults=True)
    return [heard.author, heard.edition, heard.at, facts]


def _heard(row: list[Any]) -> Heard:
    author, edition, at, facts = row
    return Heard(str(author), int(edition), float(at), None if facts is None else VisitFacts.model_validate(facts))


def _visit(identifier: str, heard: Heard, facts: VisitFacts, door_name: str) -> DoorVisit:
    return DoorVisit(
        identifier,
        heard.author,
        door_name,
        VerdictKind(facts.verdict),
        facts.name,
        facts.camera,
        datetime.fromtimestamp(facts.first, UTC),
        datetime.fromtimestamp(facts.last, UTC),
        None if facts.subject is None else Subject(facts.subject),
        facts.doubtful,
        facts.corrected,
        facts.picture,
    )
