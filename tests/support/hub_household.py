"""Doors of one household at a hub in a SQLite file: real keys, certificates and documents, and no server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from facesecure.alerts.policy.arming import Arming
from facesecure.domain.actors import current_actor
from facesecure.domain.mode import Mode
from facesecure.hub.certify import wrapped_keys
from facesecure.hub.connecting import HubAddress, make_engine
from facesecure.hub.database import HubDatabase
from facesecure.hub.identity import Identity
from facesecure.hub.identity_file import write_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.roles import migrate
from facesecure.hub.row_values import door_values
from facesecure.hub.rows import NewDoor
from facesecure.hub.store import HubStore
from facesecure.hub.sync.household import Household
from facesecure.hub.tables import doors, estate, household_keys
from support.estate import EVERY_RIGHT, NOW, Estate


@dataclass
class SimulatedDoor:
    """A door with its state directory, the hub as it sees it, and its mode."""

    state_dir: Path
    identity: Identity
    store: HubStore
    arming: Arming
    household: Household
    known: KnownDoors
    actors: list[str] = field(default_factory=list)

    @property
    def mode(self) -> Mode:
        return self.arming.intended

    def set_mode(self, mode: Mode, *, at_once: bool = False) -> dict[str, Any]:
        """Set the mode as ``Commands.set_mode`` does."""
        self.actors.append(current_actor().origin)
        self.arming.arm(mode, at_once=at_once)
        return {"warning": None}

    def learn(self) -> None:
        """Learn the household's doors and keys, as the link does before anything else."""
        self.known.learn(self.store)
        self.household.refresh(self.store)


class SimulatedHousehold:
    """A hub in a file, and doors that are members of it.

    Example::

        household = SimulatedHousehold(tmp_path)
        front, garage = household.add("front"), household.add("garage")
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.address = folder, HubAddress(f"sqlite:///{folder}/hub.db")
        self.estate = Estate()
        self.manager = self.estate.door("manager", manager=True)
        self._engine = make_engine(self.address)
        values = {"identifier": self.estate.identifier, "authority": self.estate.authority.public}
        with self._engine.begin() as connection:
            migrate(connection)
            connection.execute(insert(estate).values(**values, manager=self.manager.door, created_at=NOW))
        self._write(self.manager)
        self.doors: list[SimulatedDoor] = []

    def add(self, name: str, rights: Any = EVERY_RIGHT) -> SimulatedDoor:
        """Add a door that has joined."""
        identity = self.estate.door(name, rights=rights)
        self._write(identity)
        state_dir = self.folder / name
        state_dir.mkdir()
        write_identity(state_dir, identity)
        door = self.opened(state_dir, identity)
        self.doors.append(door)
        return door

    def opened(self, state_dir: Path, identity: Identity) -> SimulatedDoor:
        """Return the door of ``state_dir`` as after a restart."""
        known = KnownDoors(state_dir)
        store = HubStore(HubDatabase(self.address), identity.door, identity.own().household)
        made = SimulatedDoor(state_dir, identity, store, Arming(state_dir), Household(state_dir, known), known)
        made.learn()
        for other in self.doors:
            other.learn()
        return made

    def close(self) -> None:
        """Close every connection."""
        for door in self.doors:
            door.store.database.close()
        self._engine.dispose()

    def _write(self, identity: Identity) -> None:
        row = self.estate.rows[-1]
        new = NewDoor(
            row.identifier, row.name, row.household, row.rights, row.box_key, row.sign_key, row.certificate
        )  # fmt: skip
        keys = wrapped_keys(self.estate.authority, self.manager, [identity.own()], [1])
        with self._engine.begin() as connection:
            connection.execute(insert(doors).values(**door_values(new), joined_at=NOW, revision=len(self.estate.rows)))
            connection.execute(insert(household_keys), [vars(key) for key in keys])
