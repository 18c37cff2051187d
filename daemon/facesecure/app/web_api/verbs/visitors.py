"""Who is this?: visitors with their faces, whom they look like, and naming, merging and forgetting them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.missing import invalid, missing
from facesecure.app.web_api.verb import Answer, Arguments, Call, Verb
from facesecure.domain.accounts import Role
from facesecure.domain.names import LONGEST_NAME, person_name
from facesecure.domain.records import Visitor
from facesecure.domain.wire.sightings import VisitorDocument
from facesecure.recognition.sighting_enrolment import Judged
from facesecure.services.enrolment_codes import code_of, problem_of
from facesecure.services.naming import ContactSheet, alike_visitors, contact_sheet, preview_naming
from facesecure.services.visitors import forget_visitor, merge_visitors, name_visitor
from facesecure.vision.images.codec import jpeg_bytes

PAGE = 12
"""Visitors of one page."""
MOST_FACES = 60
"""Faces of one visitor that are listed: the clearest, and the best of those that are too poor."""
_FEW_FACES = 6
Number = Annotated[int, Field(ge=1, le=2**53)]
Name = Annotated[str, Field(min_length=1, max_length=4 * LONGEST_NAME)]


class WhichPage(Arguments):
    """The visitors after the first ``skip``."""

    skip: int = Field(0, ge=0, le=1_000_000)


class WhichVisitor(Arguments):
    """A visitor's number."""

    visitor: Number


class WhichFace(WhichVisitor):
    """A face of a visitor."""

    face: Number


class Naming(WhichVisitor):
    """What a visitor is to be called."""

    name: Name


class Merging(WhichVisitor):
    """The visitor who stays, and the one whose visits become theirs."""

    other: Number


def show_visitors(call: Call[WhichPage]) -> Answer:
    """Return the visitors without a name, the last seen first, each with a few faces and the likeliest names."""
    parts, skip = call.parts, call.arguments.skip
    found = parts.store.visitors.all(PAGE + 1, skip, named=False)
    sheets = [_sheet(contact_sheet(parts.config, parts.store, one.identifier), _FEW_FACES) for one in found[:PAGE]]
    return Answer({"visitors": sheets, "next": skip + PAGE if len(found) > PAGE else None})


def show_visitor(call: Call[WhichVisitor]) -> Answer:
    """Return one visitor with their faces, the likeliest names, all names, and the visitors most like them."""
    parts = call.parts
    with missing():
        sheet = contact_sheet(parts.config, parts.store, call.arguments.visitor)
    names = [person.name for person in parts.store.people()]
    others = [
        {**_visitor(one.visitor), "likeness": one.likeness and one.likeness.value}
        for one in alike_visitors(parts.config, parts.store, call.arguments.visitor, PAGE)
    ]
    return Answer({**_sheet(sheet, MOST_FACES), "names": names, "others": others})


def show_face(call: Call[WhichFace]) -> Answer:
    """Return a JPEG of one face."""
    with missing():
        face = call.parts.store.visitors.face(call.arguments.visitor, call.arguments.face)
    return Answer({}, jpeg_bytes(face.seen.face.image))


def show_portrait(call: Call[WhichVisitor]) -> Answer:
    """Return a JPEG of the clearest face."""
    with missing():
        return Answer({}, jpeg_bytes(call.parts.store.visitors.face(call.arguments.visitor).seen.face.image))


def preview(call: Call[Naming]) -> Answer:
    """Return what naming would do, face by face; nothing is stored."""
    visitor, store = call.arguments.visitor, call.parts.store
    with missing():
        store.visitors.find(visitor)
    with invalid("name"):
        name = person_name(call.arguments.name)
    with call.parts.load_models() as models:
        found = preview_naming(lambda: models, store, visitor, name)
    return Answer(
        {
            **_visitor(store.visitors.find(visitor)),
            "proposed": found.name,
            "enrolled": found.enrolled,
            "verdicts": [_judged(one) for one in found.faces],
            "lookalikes": [{"name": one.name, "likeness": "very" if one.same else "quite"} for one in found.lookalikes],
            "problem": problem_of(found.problem),
            "message": found.problem,
        }
    )


def name(call: Call[Naming]) -> Answer:
    """Name a visitor: enrol them from their faces, as ``preview`` says. Raises EnrolmentRefused."""
    with missing():
        call.parts.store.visitors.find(call.arguments.visitor)
    with invalid("name"):
        person_name(call.arguments.name)
    with call.parts.load_models() as models, invalid("name"):
        named = name_visitor(lambda: models, call.parts.store, call.arguments.visitor, call.arguments.name)
    person = named.enrolment.person
    added = len(named.enrolment.accepted)
    return Answer({"name": person.name if person else named.enrolment.name, "added": added})


def merge(call: Call[Merging]) -> Answer:
    """Make the visits of ``other`` those of the visitor."""
    with missing():
        return Answer(_visitor(merge_visitors(call.parts.store, call.arguments.visitor, call.arguments.other)))


def forget(call: Call[WhichVisitor]) -> Answer:
    """Remove every face, snapshot and film of a visitor; that somebody came stays."""
    with missing():
        gone = forget_visitor(call.parts.store, call.arguments.visitor)
    return Answer(_visitor(gone))


def _visitor(visitor: Visitor) -> dict[str, Any]:
    document = VisitorDocument.of(visitor).as_json()
    del document["snapshot"]  # a path
    return document


def _sheet(sheet: ContactSheet, most: int) -> dict[str, Any]:
    shown = sheet.faces[:most]
    return {
        **_visitor(sheet.visitor),
        "seen": [
            {
                "face": one.face.identifier,
                "taken_at": one.face.seen.taken_at.isoformat(),
                "code": code_of(one.reasons[0] if one.reasons else ""),
                "reason": "; ".join(one.reasons),
            }
            for one in shown
        ],
        "more": len(sheet.faces) - len(shown),
        "likeliest": [{"name": one.name, "likeness": one.likeness.value} for one in sheet.likeliest],
    }


def _judged(one: Judged) -> dict[str, Any]:
    return {
        "face": one.face.identifier,
        "taken_at": one.face.seen.taken_at.isoformat(),
        "accepted": one.candidate.accepted,
        "code": code_of("" if one.candidate.accepted else one.candidate.reason),
        "reason": one.candidate.reason,
    }


_NAMED = (Topic.VISITORS, Topic.PEOPLE, Topic.VISITS)
VERBS = (
    Verb("visitors", Role.MEMBER, WhichPage, show_visitors),
    Verb("visitor", Role.MEMBER, WhichVisitor, show_visitor),
    Verb("visitor-portrait", Role.VIEWER, WhichVisitor, show_portrait),
    Verb("visitor-face", Role.MEMBER, WhichFace, show_face),
    Verb("visitor-preview", Role.MEMBER, Naming, preview),
    Verb("visitor-name", Role.MEMBER, Naming, name, changes=_NAMED),
    Verb("visitors-merge", Role.MEMBER, Merging, merge, changes=(Topic.VISITORS, Topic.VISITS)),
    Verb("visitor-forget", Role.MEMBER, WhichVisitor, forget, confirmed=True, changes=(Topic.VISITORS, Topic.VISITS)),
)
