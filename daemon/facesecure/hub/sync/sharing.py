"""What a running daemon shares with its household while the connection to the hub holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from facesecure.app.assembly import Daemon
from facesecure.app.changes import Topic
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.link import Concerned, Duty
from facesecure.hub.store import HubStore
from facesecure.hub.sync.assigning import HubAssigner
from facesecure.hub.sync.cleaning import Cleaning
from facesecure.hub.sync.crops_asked import AskedCrops
from facesecure.hub.sync.crops_given import GivenCrops
from facesecure.hub.sync.doors import Doors
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.mode import SharedMode
from facesecure.hub.sync.notices import HouseholdNotices
from facesecure.hub.sync.shared_people import SharedPeople
from facesecure.hub.sync.shared_records import SharedRecords
from facesecure.hub.sync.status_document import facts_of
from facesecure.hub.sync.visits import SharedVisits

NAME = "hub"
"""The front, among those of the daemon."""
_KEYS = {"doors", "household_keys"}
"""What everything depends on: who is believed, and what is sealed with."""
_CROPS = "crops"
"""Told when pictures are asked for here, or are still to be given."""
_SHARED = {Topic.MODE, Topic.PEOPLE, Topic.VISITORS, Topic.VISITS, Topic.TROUBLES}
"""What the hub is told of soon after it has changed here."""


class Sharing:
    """What ``daemon`` shares.

    Example::

        sharing = Sharing(daemon, store, known)
        with Link(store, [known.learn, *sharing.duties]), sharing.begun():
            ...
    """

    def __init__(self, daemon: Daemon, store: HubStore, known: KnownDoors) -> None:
        """``known`` learns the doors before the duties are done. Raises FacesecureError."""
        self._daemon, self._wake = daemon, store.database.wake
        self._teller: int | None = None
        context = daemon.context
        self._household = Household(context.state_dir, known)
        confirmed = partial(self._wake, "notices")
        self._notices = HouseholdNotices(store, self._household, context.match_visitor, confirmed)
        self._mode = SharedMode(context.state_dir, daemon.commands, self._household)
        facts = partial(facts_of, daemon.commands, NAME)
        self._doors = Doors(self._household, facts, self._heard(Topic.TROUBLES))
        self._people = SharedPeople(daemon, known)
        self._records = SharedRecords(daemon, self._household, self._people.ids, self._people.lend)
        heard, keep_days = self._heard(Topic.VISITS), context.config.store.keep_days
        self._visits = SharedVisits(context.store, context.state_dir, self._household, heard, keep_days=keep_days)
        self._asked = AskedCrops(self._household, self._doors.others, partial(self._wake, _CROPS))
        shown, more = context.config.hub.crops, partial(self._wake, _CROPS)
        self._given = GivenCrops(context.store, self._household, self._visits.told, shown, more=more)
        self._cleaning = Cleaning()

    @property
    def duties(self) -> list[Duty]:
        """What is done at the hub, in this order."""
        return [
            _concerned(self._household.refresh),
            _concerned(self._notices.report, "notices"),
            _concerned(self._mode.follow, "records", Topic.MODE),
            _concerned(self._asked.fetch, "sightings", _CROPS),
            _concerned(self._doors.report, Topic.TROUBLES, Topic.VISITS),
            _concerned(self._doors.look),
            _concerned(self._people.duty, "person_keys", "removals", Topic.PEOPLE),
            _concerned(self._visits.share, "sightings", Topic.VISITS, Topic.VISITORS, Topic.PEOPLE),
            _concerned(self._given.give, _CROPS),  # which visit is which is known once they were told
            _concerned(self._records.share, "records", Topic.VISITORS, Topic.VISITS, Topic.PEOPLE),
            _concerned(self._cleaning.clean),
        ]

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Ask the other doors about strangers during the block, and push what changes here at once."""
        self._daemon.context.changes.follow(self._changed)
        self._daemon.once.ask(self._notices)
        self._daemon.commands.others.append(self._doors.others)
        self._daemon.commands.elsewhere.append(self._visits.elsewhere)
        self._daemon.commands.pictures.append(self._asked)
        self._daemon.commands.assigners.append(HubAssigner(self._daemon.context.state_dir, self._wake))
        try:
            with self._people.watched(self._people_changed):
                yield
        finally:
            self._daemon.once.ask(None)
            self._daemon.commands.others.clear()
            self._daemon.commands.elsewhere.clear()
            self._daemon.commands.pictures.clear()
            self._daemon.commands.assigners.clear()
            self._visits.close()

    def _people_changed(self) -> None:
        self._visits.people_changed()
        self._wake(Topic.PEOPLE)

    def _heard(self, topic: Topic) -> Callable[[], None]:
        """Return what tells the daemon, and not the hub again, that something of ``topic`` changed at another door."""

        def tell() -> None:
            self._teller = threading.get_ident()
            try:
                self._daemon.context.changes.bump(topic)
            finally:
                self._teller = None

        return tell

    def _changed(self, topics: Sequence[Topic]) -> None:
        if threading.get_ident() == self._teller:
            return
        self._visits.changed(topics)
        if shared := _SHARED.intersection(topics):
            self._wake(*shared)


def _concerned(duty: Duty, *about: str) -> Concerned:
    return Concerned(duty, frozenset(about) | _KEYS)
