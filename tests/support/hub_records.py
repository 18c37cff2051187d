"""Doors that share visitors, marked faces and calibration: real keys, stores and documents, a hub in a SQLite file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from facesecure.hub.certify import wrapped_keys
from facesecure.hub.connecting import make_engine
from facesecure.hub.rows import RecordKind, Right
from facesecure.hub.store import HubStore
from facesecure.hub.sync.calibration import Judge, SharedCalibration
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.marks import SharedMarks
from facesecure.hub.sync.records import HouseholdRecords
from facesecure.hub.sync.visitors import Looks, SharedVisitors
from facesecure.hub.tables import household_keys
from facesecure.storage.store import Store
from support.bundled_model import models
from support.hub_people import SharingDoor, SharingEstate, lent
from support.store import MODEL
from support.strangers import SCORES
from support.visitors import CHOOSE

_MOST_PULLS = 100


@dataclass
class RecordDoor:
    """A door with its store. ``sync`` is what its daemon does when the link is awake; ``people`` with models."""

    inner: SharingDoor
    store: Store = field(init=False)
    hub: HubStore = field(init=False)
    household: Household = field(init=False)
    visitors: SharedVisitors = field(init=False)
    marks: SharedMarks = field(init=False)
    calibration: SharedCalibration = field(init=False)
    records: HouseholdRecords = field(init=False)

    def __post_init__(self) -> None:
        self.store, self.hub = self.inner.store, self.inner.hub
        self.restart()

    @property
    def door(self) -> str:
        return self.inner.door

    def restart(self) -> None:
        """Forget what was only in memory, as a kill does."""
        self.inner.restart()
        self.household = Household(self.inner.state_dir, self.inner.known)
        self.visitors = SharedVisitors(self.store, Looks(MODEL, 192, CHOOSE), self.inner.people)
        self.marks = SharedMarks(self.store, self.inner.people, lent)
        judge = Judge(models().embedder.sha256, SCORES, 1 / 1000)
        self.calibration = SharedCalibration(self.store, judge, self.inner.people)
        takers: Any = {
            RecordKind.VISITOR: self.visitors,
            RecordKind.MARKED: self.marks,
            RecordKind.CALIBRATION: self.calibration,
        }
        self.records = HouseholdRecords(self.inner.state_dir, self.household, takers)

    def sync(self) -> None:
        self.inner.sync()
        self.household.refresh(self.hub)
        pulls = (self.records.pull(self.hub) for _ in range(_MOST_PULLS))  # one leaves off after two seconds
        assert any(pulls), "the hub's records have no end"
        may_enrol = self.household.may(Right.ENROL)
        self.visitors.push(self.hub, self.records, may_enrol=may_enrol)
        self.marks.push(self.hub, self.records, may_enrol=may_enrol)
        self.calibration.push(self.hub, self.records, may_enrol=may_enrol)

    def uids(self) -> dict[int, str]:
        """The numbers of all visitors here, and by what all doors know them."""
        with self.store._database.read() as session:
            rows = session.connection().exec_driver_sql("SELECT id, uid FROM visitors").all()
        return {row[0]: row[1] for row in rows}

    def elsewhere(self) -> dict[int, list[tuple[str, int]]]:
        """Where else each visitor was seen, by place, and how often."""
        return {
            one.identifier: sorted((at.place, at.visits) for at in one.elsewhere) for one in self.store.visitors.all()
        }


class RecordEstate:
    """An estate whose doors have the key of their household.

    Example::

        estate = RecordEstate(tmp_path)
        front, garage = estate.add("front"), estate.add("garage")
    """

    def __init__(self, folder: Any) -> None:
        self.inner = SharingEstate(folder)

    def add(self, name: str, **options: Any) -> RecordDoor:
        made = self.inner.add(name, **options)
        keys = wrapped_keys(self.inner.authority, self.inner.opened[0].identity, [made.identity.own()], [1])
        engine = make_engine(self.inner.address)
        with engine.begin() as connection:
            connection.execute(insert(household_keys), [vars(key) for key in keys])
        engine.dispose()
        return RecordDoor(made)

    def close(self) -> None:
        self.inner.close()


def settle(*doors: RecordDoor) -> None:
    """Let every door have its turns, until nothing is left to do."""
    for _ in range(3):
        for one in doors:
            one.sync()
