"""What the hub's database holds of visits: sightings, who notifies about them, and whose crop is wanted (``rows``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from facesecure.hub.row_checks import MAX_SIGHTING, SIGNATURE_BYTES, require_bytes, require_identifiers


class NoticeState(StrEnum):
    """How far the notification about a stranger is: promised by a door, or delivered by it."""

    CLAIMED = "claimed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Sighting:
    """A sealed sighting of a door. ``at`` is when the hub got it; its crop, if it has one, is asked for apart."""

    identifier: str
    household: str
    author: str
    document: bytes
    signature: bytes
    at: datetime
    has_crop: bool = False
    revision: int = 0

    def __post_init__(self) -> None:
        require_identifiers(self.identifier, self.household, self.author)
        require_bytes(self.document, 1, MAX_SIGHTING)
        require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class NewSighting:
    """A sighting as a door hands it in: the hub adds the rest."""

    identifier: str
    document: bytes
    signature: bytes

    def __post_init__(self) -> None:
        require_identifiers(self.identifier)
        require_bytes(self.document, 1, MAX_SIGHTING)
        require_bytes(self.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)


@dataclass(frozen=True)
class Notice:
    """A door's claim to notify about the sighting ``sighting``, which lapses at ``until`` unless it is confirmed."""

    sighting: str
    household: str
    door: str
    state: NoticeState
    at: datetime
    until: datetime

    def __post_init__(self) -> None:
        require_identifiers(self.sighting, self.household, self.door)

    def holds(self, now: datetime) -> bool:
        """Return whether the others stay silent: it was delivered, or at ``now`` (the hub's) still may be."""
        return self.state is NoticeState.CONFIRMED or now < self.until


@dataclass(frozen=True)
class CropRequest:
    """The wish of ``door`` for the crop of a sighting."""

    sighting: str
    door: str
    at: datetime

    def __post_init__(self) -> None:
        require_identifiers(self.sighting, self.door)
