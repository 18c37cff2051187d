"""A visit on the timeline: the sighting with what was told of it, and whether somebody has reviewed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from facesecure.domain.deliveries import AlertWithDeliveries
from facesecure.domain.records import StoredSighting

Place = tuple[datetime, str]
"""Where a visit stands on the timeline: when it began, and its identifier. Unique, and in order of time."""


@dataclass(frozen=True, slots=True)
class TimelineVisit:
    """A sighting, its ``alerts`` with their deliveries, oldest first, and when it was reviewed.

    ``count``: it is the visitor's first, second, third visit; None where the sighting is of no visitor.
    """

    sighting: StoredSighting
    reviewed_at: datetime | None = None
    count: int | None = None
    alerts: tuple[AlertWithDeliveries, ...] = ()

    @property
    def place(self) -> Place:
        """Where it stands on the timeline."""
        return self.sighting.first_seen, self.sighting.identifier
