"""What naming a visitor would do, and how surely people are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.config import FacesecureConfig
from facesecure.domain import SeenFace
from facesecure.domain.errors import UsageError
from facesecure.domain.records import EnrolledFace
from facesecure.recognition.similarity import Likeness, alike_from, likeness, same_from
from facesecure.services.model_stack import ModelStack
from facesecure.services.naming import contact_sheet, preview_naming
from facesecure.services.people_overview import Sureness, face_of, overview, overview_of, remains_of
from facesecure.services.visitors import name_visitor
from facesecure.storage.store import Store
from support.builders import NOON
from support.store import picture, sighting


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModelStack:
    return ModelStack.load(FacesecureConfig(), tmp_path_factory.mktemp("models"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as opened:
        yield opened


@pytest.fixture(scope="module")
def grace(models: ModelStack) -> list[SeenFace]:
    """Good faces of Grace Hopper, as the daemon would have kept them."""
    enrolment = models.enrolment()
    for number, image in enumerate(enrolment_images(16)):
        enrolment.add_image(image, str(number))
    faces = [one.face for one in enrolment.accepted if one.face is not None]
    return [SeenFace(face, models.embedder.embed(face.image), models.embedder.sha256, NOON) for face in faces][:8]


def blurred(face: SeenFace) -> SeenFace:
    poor = replace(face.face.quality, sharpness=0.01, clarity=0.3)
    return replace(face, face=replace(face.face, quality=poor))


def came(store: Store, models: ModelStack, identifier: str, faces: list[SeenFace]) -> int:
    store.record(replace(sighting(identifier, snapshot=picture(8, 8)), faces=tuple(faces)))
    number = store.visitors.group(identifier, models.match_visitor)
    assert number is not None
    return number


def enrolled(faces: list[SeenFace], turned: float = 1.0) -> list[EnrolledFace]:
    return [
        EnrolledFace(f.face.image, np.float32(turned) * f.embedding, f.model_sha256, f.face.quality, "photo.jpg")
        for f in faces
    ]


def test_the_sheet_shows_good_faces_first_and_why_others_are_too_poor(
    models: ModelStack, store: Store, grace: list[SeenFace]
) -> None:
    number = came(store, models, "a", [blurred(grace[0]), *grace[1:4]])
    sheet = contact_sheet(FacesecureConfig(), store, number)
    assert [bool(one.reasons) for one in sheet.faces] == [False, False, False, True]
    assert "blurred" in sheet.faces[-1].reasons[0]
    assert sheet.likeliest == ()


def test_the_likeliest_names_come_in_words(models: ModelStack, store: Store, grace: list[SeenFace]) -> None:
    number = came(store, models, "a", grace[:4])
    store.add_person("Grace", enrolled(grace[4:]))
    store.add_person("Opposite", enrolled(grace[4:], turned=-1.0))
    (likely,) = contact_sheet(FacesecureConfig(), store, number).likeliest
    assert (likely.name, likely.likeness) == ("Grace", Likeness.VERY)


def test_words_for_likeness_follow_the_score_model(models: ModelStack) -> None:
    same, alike = same_from(models.scores), alike_from(models.scores)
    words = [likeness(closeness, models.scores) for closeness in (0.9, same - 0.01, alike - 0.01, 0.0)]
    assert words == [Likeness.VERY, Likeness.QUITE, Likeness.SLIGHTLY, None]


def test_a_preview_judges_as_naming_does_and_stores_nothing(
    models: ModelStack, store: Store, grace: list[SeenFace]
) -> None:
    number = came(store, models, "a", [blurred(grace[0]), *grace[1:5]])
    preview = preview_naming(lambda: models, store, number, "  Grace ")
    assert (preview.name, preview.enrolled, preview.problem) == ("Grace", False, "")
    assert store.people() == []
    named = name_visitor(lambda: models, store, number, "Grace")
    assert [one.candidate.accepted for one in preview.faces] == [c.accepted for c in named.enrolment.candidates]
    assert preview.faces[0].face.identifier is not None


def test_a_preview_says_why_nothing_would_be_stored(models: ModelStack, store: Store, grace: list[SeenFace]) -> None:
    number = came(store, models, "a", [blurred(grace[0]), grace[1]])
    preview = preview_naming(lambda: models, store, number, "Grace")
    assert "at least 3 needed" in preview.problem
    with pytest.raises(UsageError):
        preview_naming(lambda: models, store, number, "a/b")
    with pytest.raises(UsageError):
        preview_naming(lambda: models, store, 99, "Grace")


def test_a_preview_warns_of_another_name_for_the_same_person(
    models: ModelStack, store: Store, grace: list[SeenFace]
) -> None:
    number = came(store, models, "a", grace[:4])
    store.add_person("Grace", enrolled(grace[4:]))
    assert "show Grace, who is enrolled already" in preview_naming(lambda: models, store, number, "Anna").problem


def test_how_surely_people_are_known(models: ModelStack, store: Store, grace: list[SeenFace]) -> None:
    store.add_person("Well", enrolled(grace[:4]))
    assert [one.sureness for one in overview(FacesecureConfig(), store)] == [Sureness.WELL]
    store.add_person("Alike", enrolled(grace[4:]))
    store.add_person("Few", enrolled(grace[:2], turned=-1.0))
    found = {one.person.name: one for one in overview(FacesecureConfig(), store)}
    assert [found[name].sureness for name in ("Well", "Alike", "Few")] == [Sureness.ALIKE, Sureness.ALIKE, Sureness.FEW]
    assert [one.name for one in found["Well"].lookalikes] == ["Alike"]
    assert overview_of(FacesecureConfig(), store, "few").person.name == "Few"
    with pytest.raises(UsageError):
        overview_of(FacesecureConfig(), store, "nobody")


def test_a_single_face_is_found_and_the_clearest_stands_for_the_person(
    store: Store, models: ModelStack, grace: list[SeenFace]
) -> None:
    store.add_person("Grace", [*enrolled([blurred(grace[0])]), *enrolled(grace[1:4])])
    best = face_of(store, "Grace")
    assert best.quality.clarity == max(face.quality.clarity for face in store.faces_of("Grace"))
    assert best.identifier is not None
    assert face_of(store, "Grace", best.identifier).identifier == best.identifier
    with pytest.raises(UsageError):
        face_of(store, "Grace", 999)


def test_what_would_remain_of_a_person_is_what_removing_leaves(
    store: Store, models: ModelStack, grace: list[SeenFace]
) -> None:
    number = came(store, models, "a", grace[:4])
    came(store, models, "b", grace[4:])
    name_visitor(lambda: models, store, number, "Grace")
    remains = remains_of(store, "grace")
    assert (remains.person.name, remains.visits) == ("Grace", 2)
    assert remains.faces == len(store.faces_of("Grace"))
    store.remove_person("Grace")
    assert [one.name for one in store.sightings()] == ["somebody forgotten"] * 2
