"""Crops of sightings, which a door hands in when another asks."""

from __future__ import annotations

from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import CropRequest
from facesecure.hub.store.member import Member


class Crops:
    """Crops of sightings, which a door hands in when another asks."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def request(self, sighting: str) -> None:
        """Ask for the crop of a sighting of the household. Needs the right to view."""
        raise NotImplementedError

    def requested(self) -> tuple[CropRequest, ...]:
        """Return the open requests for sightings of this door, oldest first."""
        raise NotImplementedError

    def put(self, sighting: str, crop: bytes) -> None:
        """Hand in the sealed crop of a sighting of this door; all requests for it are done."""
        raise NotImplementedError

    def deny(self, sighting: str) -> None:
        """Remove the requests for a sighting of this door whose crop is gone."""
        raise NotImplementedError

    def get(self, sighting: str) -> bytes | None:
        """Return the sealed crop of a sighting of the household, None while nobody has handed it in."""
        raise NotImplementedError
