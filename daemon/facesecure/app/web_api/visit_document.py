"""The document of one visit: what ``services.visit_details`` finds, as JSON, without embeddings and paths."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from facesecure.domain.records import Clip
from facesecure.domain.wire.sightings import ClipDocument, QualityDocument, SeenElsewhereDocument, VerdictDocument
from facesecure.domain.wire.timeline import VisitDocument
from facesecure.services.enrolment_codes import code_of
from facesecure.services.visit_details import Consequences, VisitDetails
from facesecure.services.visit_faces import JudgedFace, NameScore
from facesecure.services.visit_reason import WhyTold


def details_document(details: VisitDetails, being_taken: Collection[str]) -> dict[str, Any]:
    """Return ``details`` as JSON; ``being_taken`` are the identifiers of the films that are not finished yet."""
    seen = details.visit.sighting
    correction = seen.correction
    return {
        **VisitDocument.of(details.visit).as_json(),
        "decided": VerdictDocument.of(seen.verdict).as_json(),
        "decided_doubt": seen.doubt or None,
        "decided_subject": None if seen.subject is None else seen.subject.value,
        "superseded_by": seen.superseded_by,
        "correction": None if correction is None else correction.words,
        "corrected_at": None if correction is None else correction.at.isoformat(),
        "faces": list(map(_face, details.faces)),
        "scores": list(map(_score, details.scores)),
        "films": [_film(film, film.identifier in being_taken) for film in details.films],
        "route": list(details.route),
        "elsewhere": [SeenElsewhereDocument.of(one).as_json() for one in details.elsewhere],
        "mode": None if seen.mode is None else seen.mode.value,
        "why_told": _why(details.why),
        "changes": _changes(details.consequences),
    }


def _face(face: JudgedFace) -> dict[str, Any]:
    return {
        "id": face.face.identifier,
        "taken_at": face.face.seen.taken_at.isoformat(),
        "quality": QualityDocument.of(face.face.seen.face.quality).as_json(),
        "too_poor": list(face.reasons),
        "codes": [code_of(reason) for reason in face.reasons],
        "nearest": [{"name": one.name, "score": round(one.score, 3)} for one in face.nearest],
    }


def _score(score: NameScore) -> dict[str, Any]:
    needed = None if score.needed is None else round(score.needed, 3)
    return {"name": score.name, "score": round(score.score, 3), "needed": needed}


def _film(film: Clip, being_taken: bool) -> dict[str, Any]:
    seconds = (datetime.now(UTC) - film.began).total_seconds() if being_taken else film.seconds
    return {**ClipDocument.of(film).as_json(), "seconds": round(seconds, 1), "being_taken": being_taken}


def _why(why: WhyTold) -> dict[str, Any]:
    alert = why.alert
    return {
        "reason": why.reason.value,
        "cooldown": why.cooldown,
        "alert_at": None if alert is None else alert.created_at.isoformat(),
        "alert_visit": alert.sighting.identifier if alert and alert.sighting else None,
    }


def _changes(changes: Consequences) -> dict[str, Any]:
    enrolled = [{"name": one.name, "count": one.count, "of": one.of} for one in changes.enrolled]
    return {"faces": changes.faces, "good": changes.good, "enrolled": enrolled}
