"""The timeline: pages of visits with what was told of them, as a household looks through them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from facesecure.domain import Subject, VerdictKind
from facesecure.domain.door_visits import DoorVisit
from facesecure.domain.errors import UsageError
from facesecure.domain.names import name_key
from facesecure.domain.timeline import Place, TimelineVisit
from facesecure.storage.sightings import Filter
from facesecure.storage.store import Store

MOST_VISITS = 100
"""Visits of one page."""
HERE = "here"
"""This door, among those of the household."""

Entry = TimelineVisit | DoorVisit


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which visits to show; by default all. ``day`` is one of this machine's time zone."""

    kind: VerdictKind | None = None
    name: str | None = None
    camera: str | None = None
    day: date | None = None
    subject: Subject | None = None
    to_review: bool = False
    door: str | None = None
    """The identifier of a door of the household, HERE, or None for all."""

    def filter(self) -> Filter:
        """Return the filter of the store: of visits that were judged again, only the last verdict."""
        since = until = None
        if self.day is not None:
            since, until = _midnight(self.day), _midnight(self.day + timedelta(days=1))
        return Filter(
            since=since,
            until=until,
            kind=self.kind,
            name=self.name,
            latest_only=True,
            cameras=() if self.camera is None else (self.camera,),
            subject=self.subject,
            reviewed=False if self.to_review else None,
        )


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some visits, newest first. ``older`` is where the next page begins, None if there is none."""

    visits: tuple[Entry, ...]
    older: Place | None


def older_visits(
    store: Store, wanted: Wanted, before: Place | None, size: int, elsewhere: Iterable[DoorVisit] = ()
) -> TimelinePage:
    """Return the ``size`` visits before a place, or the newest; ``elsewhere`` are those at other doors.

    Raises UsageError if the name can be nobody's.

    Example::

        page = older_visits(store, Wanted(kind=VerdictKind.STRANGER), None, 30)
        next_page = older_visits(store, Wanted(kind=VerdictKind.STRANGER), page.older, 30)
    """
    here = store.timeline.page(wanted.filter(), before, size + 1) if wanted.door in (None, HERE) else []
    others = [visit for visit in of_doors(elsewhere, wanted) if before is None or visit.place < before]
    found = _newest_first([*here, *others])
    shown = tuple(found[:size])
    return TimelinePage(shown, shown[-1].place if len(found) > size else None)


def newer_visits(
    store: Store, wanted: Wanted, after: Place, size: int, elsewhere: Iterable[DoorVisit] = ()
) -> Sequence[Entry]:
    """Return the visits after a place, newest first, ``size`` at most: those that came while a page was open."""
    newest = wanted.filter()
    since = after[0] if newest.since is None else max(newest.since, after[0])
    here = store.timeline.page(replace(newest, since=since), None, size) if wanted.door in (None, HERE) else []
    found = _newest_first([*here, *of_doors(elsewhere, wanted)])
    return [visit for visit in found if visit.place > after][:size]


def of_doors(elsewhere: Iterable[DoorVisit], wanted: Wanted) -> Iterator[DoorVisit]:
    """Yield the visits at other doors that are ``wanted``: nobody reviews them here, and their cameras are others."""
    if wanted.door == HERE or wanted.camera is not None or wanted.to_review:
        return
    chosen = wanted.filter()
    found = admitted(elsewhere, since=chosen.since, until=chosen.until, kind=wanted.kind, name=wanted.name)
    for visit in found:
        if wanted.door in (None, visit.door) and (wanted.subject is None or wanted.subject == visit.subject):
            yield visit


def admitted(
    elsewhere: Iterable[DoorVisit],
    *,
    since: datetime | None,
    until: datetime | None,
    kind: VerdictKind | None,
    name: str | None,
) -> Iterator[DoorVisit]:
    """Yield the visits that a filter of the store would admit. Raises UsageError if the name can be nobody's."""
    key = None if name is None else name_key(name)
    for visit in elsewhere:
        if (
            (since is None or visit.first_seen >= since)
            and (until is None or visit.first_seen < until)
            and kind in (None, visit.kind)
            and (key is None or (visit.name is not None and _key(visit.name) == key))
        ):
            yield visit


def _newest_first(visits: list[Entry]) -> list[Entry]:
    return sorted(visits, key=lambda visit: visit.place, reverse=True)


def _key(name: str) -> str | None:
    try:
        return name_key(name)
    except UsageError:  # what another door calls somebody need not be a name here
        return None


def _midnight(day: date) -> datetime:
    """Return when ``day`` begins here. Raises OverflowError for a day that no clock shows."""
    return datetime.combine(day, time.min).astimezone()
