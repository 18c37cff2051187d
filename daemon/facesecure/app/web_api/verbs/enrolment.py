"""Enrol: pictures are judged one by one, in memory only, until the person is saved or the enrolment is given up."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.missing import invalid, missing
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Refused, Verb
from facesecure.app.web_api.verbs.live import Slug, camera_of
from facesecure.app.web_api.verbs.visitors import Name
from facesecure.domain.accounts import Role
from facesecure.domain.wire.sightings import BoxDocument
from facesecure.services.enrolment import EnrolmentRefused
from facesecure.services.enrolment_codes import code_of, problem_of
from facesecure.services.enrolment_draft import MOST_PICTURES, DraftPicture, EnrolmentDraft, Standing
from facesecure.util.plain_text import one_line
from facesecure.vision.images.decoding.messages import Problem

LONGEST_SIDE = 1600
"""Pixels; the web process scales what is larger down."""
_SHORTEST_SIDE = 12
_LONGEST_SOURCE = 80
_OLDEST = 5.0
"""Seconds since the frame of a camera came: an older one does not show who stands there."""
_CONSENT = "consent was confirmed"


class Beginning(Arguments):
    """Whom to enrol, and that they have agreed to it."""

    name: Name
    consent: Literal[True]


class WhichDraft(Arguments):
    """An enrolment of this session."""

    draft: str = Field(pattern=r"^[0-9a-f]{32}$")


class WhichPicture(WhichDraft):
    """A picture of it."""

    picture: int = Field(ge=1, le=100_000)


class Arriving(WhichDraft):
    """A picture whose pixels follow: RGB, 8 bits each, rows from the top. ``source`` is the file's name."""

    source: str = Field("", max_length=1000)
    width: int = Field(ge=_SHORTEST_SIDE, le=LONGEST_SIDE)
    height: int = Field(ge=_SHORTEST_SIDE, le=LONGEST_SIDE)


class Unreadable(WhichDraft):
    """A picture that the web process could not decode, and why."""

    source: str = Field("", max_length=1000)
    problem: Problem


class FromCamera(WhichDraft):
    """A camera of the house, before which the person stands."""

    camera: Slug


class Choosing(WhichPicture):
    """The face that is meant, from 1 at the left."""

    face: Annotated[int, Field(ge=1, le=100)]


class Saving(WhichDraft):
    """``few``: with fewer good faces than usual, at a stricter threshold."""

    few: bool = False


def begin(call: Call[Beginning]) -> Answer:
    """Begin to enrol a person, new or not."""
    with call.parts.load_models() as models:
        with invalid("name"):
            draft = EnrolmentDraft(models, call.parts.store, call.arguments.name)
        identifier = call.parts.drafts.add(call.session.identifier, draft)
        return Answer(_draft(identifier, draft, draft.standing(models)))


def show(call: Call[WhichDraft]) -> Answer:
    """Return how an enrolment stands."""
    return _stands(call, call.arguments.draft)


def add(call: Call[Arriving]) -> Answer:
    """Judge a picture; ``picture`` is its number."""
    wanted, draft = call.arguments, _found(call, call.arguments.draft)
    if len(call.body) != wanted.width * wanted.height * 3:
        raise Refused(Refusal.INVALID, "the pixels are not as many as the size says", argument="width")
    image = np.frombuffer(call.body, np.uint8).reshape(wanted.height, wanted.width, 3)
    with call.parts.load_models() as models, invalid("draft"):
        picture = draft.add(models, image, _file_name(wanted.source))
        return Answer({"picture": picture.number, **_draft(wanted.draft, draft, draft.standing(models))})


def add_from_camera(call: Call[FromCamera]) -> Answer:
    """Judge what a camera of the house sees now, in full size; ``picture`` is its number."""
    wanted, draft = call.arguments, _found(call, call.arguments.draft)
    _, camera = camera_of(call.parts, wanted.camera)
    image = camera.view.image(_OLDEST)
    if image is None:
        message = f"there is no image from the {camera.name} now"
        raise Refused(Refusal.MISSING, message, "look at its state in Health", argument="camera")
    with call.parts.load_models() as models, invalid("draft"):
        picture = draft.add(models, image, camera.name)
        return Answer({"picture": picture.number, **_draft(wanted.draft, draft, draft.standing(models))})


