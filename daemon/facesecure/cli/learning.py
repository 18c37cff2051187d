"""Enrolling from faces seen at the door, as ``visitors name`` and ``events correct --is`` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from facesecure.cli import documents, output
from facesecure.cli.settings import state_of

if TYPE_CHECKING:
    from facesecure.config import FacesecureConfig
    from facesecure.enrolment import Enrolment, Picture
    from facesecure.store.records import EnrolledFace, Person, StoredFace
    from facesecure.store.store import Store
    from facesecure.store.visitors import Choose


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
    from facesecure.enrolment import LEAST_FACES
    from facesecure.errors import EnrolmentError
    from facesecure.learning import learn
    from facesecure.perception import Vision

    vision = Vision.load(config, state_of(config))
    enrolment = vision.enrolment_of(store, name)
    try:
        good = learn(enrolment, faces)
    except EnrolmentError as error:
        _tell(enrolment, None, name, json)
        if len(enrolment.taken) < LEAST_FACES:
            raise EnrolmentError(error.message, _MORE.format(name=name)) from error
        raise
    return _tell(enrolment, save(good), name, json)


def chooser(config: FacesecureConfig) -> Choose:
    """What says whose visit a sighting was, by the model in use."""
    from facesecure.recognize.score_model import ScoreModel
    from facesecure.recognize.visitors import VisitorChooser
    from facesecure.vision.model_card import load_model

    model = load_model(config.recognizer.embedding_model, state_of(config))
    return VisitorChooser(ScoreModel.from_card(model.card)).choose


def _tell(enrolment: Enrolment, person: Person | None, name: str, json: bool) -> dict[str, Any]:
    document = {
        "name": person.name if person else name,
        "enrolled": person is not None,
        "taken": len(enrolment.taken),
        "refused": len(enrolment.pictures) - len(enrolment.taken),
        "faces": person.faces if person else 0,
        "pictures": [_picture(picture) for picture in enrolment.pictures],
        "warnings": [documents.resemblance(found, name) for found in enrolment.resemblances()],
    }
    if not json:
        output.table(("face", "", "quality", "why"), map(_row, enrolment.pictures), right=("quality",))
        for found in enrolment.resemblances():
            output.note(f"warning: {found.about(name)}")
    elif person is None:
        output.emit_json(document)
    return document


def _picture(picture: Picture) -> dict[str, Any]:
    quality = documents.quality(picture.face.quality) if picture.face else None
    return {"source": picture.source, "taken": picture.taken, "reason": picture.reason or None, "quality": quality}


def _row(picture: Picture) -> tuple[object, ...]:
    word = output.coloured("taken", "green") if picture.taken else output.coloured("refused", "red")
    return picture.source, word, picture.face.quality.clarity if picture.face else None, picture.reason
