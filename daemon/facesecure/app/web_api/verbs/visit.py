"""One visit: all that is kept of it, its faces and films, and corrections of who it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.control.camera_report import CameraReport
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Refused, Verb
from facesecure.app.web_api.verbs.timeline import WhichVisit, known, missing, sighting_of
from facesecure.app.web_api.visit_document import details_document
from facesecure.domain.accounts import Role
from facesecure.domain.errors import SourceError, UsageError
from facesecure.domain.names import LONGEST_NAME
from facesecure.services.corrections import correct_to_person, correct_to_stranger
from facesecure.services.playing import PlayedFilms
from facesecure.services.visit_details import show_visit
from facesecure.services.visitors import visitor_matcher
from facesecure.vision.images.codec import jpeg_bytes

LONGEST_PIECE = 1 << 20
"""Bytes of a film in one answer."""
_FILM = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$"

_CORRECTED = (Topic.VISITS, Topic.VISITORS, Topic.PEOPLE)

_played = PlayedFilms()

T = TypeVar("T")


class WhichFace(WhichVisit):
    """A face kept of a visit, by its number."""

    face: int = Field(ge=1, lt=2**63)


class WhichPiece(Arguments):
    """Some bytes of a film, which ``visit`` names."""

    film: str = Field(pattern=_FILM)
    start: int = Field(0, ge=0, lt=2**62)
    length: int = Field(LONGEST_PIECE, ge=1, le=LONGEST_PIECE)


class NotThem(WhichVisit):
    """It was not the person called ``name``; null: it was no enrolled person."""

    name: str | None = Field(None, min_length=1, max_length=LONGEST_NAME)


class WasThem(WhichVisit):
    """It was the person called ``name``, new or enrolled."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)


def visit(call: Call[WhichVisit]) -> Answer:
    """Answer all about a visit."""
    parts, identifier = call.parts, call.arguments.visit
    sighting_of(parts.store, identifier)
    details = show_visit(parts.config, parts.store, parts.policy.rules, identifier)
    document = details_document(details, _being_taken(call))
    return Answer({**document, "people": [person.name for person in parts.store.people()]})


def face(call: Call[WhichFace]) -> Answer:
    """Answer one face of a visit, a JPEG."""
    asked = call.arguments
    found = (one for one in call.parts.store.faces_seen(asked.visit) if one.identifier == asked.face)
    if (one := next(found, None)) is None:
        raise missing()
    return Answer(body=jpeg_bytes(one.seen.face.image))


def film(call: Call[WhichPiece]) -> Answer:
    """Answer a piece of a film, an MP4 of ``size`` bytes; nothing where it has ended before."""
    asked, store = call.arguments, call.parts.store
    clip = known(lambda: store.clips.exactly(asked.film))
    try:
        piece = _played.piece(store, clip, asked.start, asked.length)
    except (SourceError, UsageError) as error:
        raise Refused(Refusal.FAILED, error.message, error.hint) from error
    result = {"size": piece.size, "seconds": round(piece.seconds, 3), "whole": clip.whole}
    return Answer(result, piece.data)


def was_stranger(call: Call[NotThem]) -> Answer:
    """Record that a visit was not somebody, or nobody who is enrolled; answer what that changed."""
    parts, asked = call.parts, call.arguments
    sighting_of(parts.store, asked.visit)
    result = _allowed(
        lambda: correct_to_stranger(
            lambda: visitor_matcher(parts.config, parts.state_dir), parts.store, asked.visit, asked.name
        )
    )
    return Answer({"visitor": result.visitor, "remembered": result.remembered, "removed": result.removed})


def was_person(call: Call[WasThem]) -> Answer:
    """Record that a visit was somebody, and enrol its faces; answer how many were taken."""
    parts, asked = call.parts, call.arguments
    sighting_of(parts.store, asked.visit)
    with parts.load_models() as models:
        result = _allowed(lambda: correct_to_person(lambda: models, parts.store, asked.visit, asked.name))
    enrolment = result.enrolment
    faces = enrolment.person.faces if enrolment.person else 0
    return Answer({"name": enrolment.name, "taken": len(enrolment.accepted), "faces": faces, "few": enrolment.few})


def _allowed(correct: Callable[[], T]) -> T:
    """Return the result of ``correct``. Raises Refused, with its reason, where the visit cannot be corrected so."""
    try:
        return correct()
    except UsageError as error:
        raise Refused(Refusal.INVALID, error.message, error.hint, argument="name") from error


def _being_taken(call: Call[Any]) -> frozenset[str]:
    """Return the films that are being taken just now."""
    films = (CameraReport.of(watched).film() for watched in call.parts.cameras)
    return frozenset(film for film in films if film is not None)


VERBS = (
    Verb("visit", Role.VIEWER, WhichVisit, visit),
    Verb("visit-face", Role.VIEWER, WhichFace, face),
    Verb("film", Role.VIEWER, WhichPiece, film),
    Verb("visit-was-not", Role.MEMBER, NotThem, was_stranger, changes=_CORRECTED),
    Verb("visit-was", Role.MEMBER, WasThem, was_person, changes=_CORRECTED),
)
