"""The timeline: pages of visits with what was told of them, as a household looks through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from facesecure.domain import Subject, VerdictKind
from facesecure.domain.timeline import Place, TimelineVisit
from facesecure.storage.sightings import Filter
from facesecure.storage.store import Store

MOST_VISITS = 100
"""Visits of one page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which visits to show; by default all. ``day`` is one of this machine's time zone."""

    kind: VerdictKind | None = None
    name: str | None = None
    camera: str | None = None
    day: date | None = None
    subject: Subject | None = None
    to_review: bool = False

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

    visits: tuple[TimelineVisit, ...]
    older: Place | None


def older_visits(store: Store, wanted: Wanted, before: Place | None, size: int) -> TimelinePage:
    """Return the ``size`` visits before a place, or the newest. Raises UsageError if the name can be nobody's.

    Example::

        page = older_visits(store, Wanted(kind=VerdictKind.STRANGER), None, 30)
        next_page = older_visits(store, Wanted(kind=VerdictKind.STRANGER), page.older, 30)
    """
    found = store.timeline.page(wanted.filter(), before, size + 1)
    shown = tuple(found[:size])
    return TimelinePage(shown, shown[-1].place if len(found) > size else None)


def newer_visits(store: Store, wanted: Wanted, after: Place, size: int) -> Sequence[TimelineVisit]:
    """Return the visits after a place, newest first, ``size`` at most: those that came while a page was open."""
    newest = wanted.filter()
    since = after[0] if newest.since is None else max(newest.since, after[0])
    found = store.timeline.page(replace(newest, since=since), None, size)
    return [visit for visit in found if visit.place > after]


def _midnight(day: date) -> datetime:
    """Return when ``day`` begins here. Raises OverflowError for a day that no clock shows."""
    return datetime.combine(day, time.min).astimezone()
