"""The hub as one door sees it."""

from __future__ import annotations

from facesecure.hub.database import HubDatabase
from facesecure.hub.store.crops import Crops
from facesecure.hub.store.doors import Doors
from facesecure.hub.store.household_keys import HouseholdKeys
from facesecure.hub.store.joining import Joining
from facesecure.hub.store.member import Member
from facesecure.hub.store.notices import Notices
from facesecure.hub.store.people import People
from facesecure.hub.store.records import Records
from facesecure.hub.store.removals import Removals
from facesecure.hub.store.sightings import Sightings


class HubStore:
    """What a door may read and write at the hub, by subject.

    Every method is one transaction and raises HubError (``domain.errors``): HubUnreachableError while there is no
    connection, HubFullError while the hub's disk is full, HubRefusedError for what this door may not do. What a method
    has returned from is on the hub's disk; one that raises HubUnreachableError may have been written or not, so that a
    caller reads before it writes again. A row that is not what it should be is left out of what is read, and logged.

    Example::

        store = HubStore(HubDatabase(address), door, household)
        while people := store.people.after(cursor):
            cursor = people.read_to
    """

    def __init__(self, database: HubDatabase, door: str, household: str) -> None:
        """Act for ``door`` of ``household`` (identifiers), as which ``database`` signs in."""
        member = Member(door, household)
        self.database = database
        self.doors = Doors(database, member)
        self.joining = Joining(database, member)
        self.household_keys = HouseholdKeys(database, member)
        self.people = People(database, member)
        self.removals = Removals(database, member)
        self.records = Records(database, member)
        self.sightings = Sightings(database, member)
        self.notices = Notices(database, member)
        self.crops = Crops(database, member)
