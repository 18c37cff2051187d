"""``facesecure enroll``: teach it a person's face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.domain.records import EnrolledFace, Person, StoredFace
    from facesecure.recognition.enrolment import Enrolment, EnrolmentCandidate
    from facesecure.recognition.visitor_matching import MatchVisitor
    from facesecure.services.enrolment import ImageProvider
    from facesecure.storage.store import Store


def enroll(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who it is.")],
    images: Annotated[
        list[Path] | None,
        typer.Option(
            "--images", metavar="PATH...", help="Photos, or folders of photos; as many as you like after one --images."
        ),
    ] = None,
    video: Annotated[
        Path | None, typer.Option("--video", metavar="FILE", help="A video of the person turning their head.")
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option("--camera", metavar="[URI]", help="The camera at URI; alone: the one in the configuration."),
    ] = None,
    json: Json = False,
) -> None:
    """Enrol a person from photos, a video or the camera.

    Says of each picture whether it was taken, and why not. Nothing is kept unless enough faces are good. Enrolling
    somebody again adds to what is known of them. A running daemon knows the person within two seconds.
    """
    from facesecure.domain.names import person_name
    from facesecure.services.enrolment import image_provider

    config = settings_of(context).config()
    name = person_name(name)
    gathering = image_provider(config.camera, images or [], video, camera)
    with open_store(config) as store:
        _enrol(config, store, name, gathering, json)


def _enrol(config: FacesecureConfig, store: Store, name: str, gathering: ImageProvider, json: bool) -> None:
    from facesecure.domain.errors import EnrolmentError
    from facesecure.services.model_stack import ModelStack

    vision = ModelStack.load(config, state_of(config))
    enrolment = vision.enrolment_of(store, name)
    if gathering.advice:
        output.note(gathering.advice.format(name=name))
    with output.progress(quiet=json) as progress:
        gathering.feed(enrolment, progress)
    try:
        faces = enrolment.finish()
    except EnrolmentError:
        _report(name, enrolment, gathering, None, json)
        raise
    _report(name, enrolment, gathering, _kept(store, name, faces), json)


def _kept(store: Store, name: str, faces: Sequence[EnrolledFace]) -> Person:
    """The person, after ``faces`` were added; none is no error where they are known by all of them already."""
    from facesecure.domain.names import name_key

    if faces:
        return store.add_person(name, faces)
    return next(person for person in store.people() if name_key(person.name) == name_key(name))


def _report(name: str, enrolment: Enrolment, gathering: ImageProvider, person: Person | None, json: bool) -> None:
    if json:
        output.emit_json(_document(name, enrolment, person))
        return
    good = "taken" if person else "good"  # but not taken, where nobody is enrolled
    if gathering.many:
        _summary(enrolment, good)
    else:
        output.table(_COLUMNS, [_row(picture, good) for picture in enrolment.pictures], right=("quality",))
    if person is not None:
        output.say(_outcome(enrolment, person))
        for found in enrolment.lookalikes():
            output.note(f"warning: {found.about(name)}")


def _outcome(enrolment: Enrolment, person: Person) -> str:
    new = len(enrolment.accepted)
    if not new:
        return f"nothing new: {person.name} is known by these pictures already, {person.faces} faces in all"
    return f"{person.name} is enrolled with {new} new face{'s' if new != 1 else ''}, {person.faces} in all"


def _document(name: str, enrolment: Enrolment, person: Person | None) -> dict[str, Any]:
    return {
        "name": person.name if person else name,
        "enrolled": person is not None,
        "taken": len(enrolment.accepted),
        "refused": len(enrolment.pictures) - len(enrolment.accepted),
        "faces": person.faces if person else 0,
        "warnings": [serializers.resemblance(found, name) for found in enrolment.lookalikes()],
        "pictures": [_picture(picture) for picture in enrolment.pictures],
    }


def _picture(picture: EnrolmentCandidate) -> dict[str, Any]:
    quality = serializers.quality(picture.face.quality) if picture.face else None
    return {"source": picture.source, "taken": picture.accepted, "reason": picture.reason or None, "quality": quality}


_COLUMNS = ("picture", "", "quality", "why")


def _row(picture: EnrolmentCandidate, good: str) -> tuple[object, ...]:
    word = output.coloured(good, "green") if picture.accepted else output.coloured("refused", "red")
    return picture.source, word, picture.face.quality.clarity if picture.face else None, picture.reason


def _summary(enrolment: Enrolment, good: str) -> None:
    """A film has too many frames to tell of each: those taken, then how many were refused for what."""
    from collections import Counter

    output.table(_COLUMNS, [_row(picture, good) for picture in enrolment.accepted], right=("quality",))
    reasons = Counter(_kind(picture.reason) for picture in enrolment.pictures if not picture.accepted)
    for reason, count in reasons.most_common():
        output.say(f"{count} refused: {reason}")


def _kind(reason: str) -> str:
    """A reason without its figures, so that like counts with like."""
    first = reason.split(";")[0].split(" (")[0]
    if first.startswith("nearly the same") and not first.endswith("enrolled before"):
        return "nearly the same as one taken before"
    return first


_MORE = "wait for another visit, or enrol with photos: facesecure enroll {name!r} --images PATH..."


def teach(
    config: FacesecureConfig,
    store: Store,
    name: str,
    faces: Sequence[StoredFace],
    save: Callable[[Sequence[EnrolledFace]], Person],
    json: bool,
) -> dict[str, Any]:
    """Enrol ``name`` from ``faces`` by calling ``save`` with the good ones; tells of each face, then returns it all.

    Raises EnrolmentError, after telling why of each face, where too few are good.
    """
    from facesecure.domain.errors import EnrolmentError
    from facesecure.recognition.enrolment import LEAST_FACES, enrol_from_sightings
    from facesecure.services.model_stack import ModelStack

    vision = ModelStack.load(config, state_of(config))
    enrolment = vision.enrolment_of(store, name)
    try:
        good = enrol_from_sightings(enrolment, faces)
    except EnrolmentError as error:
        _tell(enrolment, None, name, json)
        if len(enrolment.accepted) < LEAST_FACES:
            raise EnrolmentError(error.message, _MORE.format(name=name)) from error
        raise
    return _tell(enrolment, save(good), name, json)


def chooser(config: FacesecureConfig) -> MatchVisitor:
    """What says whose visit a sighting was, by the model in use."""
    from facesecure.recognition.score_model import ScoreModel
    from facesecure.recognition.visitor_matching import VisitorMatcher
    from facesecure.vision.inference.model_card import load_model

    model = load_model(config.recognizer.embedding_model, state_of(config))
    return VisitorMatcher(ScoreModel.from_card(model.card)).match


def _tell(enrolment: Enrolment, person: Person | None, name: str, json: bool) -> dict[str, Any]:
    document = {
        "name": person.name if person else name,
        "enrolled": person is not None,
        "taken": len(enrolment.accepted),
        "refused": len(enrolment.pictures) - len(enrolment.accepted),
        "faces": person.faces if person else 0,
        "pictures": [_picture(picture) for picture in enrolment.pictures],
        "warnings": [serializers.resemblance(found, name) for found in enrolment.lookalikes()],
    }
    if not json:
        output.table(
            ("face", "", "quality", "why"),
            [_row(picture, "taken") for picture in enrolment.pictures],
            right=("quality",),
        )
        for found in enrolment.lookalikes():
            output.note(f"warning: {found.about(name)}")
    elif person is None:
        output.emit_json(document)
    return document
