"""People: who is enrolled, by which faces and how surely; rename, remove and export them."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Annotated, Any

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.missing import invalid, missing
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import ANSWER_BODY_LIMIT, Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Refused, Verb
from facesecure.app.web_api.verbs.visitors import Name, Number
from facesecure.domain.accounts import Role
from facesecure.domain.errors import FacesecureError
from facesecure.domain.names import person_name
from facesecure.domain.records import EnrolledFace
from facesecure.domain.wire.sightings import PersonDocument
from facesecure.services import audit, people
from facesecure.services.people_overview import PersonOverview, face_of, overview, overview_of, remains_of
from facesecure.storage.passphrase import SHORTEST
from facesecure.vision.images.codec import jpeg_bytes

_log = logging.getLogger(__name__)

_MOST_NAMES = 1000
_MOST_DOORS = 1000


class WhichPerson(Arguments):
    """A person's name; upper and lower case are the same."""

    name: Name


class WhichFace(WhichPerson):
    """A face that a person is enrolled with."""

    face: Number


class Renaming(WhichPerson):
    """What a person is to be called."""

    new: Name


class Assigning(WhichPerson):
    """The identifiers of the doors that shall know a person besides this one; null: all of the household."""

    doors: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")], ...] | None = Field(max_length=_MOST_DOORS)


class Exporting(Arguments):
    """The passphrase that the file is encrypted under, and whom to export: everyone, if nobody is named."""

    passphrase: str = Field(min_length=SHORTEST, max_length=1000)
    names: tuple[Annotated[str, Field(max_length=256)], ...] = Field((), max_length=_MOST_NAMES)


def show_people(call: Call[Nothing]) -> Answer:
    """Return everyone enrolled, how surely each is known, and who looks like whom."""
    found = overview(call.parts.config, call.parts.store)
    return Answer({"people": [_person(one) for one in found]})


def show_person(call: Call[WhichPerson]) -> Answer:
    """Return a person with the faces that they are enrolled with."""
    with missing():
        found = overview_of(call.parts.config, call.parts.store, call.arguments.name)
        faces = call.parts.store.faces_of(found.person.name)
    doors = _doors(call.parts, found.person.uid)
    return Answer({**_person(found), "enrolled": [_face(face) for face in faces], "doors": doors})


def show_portrait(call: Call[WhichPerson]) -> Answer:
    """Return a JPEG of a person's clearest face."""
    with missing():
        return Answer({}, jpeg_bytes(face_of(call.parts.store, call.arguments.name).image))


def show_face(call: Call[WhichFace]) -> Answer:
    """Return a JPEG of one face."""
    with missing():
        return Answer({}, jpeg_bytes(face_of(call.parts.store, call.arguments.name, call.arguments.face).image))


def rename(call: Call[Renaming]) -> Answer:
    """Rename a person, in past visits too."""
    parts = call.parts
    with missing():
        people.require_person(parts.store, call.arguments.name)
    with invalid("new"):
        person_name(call.arguments.new)
        person = people.rename_person(
            parts.store, parts.config, parts.state_dir, call.arguments.name, call.arguments.new
        )
    return Answer({"name": person.name})


def remove_face(call: Call[WhichFace]) -> Answer:
    """Remove one face of a person, not the last one."""
    with missing():
        people.require_person(call.parts.store, call.arguments.name)
    with invalid("face"):
        people.remove_face(call.parts.store, call.arguments.name, call.arguments.face)
    return Answer({})


def assign(call: Call[Assigning]) -> Answer:
    """Say which doors of the estate know a person besides this one; the others forget them."""
    parts = call.parts
    with missing():
        person = people.show_person(parts.store, call.arguments.name).person
    assigner = next(iter(list(parts.commands.assigners)), None)
    if assigner is None:
        raise Refused(Refusal.FAILED, "there are no other doors", "facesecure hub says how doors share people")
    with invalid("doors"), audit.audited(parts.state_dir, "person-assigned", person.name):
        assigner.assign(person.uid, call.arguments.doors)
    return Answer({"doors": _doors(parts, person.uid)})


def show_remains(call: Call[WhichPerson]) -> Answer:
    """Return what removing a person would do, and what would remain."""
    with missing():
        found = remains_of(call.parts.store, call.arguments.name)
    return Answer({"name": found.person.name, "faces": found.faces, "visits": found.visits})


def remove(call: Call[WhichPerson]) -> Answer:
    """Forget a person. That somebody came stays, without the name."""
    parts = call.parts
    with missing():
        people.require_person(parts.store, call.arguments.name)
    person = people.forget_person(parts.store, parts.config, parts.state_dir, call.arguments.name)
    return Answer({"name": person.name, "faces": person.faces})


def show_exportable(call: Call[Nothing]) -> Answer:
    """Return whom an export would write, and how long its passphrase must be."""
    found = [PersonDocument.of(person).as_json() for person in call.parts.store.people()]
    return Answer({"people": found, "shortest": SHORTEST})


def export(call: Call[Exporting]) -> Answer:
    """Return the encrypted file that ``facesecure people import`` reads."""
    wanted, file = call.arguments, BytesIO()
    with missing():
        written = people.export_people(call.parts.store, file, lambda: wanted.passphrase, list(wanted.names) or None)
    data = file.getvalue()
    if len(data) > ANSWER_BODY_LIMIT:
        raise Refused(Refusal.FAILED, "this is too much for a page", "export with: facesecure people export FILE")
    return Answer({"people": len(written)}, data)


def _person(one: PersonOverview) -> dict[str, Any]:
    return {
        **PersonDocument.of(one.person).as_json(),
        "sureness": one.sureness.value,
        "lookalikes": [{"name": other.name, "likeness": "very" if other.same else "quite"} for other in one.lookalikes],
    }


def _doors(parts: WebParts, uid: str) -> dict[str, Any] | None:
    """Return which other doors know a person; None without a hub, or where there is no other door."""
    for assigner in list(parts.commands.assigners):
        try:
            found = assigner.doors_of(uid)
        except FacesecureError as error:  # the person is shown all the same
            _log.warning("which doors know a person cannot be shown: %s", error.message)
            break
        return found.as_json() if found.doors else None
    return None


def _face(face: EnrolledFace) -> dict[str, Any]:
    return {
        "face": face.identifier,
        "source": face.source,
        "added_at": face.added_at.isoformat(),
        "clarity": round(face.quality.clarity, 2),
        "visit": face.sighting,
    }


_GONE = (Topic.PEOPLE, Topic.VISITORS, Topic.VISITS)
VERBS = (
    Verb("people", Role.VIEWER, Nothing, show_people),
    Verb("person-portrait", Role.VIEWER, WhichPerson, show_portrait),
    Verb("person", Role.MEMBER, WhichPerson, show_person),
    Verb("person-face", Role.MEMBER, WhichFace, show_face),
    Verb("person-rename", Role.MEMBER, Renaming, rename, changes=_GONE),
    Verb("person-face-remove", Role.MEMBER, WhichFace, remove_face, confirmed=True, changes=(Topic.PEOPLE,)),
    Verb("person-assign", Role.OWNER, Assigning, assign, confirmed=True, changes=(Topic.PEOPLE,)),
    Verb("person-remains", Role.OWNER, WhichPerson, show_remains, confirmed=True),
    Verb("person-remove", Role.OWNER, WhichPerson, remove, confirmed=True, changes=_GONE),
    Verb("people-exportable", Role.OWNER, Nothing, show_exportable, confirmed=True),
    Verb("people-export", Role.OWNER, Exporting, export, confirmed=True),
)
