"""The timeline: pages of visits, their pictures, and that they were reviewed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Literal, TypeVar

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Refused, Verb
from facesecure.domain import Subject, VerdictKind
from facesecure.domain.accounts import Role
from facesecure.domain.door_visits import DoorVisit, PictureState
from facesecure.domain.errors import UsageError
from facesecure.domain.names import LONGEST_NAME, name_key
from facesecure.domain.records import StoredSighting
from facesecure.domain.timeline import Place
from facesecure.domain.wire.timeline import DoorVisitDocument, VisitDocument
from facesecure.services import audit
from facesecure.services.thumbnails import thumbnail
from facesecure.services.timeline import MOST_VISITS, Entry, Wanted, newer_visits, older_visits
from facesecure.storage.store import Store

VISIT = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""The identifier of a sighting."""
_PLACE = r"^[0-9T:.+-]{19,32}~[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_LONGEST_CAMERA = 100
_JPEG = b"\xff\xd8\xff"

T = TypeVar("T")


class WhichVisits(Arguments):
    """A filter, and where the page begins: before a place, or after one; places are those of an answer."""

    verdict: Literal["known", "stranger", "unidentified"] | None = None
    person: str | None = Field(None, min_length=1, max_length=LONGEST_NAME)
    camera: str | None = Field(None, min_length=1, max_length=_LONGEST_CAMERA)
    day: str | None = Field(None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    subject: Literal["person", "animal", "vehicle", "nothing"] | None = None
    to_review: bool = False
    door: str | None = Field(None, pattern=r"^(here|[0-9a-f]{32})$")
    before: str | None = Field(None, pattern=_PLACE)
    after: str | None = Field(None, pattern=_PLACE)
    size: int = Field(30, ge=1, le=MOST_VISITS)


class WhichVisit(Arguments):
    """A visit."""

    visit: str = Field(pattern=VISIT)


class Review(WhichVisit):
    """Whether a visit was reviewed."""

    reviewed: bool = True


class ReviewUntil(Arguments):
    """All visits up to that place were reviewed."""

    newest: str = Field(pattern=_PLACE)


def show_timeline(call: Call[WhichVisits]) -> Answer:
    """Answer some visits at this door and the household's others, newest first, and what they can be filtered by.

    Visits at other doors have a ``door``. ``older`` is where the next page begins. ``newest`` is where what comes later
    will stand, null if there is none.
    """
    store, asked, wanted = call.parts.store, call.arguments, _wanted(call.arguments)
    elsewhere = call.parts.commands.visits_elsewhere()
    if asked.after is not None:
        newer = newer_visits(store, wanted, _place(asked.after, "after"), asked.size, elsewhere)
        return Answer({"visits": list(map(_document, newer)), "newest": _newest(newer) or asked.after})
    before = None if asked.before is None else _place(asked.before, "before")
    page = older_visits(store, wanted, before, asked.size, elsewhere)
    return Answer(
        {
            "visits": list(map(_document, page.visits)),
            "older": None if page.older is None else _text(page.older),
            "newest": _newest(page.visits),
            "to_review": store.timeline.to_review(),
            "cameras": store.cameras(),
            "people": [person.name for person in store.people()],
            "doors": sorted({(visit.door_name, visit.door) for visit in elsewhere}),
        }
    )


def show_elsewhere(call: Call[WhichVisit]) -> Answer:
    """Answer one visit at another door of the household, and how it stands with its picture: ``picture_state``."""
    visit = _elsewhere(call)
    state = next((one.state(visit) for one in call.parts.commands.pictures), PictureState.NONE)
    return Answer({**DoorVisitDocument.of(visit).as_json(), "picture_state": state.value})


def ask_for_picture(call: Call[WhichVisit]) -> Answer:
    """Ask another door for the picture of a visit, which that door shows to nobody until somebody does this."""
    visit, state = _elsewhere(call), PictureState.NONE
    for pictures in call.parts.commands.pictures:
        before, state = pictures.state(visit), pictures.ask(visit)
        if state is PictureState.ASKED and before is not state:
            audit.record(call.parts.state_dir, "picture-asked", visit.door_name)
    return Answer({"picture_state": state.value})


def show_picture(call: Call[WhichVisit]) -> Answer:
    """Answer the picture that another door has sent, a JPEG."""
    visit = _elsewhere(call)
    for pictures in call.parts.commands.pictures:
        if (picture := pictures.picture(visit)) is not None:
            return Answer(body=picture)
    raise missing()


def show_thumbnail(call: Call[WhichVisit]) -> Answer:
    """Answer a small JPEG of a visit."""
    store = call.parts.store
    if (picture := thumbnail(store, sighting_of(store, call.arguments.visit))) is None:
        raise missing()
    return Answer(body=picture)


def show_snapshot(call: Call[WhichVisit]) -> Answer:
    """Answer the snapshot of a visit, a JPEG."""
    store = call.parts.store
    picture = store.timeline.snapshot(sighting_of(store, call.arguments.visit))
    if picture is None or not picture.startswith(_JPEG):
        raise missing()
    return Answer(body=picture)


def review_visit(call: Call[Review]) -> Answer:
    """Note that a visit was reviewed, or was not."""
    store, asked = call.parts.store, call.arguments
    known(lambda: store.timeline.review(asked.visit, reviewed=asked.reviewed))
    return Answer({"to_review": store.timeline.to_review()})


def review_until(call: Call[ReviewUntil]) -> Answer:
    """Note that all visits up to one were reviewed."""
    count = call.parts.store.timeline.review_until(_place(call.arguments.newest, "newest"))
    return Answer({"reviewed": count})


def sighting_of(store: Store, identifier: str) -> StoredSighting:
    """Return the sighting with that identifier. Raises Refused if there is none."""
    return known(lambda: store.timeline.sighting(identifier))


def known(look: Callable[[], T]) -> T:
    """Return what ``look`` finds. Raises Refused, in the same words whatever there is not."""
    try:
        return look()
    except UsageError:
        raise missing() from None


def missing() -> Refused:
    """Return the refusal of what is not there: it does not say what else is."""
    return Refused(Refusal.MISSING, "there is no such visit", "it may have been removed since")


def _elsewhere(call: Call[WhichVisit]) -> DoorVisit:
    for visit in call.parts.commands.visits_elsewhere():
        if visit.identifier == call.arguments.visit:
            return visit
    raise missing()


def _document(visit: Entry) -> dict[str, object]:
    if isinstance(visit, DoorVisit):
        return DoorVisitDocument.of(visit).as_json()
    return {**VisitDocument.of(visit).as_json(), "door": None}


def _wanted(asked: WhichVisits) -> Wanted:
    return Wanted(
        kind=None if asked.verdict is None else VerdictKind(asked.verdict),
        name=None if asked.person is None else _name(asked.person),
        camera=asked.camera,
        day=None if asked.day is None else _day(asked.day),
        subject=None if asked.subject is None else Subject("" if asked.subject == "nothing" else asked.subject),
        to_review=asked.to_review,
        door=asked.door,
    )


def _name(text: str) -> str:
    try:
        name_key(text)
    except UsageError as error:
        raise Refused(Refusal.INVALID, error.message, error.hint, argument="person") from None
    return text


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1970 <= day.year <= 9000:  # elsewhere, no clock has a midnight in each time zone
        raise Refused(Refusal.INVALID, "there is no such day", argument="day")
    return day


def _place(text: str, argument: str) -> Place:
    when, _, identifier = text.partition("~")
    try:
        time = datetime.fromisoformat(when)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or not re.fullmatch(r"[12][0-9]{3}", f"{time.year:04}"):
        raise Refused(Refusal.INVALID, "there is no such place on the timeline", argument=argument)
    return time, identifier


def _text(place: Place) -> str:
    when, identifier = place
    return f"{when.isoformat()}~{identifier}"


def _newest(visits: Sequence[Entry]) -> str | None:
    return _text(visits[0].place) if visits else None


VERBS = (
    Verb("timeline", Role.VIEWER, WhichVisits, show_timeline),
    Verb("visit-elsewhere", Role.VIEWER, WhichVisit, show_elsewhere),
    Verb("picture-elsewhere-ask", Role.VIEWER, WhichVisit, ask_for_picture),
    Verb("picture-elsewhere", Role.VIEWER, WhichVisit, show_picture),
    Verb("thumbnail", Role.VIEWER, WhichVisit, show_thumbnail),
    Verb("snapshot", Role.VIEWER, WhichVisit, show_snapshot),
    Verb("visit-review", Role.MEMBER, Review, review_visit, changes=(Topic.VISITS,)),
    Verb("timeline-review", Role.MEMBER, ReviewUntil, review_until, changes=(Topic.VISITS,)),
)
