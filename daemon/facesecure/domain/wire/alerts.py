"""The documents of alerts: ``AlertMessage`` for other programs, ``StoredAlert`` for the outbox.

The outbox turns its document back into an ``Alert`` after a restart, so it holds every value in full precision, and a
key that an earlier version wrote is never renamed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facesecure.domain.faces import Box
from facesecure.domain.mode import Mode
from facesecure.domain.types import Alert, AlertKind, Sighting, Subject, Verdict, VerdictKind
from facesecure.domain.wire.base import Document, PathText, Time
from facesecure.util.paths import readable


class AlertMessage(Document):
    """An alert as one flat object: what a webhook, the journal and the log's file receive.

    Everything below ``snapshot`` describes the sighting, and is null where the alert is about no sighting.
    """

    text: str
    kind: AlertKind
    alert: str
    created_at: Time
    held_back: int
    snapshot: PathText | None
    name: str | None = None
    why: str | None = None
    score: float | None = None
    second_name: str | None = None
    second_score: float | None = None
    evidence: float | None = None
    faces_used: int | None = None
    sighting: str | None = None
    source: str | None = None
    track: int | None = None
    first_seen: Time | None = None
    last_seen: Time | None = None
    supersedes: str | None = None
    doubt: str | None = None
    subject: Subject | None = None
    clip: str | None = None

    @classmethod
    def of(cls, alert: Alert) -> AlertMessage:
        """Build it from ``alert``."""
        return cls(
            text=alert.text,
            kind=alert.kind,
            alert=alert.identifier,
            created_at=alert.created_at,
            held_back=alert.held_back,
            snapshot=alert.snapshot_path,
            clip=alert.clip,
            **({} if alert.sighting is None else _sighting_fields(alert.sighting)),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the message in JSON's own types; texts can be encoded, whatever file name they hold."""
        fields = super().as_json()
        return {key: readable(value) if isinstance(value, str) else value for key, value in fields.items()}


_OF_VERDICT = ("name", "why", "score", "second_name", "second_score", "evidence", "faces_used")
_OF_SIGHTING = ("source", "track", "first_seen", "last_seen", "supersedes", "subject")


def _sighting_fields(sighting: Sighting) -> dict[str, Any]:
    """Return what a message says about its sighting; the kind of the alert is that of the verdict."""
    verdict = {name: getattr(sighting.verdict, name) for name in _OF_VERDICT}
    seen = {name: getattr(sighting, name) for name in _OF_SIGHTING}
    return {**verdict, "sighting": sighting.identifier, **seen, "doubt": sighting.doubt or None}


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
    doubt: str = ""
    subject: Subject | None = None
    mode: Mode | None = None

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
    clip: str | None = None

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
