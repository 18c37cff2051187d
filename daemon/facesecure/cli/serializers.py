"""How people, faces and sightings look in JSON and in lines: one place, so that every command tells them alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facesecure.cli import output

if TYPE_CHECKING:
    from facesecure.domain import Box, Quality, Verdict
    from facesecure.domain.records import Correction, EnrolledFace, Person, StoredFace, StoredSighting, Visitor
    from facesecure.recognition.similarity import Lookalike

VERDICT_STYLES = {"known": "green", "stranger": "red", "unidentified": "yellow"}


def person(value: Person) -> dict[str, Any]:
    return {"name": value.name, "faces": value.faces, "created_at": value.created_at}


def enrolled_face(value: EnrolledFace) -> dict[str, Any]:
    return {
        "id": value.identifier,
        "source": value.source,
        "added_at": value.added_at,
        "model_sha256": value.model_sha256,
        "quality": quality(value.quality),
    }


def resemblance(value: Lookalike, name: str) -> dict[str, Any]:
    """A warning that ``name`` looks like somebody enrolled."""
    kind = "same" if value.same else "alike"
    return {"kind": kind, "name": value.name, "closeness": value.closeness, "text": value.about(name)}


_MEASURES = ("eye_distance", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "confidence")


def quality(value: Quality) -> dict[str, Any]:
    measures = {name: getattr(value, name) for name in _MEASURES}
    return {"clarity": value.clarity, "usable": value.usable, "reasons": value.reasons, **measures}


def box(value: Box | None) -> list[float] | None:
    """[left, top, right, bottom] in pixels."""
    return None if value is None else [round(float(x), 1) for x in (value.left, value.top, value.right, value.bottom)]


def verdict(value: Verdict) -> dict[str, Any]:
    return {
        "verdict": value.kind.value,
        "name": value.name,
        "score": value.score,
        "second_name": value.second_name,
        "second_score": value.second_score,
        "evidence": value.evidence,
        "faces_used": value.faces_used,
        "why": value.why,
    }


def sighting(value: StoredSighting) -> dict[str, Any]:
    return {
        "id": value.identifier,
        **verdict(value.verdict),
        "source": value.source,
        "first_seen": value.first_seen,
        "last_seen": value.last_seen,
        "track": value.track,
        "supersedes": value.supersedes,
        "superseded_by": value.superseded_by,
        "snapshot": value.snapshot,
        "box": box(value.box),
        "visitor": value.visitor,
        **correction(value.correction),
    }


def correction(value: Correction | None) -> dict[str, Any]:
    """What was said later; how it was told stands beside it and stays."""
    return {
        "corrected_verdict": value.kind.value if value else None,
        "corrected_name": value.name if value else None,
        "correction": value.words if value else None,
        "corrected_at": value.at if value else None,
    }


def visitor(value: Visitor) -> dict[str, Any]:
    return {
        "id": value.identifier,
        "name": value.name,
        "visits": value.visits,
        "first_seen": value.first_seen,
        "last_seen": value.last_seen,
        "marked": value.marked,
        "faces": value.faces,
        "snapshot": value.snapshot,
    }


def visitor_name(value: Visitor) -> str:
    """The name, if there is one, or that there is none."""
    return value.name or ("unknown, marked as a stranger" if value.marked else "unknown")


def seen(value: StoredFace) -> dict[str, Any]:
    return {
        "event": value.sighting,
        "taken_at": value.seen.taken_at,
        "model_sha256": value.seen.model_sha256,
        "quality": quality(value.seen.face.quality),
    }


def who(value: Verdict) -> str:
    """The verdict in a word or two: the name, or what it is instead."""
    return value.name or value.kind.value


def coloured_who(value: Verdict) -> Any:
    return output.coloured(who(value), VERDICT_STYLES[value.kind.value])


def coloured_who_now(value: StoredSighting) -> Any:
    """Who it was as far as we know now, and if that was said later, how."""
    word = value.name or value.kind.value
    told = f"{word} ({value.correction.words})" if value.correction else word
    return output.coloured(told, VERDICT_STYLES[value.kind.value])
