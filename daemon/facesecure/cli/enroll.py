"""``facesecure enroll``: enrol a person from images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesecure.cli import output, serializers
from facesecure.cli.output import Json
from facesecure.cli.settings import open_store, settings_of, state_of

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.domain.records import Person
    from facesecure.recognition.enrolment import EnrolmentCandidate
    from facesecure.services.enrolment import EnrolmentResult, LoadModels


def enroll(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")],
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", metavar="PATH...", help="Photos or folders of photos; several may follow --images."),
    ] = None,
    video: Annotated[
        Path | None, typer.Option("--video", metavar="FILE", help="A video of the person turning their head.")
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option(
            "--camera",
            metavar="[NAME|URI]",
            help="The configured camera called NAME, or the one at URI; without a value the first configured one.",
        ),
    ] = None,
    face: Annotated[
        int | None,
        typer.Option("--face", metavar="N", min=1, help="The face meant in photos with several, from 1 at the left."),
    ] = None,
    few: Annotated[
        bool, typer.Option("--few", help="Enrol with one or two good faces, at a stricter threshold.")
    ] = False,
    json: Json = False,
) -> None:
    """Enrol a person from photos, a video or the camera.

    Reports for each image whether it was accepted, and why not. Nothing is stored unless enough faces are good. For a
    person who is enrolled already, the new faces are added. A running daemon recognises the person within two seconds.
    """
    from facesecure.domain.names import person_name
    from facesecure.services.enrolment import EnrolmentRefused, enrol_from_images
    from facesecure.services.image_providers import chosen_camera, image_provider

    config, name = settings_of(context).config(), person_name(name)
    settings, uri = (config.camera, None) if camera is None else chosen_camera(config, camera)
    provider = image_provider(settings, images or [], video, uri, face)
    if uri == "" and len(config.cameras) > 1:
        output.note(f"the camera is the one called {settings.name}")
    with open_store(config) as store:
        try:
            with output.progress(quiet=json) as progress:
                result = enrol_from_images(model_loader(config), store, name, provider, progress, output.note, few=few)
        except EnrolmentRefused as refused:
            _report(refused.result, json, many=provider.many)
            raise
    _report(result, json, many=provider.many)


def model_loader(config: FacesecureConfig) -> LoadModels:
    """Return the function that loads the configured models."""
    from facesecure.services.model_stack import ModelStack

    return partial(ModelStack.load, config, state_of(config))


def enrolment_document(result: EnrolmentResult) -> dict[str, Any]:
    """Return ``result`` as JSON shows it."""
    person = result.person
    return {
        "name": person.name if person else result.name,
        "enrolled": person is not None,
        "taken": len(result.accepted),
        "refused": len(result.refused),
        "faces": person.faces if person else 0,
        "warnings": [serializers.resemblance(found, result.name) for found in result.lookalikes],
        "pictures": [_candidate(candidate) for candidate in result.candidates],
        "few": result.few,
    }


def show_faces(result: EnrolmentResult) -> None:
    """Print a table of the faces of sightings, each accepted or refused, and warn of lookalikes."""
    _table("face", result.candidates, "accepted")
    _warn(result)


@contextmanager
def reported(json: bool) -> Iterator[None]:
    """Report each face if the enrolment from sightings in this block is refused, and let the error pass."""
    from facesecure.services.enrolment import EnrolmentRefused

    try:
        yield
    except EnrolmentRefused as refused:
        if json:
            output.emit_json(enrolment_document(refused.result))
        else:
            show_faces(refused.result)
        raise


def _report(result: EnrolmentResult, json: bool, *, many: bool) -> None:
    if json:
        output.emit_json(enrolment_document(result))
        return
    accepted = "accepted" if result.person else "good"  # good, but not stored
    if many:
        _summary(result, accepted)
    else:
        _table("image", result.candidates, accepted)
    for hint in dict.fromkeys(candidate.hint for candidate in result.refused if candidate.hint):
        output.note(f"hint: {hint}")
    if result.person is not None:
        output.say(_outcome(result, result.person))
        _warn(result)
        if result.few:
            output.note(f"warning: {_few(result.person)}")


def _few(person: Person) -> str:
    faces = f"{person.faces} face{'s' if person.faces != 1 else ''}"
    return f"with only {faces} {person.name} needs a clearer match and is unidentified more often; add photos"


def _table(what: str, candidates: tuple[EnrolmentCandidate, ...], accepted: str) -> None:
    rows = [_row(candidate, accepted) for candidate in candidates]
    output.table((what, "", "quality", "why"), rows, right=("quality",))


def _row(candidate: EnrolmentCandidate, accepted: str) -> tuple[object, ...]:
    word = output.coloured(accepted, "green") if candidate.accepted else output.coloured("refused", "red")
    return candidate.source, word, candidate.face.quality.clarity if candidate.face else None, candidate.reason


def _summary(result: EnrolmentResult, accepted: str) -> None:
    """Print the accepted frames of a video, then how many were refused for each reason."""
    _table("image", result.accepted, accepted)
    reasons = Counter(_without_figures(candidate.reason) for candidate in result.refused)
    for reason, count in reasons.most_common():
        output.say(f"{count} refused: {reason}")


def _without_figures(reason: str) -> str:
    """Return a reason without its figures, so that equal reasons are counted together."""
    first = reason.split(";")[0].split(" (")[0]
    if first.startswith("nearly the same") and not first.endswith("enrolled before"):
        return "nearly the same as one taken before"
    return first


def _outcome(result: EnrolmentResult, person: Person) -> str:
    new = len(result.accepted)
    if not new:
        return f"nothing new: {person.name} is enrolled with these faces already, {person.faces} faces in all"
    return f"{person.name} is enrolled with {new} new face{'s' if new != 1 else ''}, {person.faces} in all"


def _warn(result: EnrolmentResult) -> None:
    for found in result.lookalikes:
        output.note(f"warning: {found.about(result.name)}")


def _candidate(candidate: EnrolmentCandidate) -> dict[str, Any]:
    return {
        "source": candidate.source,
        "taken": candidate.accepted,
        "reason": candidate.reason or None,
        "quality": serializers.quality(candidate.face.quality) if candidate.face else None,
        "hint": candidate.hint,
    }
