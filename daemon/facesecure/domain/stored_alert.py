"""How the outbox stores an alert: everything needed to deliver it after a restart, in full precision.

Kept apart from ``domain.wire`` because only the outbox reads it, and turns it back into an ``Alert``; the daemon loads
the rest of the schema only where it is used. A key that an earlier version wrote is never renamed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facesecure.domain.document import Document, PathText, Time
from facesecure.domain.faces import Box
from facesecure.domain.types import Alert, AlertKind, Sighting, Verdict, VerdictKind


class StoredVerdict(Document):
    """A verdict, field by field."""

    kind: VerdictKind
    why: str
    name: str | None = None
    score: float | None = None
    second_name: str | None = None
    second_score: float | None = None
    evidence: float | None = None
    faces_used: int = 0

    @classmethod
    def of(cls, verdict: Verdict) -> StoredVerdict:
        """Build it from ``verdict``."""
        return cls.model_validate({name: getattr(verdict, name) for name in cls.model_fields})

    def verdict(self) -> Verdict:
        """Return the verdict it was built from."""
        return Verdict(**dict(self))


class StoredSightingOfAlert(Document):
    """The sighting of an alert, without its pixels and faces. ``box`` is [left, top, right, bottom]."""

    identifier: str
    verdict: StoredVerdict
    source: str
    first_seen: Time
    last_seen: Time
    track: int | None = None
    supersedes: str | None = None
    box: tuple[float, float, float, float] | None = None
    closing: bool = False
    staged: bool = False

    @classmethod
    def of(cls, sighting: Sighting) -> StoredSightingOfAlert:
        """Build it from ``sighting``."""
        fields = {name: getattr(sighting, name) for name in cls.model_fields}
        box = sighting.box
        edges = None if box is None else (box.left, box.top, box.right, box.bottom)
        return cls.model_validate({**fields, "verdict": StoredVerdict.of(sighting.verdict), "box": edges})

    def sighting(self) -> Sighting:
        """Return the sighting it was built from."""
        box = None if self.box is None else Box(*self.box)
        return Sighting(**{**dict(self), "verdict": self.verdict.verdict(), "box": box})


class StoredAlert(Document):
    """An alert, as one JSON column of the database holds it."""

    kind: AlertKind
    text: str
    speech: str
    sighting: StoredSightingOfAlert | None
    snapshot_path: PathText | None
    held_back: int
    channels: tuple[str, ...] | None
    identifier: str
    created_at: Time

    @classmethod
    def of(cls, alert: Alert) -> StoredAlert:
        """Build it from ``alert``."""
        fields: dict[str, Any] = {name: getattr(alert, name) for name in cls.model_fields}
        seen = None if alert.sighting is None else StoredSightingOfAlert.of(alert.sighting)
        return cls.model_validate({**fields, "sighting": seen})

    def alert(self) -> Alert:
        """Return the alert it was built from. Raises ValueError where the values contradict each other."""
        seen = None if self.sighting is None else self.sighting.sighting()
        path = None if self.snapshot_path is None else Path(self.snapshot_path)
        return Alert(**{**dict(self), "sighting": seen, "snapshot_path": path})
