"""The documents of sightings, verdicts, faces, people and visitors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer

from facesecure.domain.faces import Box, Quality
from facesecure.domain.records import (
    Clip,
    Correction,
    EnrolledFace,
    Person,
    SeenElsewhere,
    StoredFace,
    StoredSighting,
    Visitor,
)
from facesecure.domain.types import Subject, Verdict, VerdictKind
from facesecure.domain.wire.base import Document, Number, PathText, Time


class BoxDocument(Document):
    """A rectangle in pixels, [left, top, right, bottom] in JSON."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, box: Box) -> BoxDocument:
        """Build it from ``box``."""
        return cls(left=float(box.left), top=float(box.top), right=float(box.right), bottom=float(box.bottom))

    def edges(self, decimals: int | None = 1) -> list[float]:
        """Return the four edges, rounded to ``decimals``; None keeps every digit."""
        edges = [self.left, self.top, self.right, self.bottom]
        return edges if decimals is None else [round(edge, decimals) for edge in edges]


BoxEdges = Annotated[BoxDocument, PlainSerializer(BoxDocument.edges)]


class _Identified(Document):
    id: str


class _VerdictFields(Document):
    verdict: VerdictKind
    name: str | None
    score: Number | None
    second_name: str | None
    second_score: Number | None
    evidence: Number | None
    faces_used: int
    why: str


class VerdictDocument(_VerdictFields):
    """A verdict, and the figures behind it."""

    @classmethod
    def of(cls, verdict: Verdict) -> VerdictDocument:
        """Build it from ``verdict``."""
        return cls.model_validate(verdict_fields(verdict))


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """Return the fields of a ``VerdictDocument``, for documents that contain them beside their own."""
    return {
        "verdict": verdict.kind,
        "name": verdict.name,
        "score": verdict.score,
        "second_name": verdict.second_name,
        "second_score": verdict.second_score,
        "evidence": verdict.evidence,
        "faces_used": verdict.faces_used,
        "why": verdict.why,
    }


class _Visit(Document):
    source: str
    first_seen: Time
    last_seen: Time
    track: int | None
    supersedes: str | None
    superseded_by: str | None
    snapshot: PathText | None
    box: BoxEdges | None
    visitor: int | None
    doubt: str | None = None
    subject: Subject | None = None


class CorrectionDocument(Document):
    """What a person said about a sighting later; all null where no one did."""

    corrected_verdict: VerdictKind | None = None
    corrected_name: str | None = None
    correction: str | None = None
    corrected_at: Time | None = None


def correction_fields(correction: Correction | None) -> dict[str, Any]:
    """Return the fields of a ``CorrectionDocument``."""
    if correction is None:
        return {}
    return {
        "corrected_verdict": correction.kind,
        "corrected_name": correction.name,
        "correction": correction.words,
        "corrected_at": correction.at,
    }


# Fields come in the order of the bases from last to first.
class SightingDocument(CorrectionDocument, _Visit, _VerdictFields, _Identified):
    """A stored sighting with its correction, as ``events list --json`` prints it.

    ``subject`` is what was seen of an unidentified visit: empty if nothing known was, null if nobody looked.
    """

    @classmethod
    def of(cls, sighting: StoredSighting) -> SightingDocument:
        """Build it from a stored sighting."""
        return cls(
            id=sighting.identifier,
            source=sighting.source,
            first_seen=sighting.first_seen,
            last_seen=sighting.last_seen,
            track=sighting.track,
            supersedes=sighting.supersedes,
            superseded_by=sighting.superseded_by,
            snapshot=sighting.snapshot,
            box=None if sighting.box is None else BoxDocument.of(sighting.box),
            visitor=sighting.visitor,
            doubt=sighting.doubt or None,
            subject=sighting.subject,
            **verdict_fields(sighting.verdict),
            **correction_fields(sighting.correction),
        )


class ClipDocument(_Identified):
    """A film of a visit. One that is not ``whole`` is being taken, or broke off."""

    camera: str
    began: Time
    seconds: Number
    bytes: int
    whole: bool

    @classmethod
    def of(cls, clip: Clip) -> ClipDocument:
        """Build it from a film."""
        return cls(
            id=clip.identifier,
            camera=clip.camera,
            began=clip.began,
            seconds=clip.seconds,
            bytes=clip.size,
            whole=clip.whole,
        )


class QualityDocument(Document):
    """How useful a face is for recognition; the measures are explained at ``domain.faces.Quality``."""

    clarity: Number
    usable: bool
    reasons: tuple[str, ...]
    eye_distance: Number
    sharpness: Number
    brightness: Number
    contrast: Number
    yaw: Number
    pitch: Number
    roll: Number
    confidence: Number

    @classmethod
    def of(cls, quality: Quality) -> QualityDocument:
        """Build it from ``quality``."""
        return cls.model_validate({name: getattr(quality, name) for name in cls.model_fields})


class PersonDocument(Document):
    """An enrolled person."""

    name: str
    faces: int
    created_at: Time

    @classmethod
    def of(cls, person: Person) -> PersonDocument:
        """Build it from ``person``."""
        return cls(name=person.name, faces=person.faces, created_at=person.created_at)


class EnrolledFaceDocument(Document):
    """One of the faces that a person is enrolled with."""

    id: int | None
    source: str
    added_at: Time
    model_sha256: str
    quality: QualityDocument

    @classmethod
    def of(cls, face: EnrolledFace) -> EnrolledFaceDocument:
        """Build it from an enrolled face."""
        return cls(
            id=face.identifier,
            source=face.source,
            added_at=face.added_at,
            model_sha256=face.model_sha256,
            quality=QualityDocument.of(face.quality),
        )


class SeenElsewhereDocument(Document):
    """What another door of the household has seen of a visitor."""

    place: str
    visits: int
    last_seen: Time

    @classmethod
    def of(cls, seen: SeenElsewhere) -> SeenElsewhereDocument:
        """Build it from what another door has ``seen``."""
        return cls(place=seen.place, visits=seen.visits, last_seen=seen.last_seen)


class VisitorDocument(Document):
    """A visitor: one person who is not enrolled, over all their visits."""

    id: int
    name: str | None
    visits: int
    first_seen: Time
    last_seen: Time
    marked: bool
    faces: int
    snapshot: PathText | None
    route: tuple[str, ...]
    elsewhere: tuple[SeenElsewhereDocument, ...]

    @classmethod
    def of(cls, visitor: Visitor) -> VisitorDocument:
        """Build it from ``visitor``."""
        fields = {name: getattr(visitor, name) for name in cls.model_fields if name not in ("id", "elsewhere")}
        doors = [SeenElsewhereDocument.of(one) for one in visitor.elsewhere]
        return cls.model_validate({"id": visitor.identifier, "elsewhere": doors, **fields})


class VisitorFaceDocument(Document):
    """A face that was kept with a sighting."""

    event: str
    taken_at: Time
    model_sha256: str
    quality: QualityDocument

    @classmethod
    def of(cls, face: StoredFace) -> VisitorFaceDocument:
        """Build it from a stored face."""
        return cls(
            event=face.sighting,
            taken_at=face.seen.taken_at,
            model_sha256=face.seen.model_sha256,
            quality=QualityDocument.of(face.seen.face.quality),
        )