def refuse(call: Call[Unreadable]) -> Answer:
    """Note a picture that could not be decoded, so that it is shown among the others."""
    wanted, draft = call.arguments, _found(call, call.arguments.draft)
    with invalid("draft"):
        number = draft.refuse(_file_name(wanted.source), wanted.problem).number
    return Answer({"picture": number, **_stands(call, wanted.draft).result})


def choose(call: Call[Choosing]) -> Answer:
    """Judge the face that is meant, of a picture with several."""
    wanted, draft = call.arguments, _found(call, call.arguments.draft)
    with call.parts.load_models() as models, missing():
        draft.choose(models, wanted.picture, wanted.face)
        return Answer({"picture": wanted.picture, **_draft(wanted.draft, draft, draft.standing(models))})


def drop(call: Call[WhichPicture]) -> Answer:
    """Take a picture back."""
    with missing():
        _found(call, call.arguments.draft).drop(call.arguments.picture)
    return _stands(call, call.arguments.draft)


def view(call: Call[WhichPicture]) -> Answer:
    """Return a small JPEG of a picture."""
    with missing():
        return Answer({}, _found(call, call.arguments.draft).picture(call.arguments.picture).view)


def save(call: Call[Saving]) -> Answer:
    """Store the good faces, all or none, and close the enrolment. What is not good enough is never stored."""
    wanted, draft = call.arguments, _found(call, call.arguments.draft)
    try:
        with call.parts.load_models() as models, invalid("draft"):
            result = draft.save(models, call.parts.store, _CONSENT, few=wanted.few)
    except EnrolmentRefused as error:
        raise Refused(Refusal.INVALID, error.message, argument="draft") from error
    call.parts.drafts.close(call.session.identifier, wanted.draft)
    faces = result.person.faces if result.person else 0
    return Answer({"name": draft.name, "added": len(result.accepted), "faces": faces})


def cancel(call: Call[WhichDraft]) -> Answer:
    """Forget an enrolment with its pictures."""
    call.parts.drafts.close(call.session.identifier, call.arguments.draft)
    return Answer({})


def _found(call: Call[Any], identifier: str) -> EnrolmentDraft:
    with missing():
        return call.parts.drafts.find(call.session.identifier, identifier)


def _stands(call: Call[Any], identifier: str) -> Answer:
    draft = _found(call, identifier)
    with call.parts.load_models() as models:
        return Answer(_draft(identifier, draft, draft.standing(models)))


def _file_name(source: str) -> str:
    """Return the last part of what a browser calls a file, in one short line: it is stored, and shown."""
    return one_line(source.replace("\\", "/").rsplit("/", 1)[-1])[:_LONGEST_SOURCE].strip()


def _draft(identifier: str, draft: EnrolmentDraft, standing: Standing) -> dict[str, Any]:
    return {
        "draft": identifier,
        "name": draft.name,
        "enrolled": draft.enrolled,
        "most": MOST_PICTURES,
        "good": standing.good,
        "needed": standing.needed,
        "problem": problem_of(standing.problem),
        "message": standing.problem,
        "few": standing.few,
        "lookalikes": [{"name": one.name, "likeness": "very" if one.same else "quite"} for one in standing.lookalikes],
        "pictures": [_picture(one) for one in standing.pictures],
    }


def _picture(picture: DraftPicture) -> dict[str, Any]:
    found = picture.candidate
    return {
        "picture": picture.number,
        "source": found.source,
        "width": picture.width,
        "height": picture.height,
        "accepted": found.accepted,
        "code": code_of("" if found.accepted else found.reason),
        "reason": found.reason,
        "choices": [BoxDocument.of(box).edges(0) for box in found.choices],
    }


_MOST_BODY = LONGEST_SIDE * LONGEST_SIDE * 3
VERBS = (
    Verb("enrol-begin", Role.MEMBER, Beginning, begin),
    Verb("enrol-draft", Role.MEMBER, WhichDraft, show),
    Verb("enrol-picture", Role.MEMBER, Arriving, add, most_body=_MOST_BODY),
    Verb("enrol-camera", Role.MEMBER, FromCamera, add_from_camera),
    Verb("enrol-unreadable", Role.MEMBER, Unreadable, refuse),
    Verb("enrol-choose", Role.MEMBER, Choosing, choose),
    Verb("enrol-drop", Role.MEMBER, WhichPicture, drop),
    Verb("enrol-view", Role.MEMBER, WhichPicture, view),
    Verb("enrol-save", Role.MEMBER, Saving, save, changes=(Topic.PEOPLE,)),
    Verb("enrol-cancel", Role.MEMBER, WhichDraft, cancel),
)
