"""The documents of visits as the page shows them: with what was told of them, but no path of this machine."""

from __future__ import annotations

from facesecure.domain.deliveries import AlertWithDeliveries, DeliveryState, StoredDelivery
from facesecure.domain.door_visits import DoorVisit
from facesecure.domain.timeline import TimelineVisit
from facesecure.domain.types import Subject, VerdictKind
from facesecure.domain.wire.base import Document, Time

DOUBTED_THERE = "that door doubts it"


class DeliveryDocument(Document):
    """What became of an alert on one channel. ``by`` made the last attempt; ``error`` says why that failed."""

    channel: str
    state: DeliveryState
    attempts: int
    by: str
    error: str
    at: Time

    @classmethod
    def of(cls, delivery: StoredDelivery) -> DeliveryDocument:
        """Build it from a stored delivery."""
        status = delivery.status
        return cls(
            channel=delivery.channel,
            state=status.state,
            attempts=status.attempts,
            by=status.by,
            error=status.error,
            at=status.at,
        )


class ToldDocument(Document):
    """An alert and its deliveries. ``held_back`` counts the alerts that its cool-down suppressed before it."""

    id: str
    text: str
    at: Time
    held_back: int
    deliveries: tuple[DeliveryDocument, ...]

    @classmethod
    def of(cls, told: AlertWithDeliveries) -> ToldDocument:
        """Build it from a stored alert."""
        return cls(
            id=told.alert.identifier,
            text=told.alert.text,
            at=told.alert.created_at,
            held_back=told.alert.held_back,
            deliveries=tuple(map(DeliveryDocument.of, told.deliveries)),
        )


class VisitDocument(Document):
    """A visit on the timeline. ``verdict`` and ``name`` are as corrected, if they were.

    ``count``: it is so manieth visit of the visitor. ``snapshot``: whether there is a picture of it. ``doubt``: why
    the face may be a picture held up; null once the visit was corrected, as is ``subject``.
    """

    id: str
    verdict: VerdictKind
    name: str | None
    corrected: bool
    doubt: str | None
    subject: Subject | None
    camera: str
    first_seen: Time
    last_seen: Time
    supersedes: str | None
    snapshot: bool
    visitor: int | None
    count: int | None
    reviewed_at: Time | None
    told: tuple[ToldDocument, ...]

    @classmethod
    def of(cls, visit: TimelineVisit) -> VisitDocument:
        """Build it from a visit."""
        seen, corrected = visit.sighting, visit.sighting.correction is not None
        return cls(
            id=seen.identifier,
            verdict=seen.kind,
            name=seen.name,
            corrected=corrected,
            doubt=None if corrected else seen.doubt or None,
            subject=None if corrected else seen.subject,
            camera=seen.source,
            first_seen=seen.first_seen,
            last_seen=seen.last_seen,
            supersedes=seen.supersedes,
            snapshot=seen.snapshot is not None,
            visitor=seen.visitor,
            count=visit.count,
            reviewed_at=visit.reviewed_at,
            told=tuple(map(ToldDocument.of, visit.alerts)),
        )


class DoorVisitDocument(Document):
    """A visit at another door of the household: ``door`` is its identifier, ``door_name`` its name.

    ``picture``: whether that door has one, which it may be asked for.
    """

    id: str
    door: str
    door_name: str
    verdict: VerdictKind
    name: str | None
    corrected: bool
    doubt: str | None
    subject: Subject | None
    camera: str
    first_seen: Time
    last_seen: Time
    picture: bool

    @classmethod
    def of(cls, visit: DoorVisit) -> DoorVisitDocument:
        """Build it from a visit."""
        return cls(
            id=visit.identifier,
            door=visit.door,
            door_name=visit.door_name,
            verdict=visit.kind,
            name=visit.name,
            corrected=visit.corrected,
            doubt=DOUBTED_THERE if visit.doubtful else None,
            subject=visit.subject,
            camera=visit.camera,
            first_seen=visit.first_seen,
            last_seen=visit.last_seen,
            picture=visit.picture,
        )
