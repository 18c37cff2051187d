"""Keep what was removed from being written again.

When a person or a visitor is removed, a daemon may be running: with the person at the door, with a visit that has not
ended, with writes that wait for the database. What it writes then is changed here, on its way into the database.
A name is remembered by a seal, which does not reveal it, and a person by a hash of their random ``uid``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from facesecure.domain import Sighting, Verdict
from facesecure.domain.errors import UsageError
from facesecure.domain.names import FORGOTTEN, LONGEST_NAME, name_key
from facesecure.storage import seals
from facesecure.storage.encryption import cipher_of
from facesecure.storage.tables import ForgottenRow

KEPT = timedelta(days=7)
"""Longer than any visit or any lock on the database lasts."""
KEPT_PEOPLE = timedelta(days=3 * 365)
"""Longer than a door goes on without its hub."""
_PERSON = "person:"
_VISITOR = "visitor:"
_MOST_VISITORS = 20_000
"""Visitors that are remembered; other doors of the household could fill the disk with more."""
STALE = timedelta(hours=1)
"""A visit that begins so long after a removal is not one of that person: a daemon knows of removals within seconds."""
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MOST_TOKENS = 12
"""Words and signs that a name in a text may have."""

_LASTING = or_(ForgottenRow.what.startswith(_PERSON), ForgottenRow.what.startswith(_VISITOR))


def remember(session: Session, name: str, becomes: str, visits: Iterable[str] = ()) -> None:
    """Remember that ``name`` (empty: none) ``becomes`` another from now on, and that ``visits`` were removed."""
    now = datetime.now(UTC)
    if name:
        session.merge(ForgottenRow(what=_of_name(session, name), becomes=becomes, at=now))
    for visit in visits:
        session.merge(ForgottenRow(what=_of_visit(visit), becomes="", at=now))


def remember_person(session: Session, uid: str) -> None:
    """Remember that the person ``uid`` was removed here, and is not merely missing in a database put back."""
    session.merge(ForgottenRow(what=_of_person(uid), becomes="", at=datetime.now(UTC)))


class RemovedPeople(Container[object]):
    """Who was removed here, of the last years: ``uid in removed``. Not even their identifiers are kept, only hashes."""

    def __init__(self, session: Session) -> None:
        self._traces = set(session.scalars(select(ForgottenRow.what).where(ForgottenRow.what.startswith(_PERSON))))

    def __contains__(self, uid: object) -> bool:
        return isinstance(uid, str) and _of_person(uid) in self._traces

    def __bool__(self) -> bool:
        return bool(self._traces)


def remember_visitor(session: Session, uid: str, becomes: str = "") -> None:
    """Remember that the visitor ``uid`` was forgotten, or was found to be the visitor ``becomes``."""
    what = f"{_VISITOR}{uid}"
    found = session.get(ForgottenRow, what)
    if found is None and count_visitors(session) < _MOST_VISITORS:
        session.add(ForgottenRow(what=what, becomes=becomes, at=datetime.now(UTC)))
    elif found is not None and found.becomes:
        found.becomes = becomes and min(becomes, found.becomes)
    session.flush()


def gone_visitors(session: Session) -> dict[str, str]:
    """Return what each visitor became who is none any more, by ``uid``; empty for those who were forgotten."""
    rows = session.scalars(select(ForgottenRow).where(ForgottenRow.what.startswith(_VISITOR)).order_by(ForgottenRow.at))
    return {row.what.removeprefix(_VISITOR): row.becomes for row in rows}


def visitor_now(session: Session, uid: str) -> str:
    """Return who the visitor ``uid`` is by now; empty if they were forgotten."""
    while uid and (row := session.get(ForgottenRow, f"{_VISITOR}{uid}")) is not None:
        uid = row.becomes if row.becomes < uid else ""
    return uid


def count_visitors(session: Session) -> int:
    """Return how many visitors are remembered as gone."""
    query = select(func.count()).select_from(ForgottenRow).where(ForgottenRow.what.startswith(_VISITOR))
    return session.scalar(query) or 0


def allow(session: Session, name: str) -> None:
    """Forget that ``name`` was removed: a person of that name is enrolled again."""
    session.execute(delete(ForgottenRow).where(ForgottenRow.what == _of_name(session, name)))


def expire(session: Session, now: datetime) -> None:
    """Forget removals that no write can be older than, and after years who was removed."""
    session.execute(delete(ForgottenRow).where(ForgottenRow.at < now - KEPT, ~_LASTING))
    session.execute(delete(ForgottenRow).where(ForgottenRow.at < now - KEPT_PEOPLE))


class Forgotten:
    """What was removed lately, for the writes of one session. Make one with ``Forgotten.of``.

    Example::

        if forgotten := Forgotten.of(session):
            sighting = forgotten.sighting(sighting)
    """

    def __init__(self, session: Session, rows: Iterable[ForgottenRow]) -> None:
        self._session = session
        self._rows = {row.what: row for row in rows}
        self._names = {what: row for what, row in self._rows.items() if what.startswith("name:")}

    @classmethod
    def of(cls, session: Session) -> Forgotten | None:
        """Return what was removed lately; None if nothing was."""
        rows = session.scalars(select(ForgottenRow).where(~_LASTING)).all()
        return cls(session, rows) if rows else None

    def is_removed(self, sighting: Sighting) -> bool:
        """Return whether the visit, the one that it continues, or its person was removed: no image of it is kept."""
        visits = (sighting.identifier, sighting.supersedes or "")
        return any(_of_visit(one) in self._rows for one in visits) or (
            self._becomes(sighting.verdict.name or "", sighting.first_seen) == FORGOTTEN
        )

    def may_show_others(self, sighting: Sighting) -> bool:
        """Return whether the visit had begun when a person was removed, who may stand in its snapshot."""
        return any(row.becomes == FORGOTTEN and sighting.first_seen <= row.at for row in self._names.values())

    def sighting(self, sighting: Sighting) -> Sighting:
        """Return ``sighting`` without the names that were removed, and without faces if it was removed itself."""
        at, verdict = sighting.first_seen, sighting.verdict
        faces = () if self.is_removed(sighting) else sighting.faces
        return replace(sighting, verdict=self._verdict(verdict, at), faces=faces)

    def document(self, value: Any, at: datetime) -> Any:
        """Return a JSON value of the time ``at`` without the names that were removed."""
        if isinstance(value, str):
            return self.text(value, at)
        if isinstance(value, dict):
            return {key: self.document(one, at) for key, one in value.items()}
        return [self.document(one, at) for one in value] if isinstance(value, list) else value

    def text(self, text: str, at: datetime) -> str:
        """Return a text of the time ``at`` with the names that were removed replaced, wherever they stand in it."""
        if not any(at <= row.at + STALE for row in self._names.values()):
            return text
        tokens, done, result = list(_TOKEN.finditer(text)), 0, ""
        for number, token in enumerate(tokens):
            if token.start() < done:
                continue
            for last in reversed(tokens[number : number + _MOST_TOKENS]):
                if becomes := self._becomes(text[token.start() : last.end()], at):
                    result += text[done : token.start()] + becomes
                    done = last.end()
                    break
        return result + text[done:]

    def _verdict(self, verdict: Verdict, at: datetime) -> Verdict:
        name, second = (one and (self._becomes(one, at) or one) for one in (verdict.name, verdict.second_name))
        return replace(verdict, name=name, second_name=second, why=self.text(verdict.why, at))

    def _becomes(self, name: str, at: datetime) -> str | None:
        """Return what replaces ``name`` in something of the time ``at``; None if it was not removed."""
        if not name or len(name) > LONGEST_NAME:
            return None
        try:
            row = self._names.get(_of_name(self._session, name))
        except UsageError:  # no name at all
            return None
        return row.becomes if row is not None and at <= row.at + STALE else None


def _of_name(session: Session, name: str) -> str:
    return f"name:{seals.seal(cipher_of(session), 'forgotten', name_key(name))}"


def _of_visit(identifier: str) -> str:
    return f"visit:{identifier}"


def _of_person(uid: str) -> str:
    return f"{_PERSON}{hashlib.sha256(uid.encode()).hexdigest()}"
