"""Show people, faces and sightings as JSON (``domain.wire``) and in words, the same in every command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from facesecure.cli import output

if TYPE_CHECKING:
    from facesecure.domain import Box, Quality, Verdict
    from facesecure.domain.records import Clip, EnrolledFace, Person, StoredFace, StoredSighting, Visitor
    from facesecure.recognition.similarity import Lookalike

VERDICT_STYLES = {"known": "green", "stranger": "red", "unidentified": "yellow"}
DOUBTED_STYLE = "yellow"


def person(value: Person) -> dict[str, Any]:
    """Return a person as JSON."""
    from facesecure.domain.wire.sightings import PersonDocument

    return PersonDocument.of(value).as_json()


def enrolled_face(value: EnrolledFace) -> dict[str, Any]:
    """Return an enrolled face as JSON."""
    from facesecure.domain.wire.sightings import EnrolledFaceDocument

    return EnrolledFaceDocument.of(value).as_json()


def resemblance(value: Lookalike, name: str) -> dict[str, Any]:
    """Return the warning that ``name`` looks like an enrolled person."""
    kind = "same" if value.same else "alike"
    return {"kind": kind, "name": value.name, "closeness": value.closeness, "text": value.about(name)}


def quality(value: Quality) -> dict[str, Any]:
    """Return the quality of a face as JSON."""
    from facesecure.domain.wire.sightings import QualityDocument

    return QualityDocument.of(value).as_json()


def box(value: Box | None) -> list[float] | None:
    """Return [left, top, right, bottom] in pixels."""
    from facesecure.domain.wire.sightings import BoxDocument

    return None if value is None else BoxDocument.of(value).edges()


def verdict(value: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON."""
    from facesecure.domain.wire.sightings import VerdictDocument

    return VerdictDocument.of(value).as_json()


def sighting(value: StoredSighting) -> dict[str, Any]:
    """Return a stored sighting and its correction as JSON."""
    from facesecure.domain.wire.sightings import SightingDocument

    return SightingDocument.of(value).as_json()


def clip(value: Clip) -> dict[str, Any]:
    """Return a film as JSON."""
    from facesecure.domain.wire.sightings import ClipDocument

    return ClipDocument.of(value).as_json()


def visitor(value: Visitor) -> dict[str, Any]:
    """Return a visitor as JSON."""
    from facesecure.domain.wire.sightings import VisitorDocument

    return VisitorDocument.of(value).as_json()


def route(cameras: Sequence[str]) -> str | None:
    """Return the way past several cameras in words; None for one camera, which says nothing new."""
    return ", then ".join(cameras) if len(cameras) > 1 else None


def visitor_name(value: Visitor) -> str:
    """Return the visitor's name, or that it is unknown."""
    return value.name or ("unknown, marked as a stranger" if value.marked else "unknown")


def seen(value: StoredFace) -> dict[str, Any]:
    """Return a face that was kept with a sighting as JSON."""
    from facesecure.domain.wire.sightings import VisitorFaceDocument

    return VisitorFaceDocument.of(value).as_json()


def who(value: Verdict) -> str:
    """Return the name of the person, or the kind of verdict if there is none."""
    return value.name or value.kind.value


def coloured_who(value: Verdict) -> Any:
    """Return ``who`` in the colour of the verdict."""
    return output.coloured(who(value), VERDICT_STYLES[value.kind.value])


def coloured_who_now(value: StoredSighting) -> Any:
    """Return the name or kind of verdict after corrections, in its colour, with the words of the correction.

    A person who may be a picture held up is shown as one; of what moved without a usable face, what it was.
    """
    word = value.name or value.kind.value
    if value.subject and value.correction is None:
        word = f"{word} ({value.subject})"
    if value.doubt and value.correction is None:
        return output.coloured(f"{word}, or a picture", DOUBTED_STYLE)
    shown = f"{word} ({value.correction.words})" if value.correction else word
    return output.coloured(shown, VERDICT_STYLES[value.kind.value])
