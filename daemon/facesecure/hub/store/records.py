"""Documents that all doors of a household share: visitors, marked faces, calibration, arming, mode."""

from __future__ import annotations

from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import Record, RecordKind
from facesecure.hub.store.member import BATCH, Member


class Records:
    """Documents that all doors of a household share: visitors, marked faces, calibration, arming, mode."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def after(self, cursor: int, limit: int = BATCH) -> tuple[Record, ...]:
        """Return records of the household that changed after ``cursor``, oldest change first."""
        raise NotImplementedError

    def get(self, kind: RecordKind, identifier: str) -> Record | None:
        """Return one, also if it was removed."""
        raise NotImplementedError

    def put(self, record: Record, after: int) -> int | None:
        """Write a record whose version at the hub is ``after`` (0: new; its own must be higher).

        Return the revision; None, and nothing is written, if the hub has another version: read it, merge, and
        try again.
        A record without document is a tombstone. ``mode`` and ``arming`` need the right to arm.
        """
        raise NotImplementedError
