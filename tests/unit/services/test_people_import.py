"""Importing people: what is added, what is there already, what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS
from facesecure.domain import AlignedFace
from facesecure.domain.errors import UsageError
from facesecure.domain.records import EnrolledFace
from facesecure.services.people_import import import_people
from facesecure.storage.archive import ArchivedPerson
from facesecure.storage.store import Store
from support.bundled_model import faces_of, models


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "state") as opened:
        yield opened


@pytest.fixture(scope="module")
def grace() -> list[EnrolledFace]:
    return faces_of(*enrolment_images(6))[:4]


@pytest.fixture(scope="module")
def eileen() -> list[EnrolledFace]:
    return faces_of(EILEEN_COLLINS.image())


def archived(name: str, faces: list[EnrolledFace]) -> ArchivedPerson:
    crops = tuple(AlignedFace(face.image, face.quality) for face in faces)
    return ArchivedPerson(name, crops, tuple(face.source for face in faces))


def test_people_come_as_they_were_and_a_second_time_nothing_is_added(store, grace, eileen):
    arrivals = [archived("Grace", grace), archived("Eileen", eileen)]
    first = import_people(models, store, arrivals)
    assert [(one.added, one.known, one.left_out, one.problem) for one in first] == [(4, 0, (), ""), (1, 0, (), "")]
    again = import_people(models, store, arrivals)
    assert [(one.added, one.known, one.left_out, one.problem) for one in again] == [(0, 4, (), ""), (0, 1, (), "")]
    assert {person.name: person.faces for person in store.people()} == {"Grace": 4, "Eileen": 1}
    assert {face.model_sha256 for face in store.faces_of("Grace")} == {models().embedder.sha256}


def test_what_the_file_claims_of_a_crop_s_quality_is_measured_again(store, grace):
    dull = np.clip(grace[0].image.astype(int) // 8, 0, 255).astype(np.uint8)
    face = AlignedFace(dull, grace[0].quality)
    (result,) = import_people(models, store, [ArchivedPerson("Grace", (face,), ("a.jpg",))])
    assert result.added == 0
    assert "dark" in result.left_out[0].reason
    assert store.people() == []


def test_faces_are_added_to_a_person_only_if_they_look_like_the_person(store, grace, eileen):
    store.add_person("Grace", grace[:2])
    (result,) = import_people(models, store, [archived("grace", [*grace[2:], *eileen])])
    assert result.added == 2
    assert "does not look like the others" in result.left_out[0].reason
    assert store.people()[0].faces == 4


def test_a_person_under_two_names_in_one_file_is_imported_once(store, grace):
    results = import_people(models, store, [archived("Grace", grace[:2]), archived("Mallory", grace[2:])])
    assert "these photos show Grace" in results[1].problem
    assert [person.name for person in store.people()] == ["Grace"]


def test_if_one_name_cannot_be_enrolled_nobody_is(store, grace, eileen):
    store.add_person(
        "Anna",
        [
            EnrolledFace(
                np.zeros((112, 112, 3), np.uint8), eileen[0].embedding[::-1].copy(), "ab" * 32, eileen[0].quality
            )
        ],
    )
    with pytest.raises(UsageError, match="looks the same"):
        import_people(models, store, [archived("Grace", grace), archived("An\u200dna", eileen)])
    assert [person.name for person in store.people()] == ["Anna"]
