"""Crops of sightings, which a door hands in when another asks."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, text, update

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

    def withdraw(self, sighting: str) -> None:
        """Ask no longer: with the last request the hub forgets the crop."""
        with self._database.begin() as connection:
            if self._database.is_postgres:
                connection.execute(text("SELECT withdraw_crop(:wanted)"), {"wanted": sighting})
            else:
                mine = (crop_requests.c.sighting == sighting) & (crop_requests.c.door == self._member.door)
                connection.execute(delete(crop_requests).where(mine))

    def is_asked(self, sighting: str) -> bool:
        """Return whether this door's request is open: it was not withdrawn, denied or forgotten."""
        mine = (crop_requests.c.sighting == sighting) & (crop_requests.c.door == self._member.door)
        with self._database.begin(reading=True) as connection:
            return connection.execute(select(crop_requests.c.door).where(mine)).first() is not None

    def requested(self) -> tuple[CropRequest, ...]:
        """Return the requests for sightings of this door whose crop it has not handed in, oldest first."""
        query = select(crop_requests).join(sightings, sightings.c.identifier == crop_requests.c.sighting)
        mine = query.where(sightings.c.author == self._member.door, sightings.c.household == self._member.household)
        mine = mine.where(sightings.c.crop.is_(None))
        return self._all(mine.order_by(crop_requests.c.at), crop_request_from)

    def put(self, sighting: str, crop: bytes) -> None:
        """Hand in the sealed crop of a sighting of this door that was asked for.

        Raises HubError if the hub has no such sighting any more, or nobody asked.
        """
        if not 1 <= len(crop) <= MAX_CROP:
            raise ValueError(f"not 1 to {MAX_CROP} bytes")
        with self._database.begin() as connection:
            asked = select(crop_requests.c.door).where(crop_requests.c.sighting == sighting).exists()
            mine = (sightings.c.identifier == sighting) & (sightings.c.author == self._member.door)
            if not connection.execute(update(sightings).where(mine, asked).values(crop=crop)).rowcount:
                raise HubError("nobody asks for the crop of this sighting", "it may be older than the hub keeps")

    def deny(self, sighting: str) -> None:
        """Remove the requests for a sighting of this door whose crop is gone."""
        self._deny(sighting, timedelta(0))

    def tidy(self, after: timedelta) -> None:
        """Remove requests for sightings of this door that are older than ``after``, and so their crops."""
        self._deny(None, after)

    def _deny(self, sighting: str | None, after: timedelta) -> None:
        with self._database.begin() as connection:
            if self._database.is_postgres:
                values = {"wanted": sighting, "older": after}
                connection.execute(text("SELECT deny_crops(:wanted, :older)"), values)
                return
            mine = select(sightings.c.identifier).where(sightings.c.author == self._member.door)
            mine = mine if sighting is None else mine.where(sightings.c.identifier == sighting)
            old = crop_requests.c.at < time_of(connection) - after
            connection.execute(delete(crop_requests).where(old, crop_requests.c.sighting.in_(mine)))

    def get(self, sighting: str) -> bytes | None:
        """Return the sealed crop of a sighting of the household, None while nobody has handed it in."""
        ours = (sightings.c.identifier == sighting) & (sightings.c.household == self._member.household)
        with self._database.begin() as connection:
            crop = connection.execute(select(sightings.c.crop).where(ours)).scalar()
        return bytes(crop) if crop is not None else None
