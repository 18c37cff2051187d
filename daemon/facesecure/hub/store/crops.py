"""Crops of sightings, which a door hands in when another asks."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from facesecure.domain.errors import HubError
from facesecure.hub.row_values import crop_request_from
from facesecure.hub.rows import MAX_CROP, CropRequest
from facesecure.hub.store.doors import time_of
from facesecure.hub.store.member import Part, insert_missing
from facesecure.hub.tables import crop_requests, sightings


class Crops(Part):
    """Crops of sightings, which a door hands in when another asks."""

    def request(self, sighting: str) -> None:
        """Ask for the crop of a sighting of the household. Needs the right to view."""
        row = {"sighting": sighting, "door": self._member.door, "household": self._member.household}
        with self._database.begin() as connection:
            insert_missing(connection, crop_requests, [{**row, "at": time_of(connection)}])

    def requested(self) -> tuple[CropRequest, ...]:
        """Return the open requests for sightings of this door, oldest first."""
        query = select(crop_requests).join(sightings, sightings.c.identifier == crop_requests.c.sighting)
        mine = query.where(sightings.c.author == self._member.door, sightings.c.household == self._member.household)
        return self._all(mine.order_by(crop_requests.c.at), crop_request_from)

    def put(self, sighting: str, crop: bytes) -> None:
        """Hand in the sealed crop of a sighting of this door that was asked for; all requests for it are done.

        Raises HubError if the hub has no such sighting any more, or nobody asked.
        """
        if not 1 <= len(crop) <= MAX_CROP:
            raise ValueError(f"not 1 to {MAX_CROP} bytes")
        with self._database.begin() as connection:
            asked = select(crop_requests.c.door).where(crop_requests.c.sighting == sighting).exists()
            mine = (sightings.c.identifier == sighting) & (sightings.c.author == self._member.door)
            if not connection.execute(update(sightings).where(mine, asked).values(crop=crop)).rowcount:
                raise HubError("nobody asks for the crop of this sighting", "it may be older than the hub keeps")
            connection.execute(delete(crop_requests).where(crop_requests.c.sighting == sighting))

    def deny(self, sighting: str) -> None:
        """Remove the requests for a sighting of this door whose crop is gone."""
        with self._database.begin() as connection:
            mine = select(sightings.c.identifier).where(sightings.c.author == self._member.door)
            connection.execute(
                delete(crop_requests).where(crop_requests.c.sighting == sighting, crop_requests.c.sighting.in_(mine))
            )

    def get(self, sighting: str) -> bytes | None:
        """Return the sealed crop of a sighting of the household, None while nobody has handed it in."""
        ours = (sightings.c.identifier == sighting) & (sightings.c.household == self._member.household)
        with self._database.begin() as connection:
            crop = connection.execute(select(sightings.c.crop).where(ours)).scalar()
        return bytes(crop) if crop is not None else None
