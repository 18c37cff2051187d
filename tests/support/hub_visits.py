"""Doors of a simulated household with their stores, which share visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from facesecure.app.changes import Topic
from facesecure.domain import Verdict
from facesecure.domain.door_visits import DoorVisit
from facesecure.hub.sealing import DataKey
from facesecure.hub.sync.people_state import PeopleState, Shared
from facesecure.hub.sync.visits import SharedVisits
from facesecure.storage.store import Store
from support.hub_household import SimulatedDoor, SimulatedHousehold
from support.policy import FakeClock
from support.store import STRANGER, enrolled_face, picture, sighting


@dataclass
class VisitedDoor:
    """A door at which somebody comes. ``share`` is what its daemon does when the link is awake."""

    door: SimulatedDoor
    store: Store
    clock: FakeClock = field(default_factory=FakeClock)
    changes: int = 0
    keep_days: float = 0
    visits: SharedVisits = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin with what is on the disk, as after a kill."""
        door = self.door
        self.visits = SharedVisits(
            self.store, door.state_dir, door.household, self.changed, self.clock.steady, self.keep_days
        )

    def changed(self) -> None:
        self.changes += 1

    def share(self, *topics: Topic) -> None:
        """Do the duty some minutes later, after a change of ``topics``."""
        self.clock.pass_time(301)
        self.visits.changed(topics)
        self.door.learn()
        self.visits.share(self.door.store)

    def comes(self, identifier: str, verdict: Verdict = STRANGER, ago: float = 60.0, snapshot: bool = False) -> None:
        """Record a visit of so many seconds ago."""
        shown = picture() if snapshot else None
        self.store.record(
            sighting(identifier, verdict, when=datetime.now(UTC) - timedelta(seconds=ago), snapshot=shown)
        )

    def knows(self, name: str, identifier: str) -> None:
        """Enrol somebody who is shared under that identifier."""
        self.store.add_person(name, [enrolled_face(1)])
        state = PeopleState.read(self.door.state_dir)
        uid = next(person.uid for person in self.store.people() if person.name == name)
        own = self.door.household.own
        state.people[identifier] = Shared(own.household, own.door, DataKey.made(), version=1, uid=uid, name=name)
        state.save()

    @property
    def heard(self) -> Sequence[DoorVisit]:
        return self.visits.elsewhere()

    @property
    def names(self) -> list[str | None]:
        return [one.name for one in self.heard]


def visited(household: SimulatedHousehold, *names: str) -> list[VisitedDoor]:
    """Return a door for each of ``names``, all of which know each other."""
    joined = [household.add(name) for name in names]
    made = [VisitedDoor(door, Store.open(door.state_dir)) for door in joined]
    for one in made:
        one.door.learn()
    return made
