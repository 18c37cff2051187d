"""People, faces and templates in a real database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from facesecure.domain import Embedding, Image, VerdictKind
from facesecure.domain.errors import EnrolmentError, StoreError, UsageError
from facesecure.domain.records import Embeddings, EnrolledFace, TemplateVector
from facesecure.storage.store import Store
from support.builders import NOON
from support.faults.traces import all_sealed_values, found
from support.store import MODEL, OTHER_MODEL, enrolled_face, known, picture, sighting


def test_a_person_enrolled_is_there_after_a_restart(state_dir: Path) -> None:
    faces = [enrolled_face(1), enrolled_face(2)]
    with Store.open(state_dir) as store:
        store.add_person("Tom", faces)
    with Store.open(state_dir) as store:
        assert [(person.name, person.faces) for person in store.people()] == [("Tom", 2)]
        for read, written in zip(store.faces_of("tom"), faces, strict=True):
            np.testing.assert_array_equal(read.image, written.image)
            np.testing.assert_array_equal(read.embedding, written.embedding)
            assert (read.quality, read.source, read.model_sha256) == (written.quality, written.source, MODEL)


def test_a_template_is_the_unit_mean_of_the_faces(store: Store) -> None:
    faces = [enrolled_face(1), enrolled_face(2)]
    store.add_person("Tom", faces)
    (template,) = store.templates(MODEL)
    assert (template.name, template.faces) == ("Tom", 2)
    assert np.linalg.norm(template.embedding) == pytest.approx(1)
    mean = (faces[0].embedding + faces[1].embedding) / 2
    np.testing.assert_allclose(template.embedding, mean / np.linalg.norm(mean), atol=1e-6)


def test_more_faces_extend_the_person_and_remake_the_template(store: Store) -> None:
    store.add_person("Tom", [enrolled_face(1)])
    person = store.add_person("TOM", [enrolled_face(2), enrolled_face(3)])
    assert (person.name, person.faces) == ("Tom", 3)
    assert {template.faces for template in store.templates()} == {3}


def test_a_recogniser_can_bring_its_own_template(store: Store) -> None:
    def last(embeddings: Embeddings) -> list[TemplateVector]:
        return [TemplateVector(np.asarray(embeddings[-1], np.float32), 1)]

    store.add_person("Tom", [enrolled_face(1), enrolled_face(2)], last)
    np.testing.assert_array_equal(store.templates()[0].embedding, enrolled_face(2).embedding)


def test_each_model_has_a_template_of_its_own(store: Store) -> None:
    store.add_person("Tom", [enrolled_face(1, MODEL), enrolled_face(1, OTHER_MODEL)])
    assert {template.model_sha256 for template in store.templates()} == {MODEL, OTHER_MODEL}
    assert [template.model_sha256 for template in store.templates(OTHER_MODEL)] == [OTHER_MODEL]


def test_an_enrolment_that_fails_half_way_leaves_nothing(store: Store) -> None:
    def failing(embeddings: Embeddings) -> list[TemplateVector]:
        raise RuntimeError("power supply fell off the shelf")

    before = store.people_revision()
    with pytest.raises(RuntimeError):
        store.add_person("Tom", [enrolled_face(1)], failing)
    assert store.people() == []
    assert store.templates() == []
    assert store.people_revision() == before


def test_nobody_is_enrolled_without_a_face(store: Store) -> None:
    with pytest.raises(EnrolmentError):
        store.add_person("Tom", [])
    assert store.people() == []


def test_a_bad_name_is_refused_before_anything_is_written(store: Store) -> None:
    with pytest.raises(UsageError):
        store.add_person("../Tom", [enrolled_face()])
    assert store.people() == []


def test_an_emoji_is_a_name(store: Store) -> None:
    store.add_person("🦊", [enrolled_face()])
    assert store.faces_of("🦊")


def test_people_come_by_name_whatever_their_case(store: Store) -> None:
    for name in ("bea", "Zoe", "Ann"):
        store.add_person(name, [enrolled_face()])
    assert [person.name for person in store.people()] == ["Ann", "bea", "Zoe"]


def test_a_new_name_reaches_the_history_too(store: Store) -> None:
    store.add_person("Tim", [enrolled_face()])
    store.record(sighting("one", known("Tim")))
    assert store.rename_person("tim", "Tom").name == "Tom"
    assert store.sighting("one").verdict.name == "Tom"
    assert store.sighting("one").verdict.why == "looks like Tom"
    assert [found.identifier for found in store.sightings(name="TOM")] == ["one"]
    assert store.sightings(name="Tim") == []


def test_a_name_can_change_its_case_only(store: Store) -> None:
    store.add_person("tom", [enrolled_face()])
    assert store.rename_person("tom", "Tom").name == "Tom"


def test_a_name_that_is_taken_is_refused(store: Store) -> None:
    store.add_person("Ann", [enrolled_face(1)])
    store.add_person("Tom", [enrolled_face(2)])
    with pytest.raises(UsageError, match="Ann"):
        store.rename_person("Tom", "ANN")
    assert [person.name for person in store.people()] == ["Ann", "Tom"]


def test_a_person_removed_leaves_that_somebody_came_and_when(store: Store) -> None:
    store.add_person("Tom", [enrolled_face()])
    store.record(sighting("one", known("Tom"), snapshot=picture()))
    picture_of_tom = store.sighting("one").snapshot
    assert picture_of_tom is not None
    assert picture_of_tom.exists()
    store.remove_person("tom")
    assert store.people() == []
    assert store.templates() == []
    left = store.sighting("one")
    assert (left.kind, left.name, left.first_seen) == (VerdictKind.KNOWN, "somebody forgotten", NOON)
    assert left.verdict.why == "looks like somebody forgotten"
    assert left.snapshot is None
    assert not picture_of_tom.exists()
    assert store.sightings(name="Tom") == []


def test_a_name_that_is_part_of_a_word_leaves_the_word_alone(store: Store) -> None:
    store.add_person("Al", [enrolled_face(1)])
    store.record(sighting("one", replace(known("Alan"), why="Alan, and not Al (al fresco)")))
    store.remove_person("Al")
    assert store.sighting("one").verdict.why == "Alan, and not somebody forgotten (al fresco)"
    assert store.sighting("one").name == "Alan"


def test_a_person_of_the_same_name_later_is_not_linked_to_that_history(store: Store) -> None:
    store.add_person("Tom", [enrolled_face(1)])
    store.record(sighting("one", known("Tom")))
    store.remove_person("Tom")
    store.add_person("Tom", [enrolled_face(2)])
    store.rename_person("Tom", "Thomas")
    assert store.sighting("one").name == "somebody forgotten"


def test_nothing_of_a_removed_face_stays_on_the_disk(store: Store, state_dir: Path) -> None:
    store.add_person("Tom", [enrolled_face(5)])
    traces = all_sealed_values(state_dir)
    assert len(traces) == 3
    assert found(state_dir, traces) == traces
    store.remove_person("Tom")
    assert found(state_dir, traces) == []


def test_one_picture_can_go_but_not_the_last(store: Store) -> None:
    store.add_person("Tom", [enrolled_face(1), enrolled_face(2)])
    first, second = store.faces_of("Tom")
    assert first.identifier is not None
    assert second.identifier is not None
    store.remove_face(first.identifier)
    np.testing.assert_allclose(store.templates()[0].embedding, enrolled_face(2).embedding, atol=1e-6)
    with pytest.raises(UsageError, match="last"):
        store.remove_face(second.identifier)
    with pytest.raises(UsageError, match="no face number"):
        store.remove_face(first.identifier)


@pytest.mark.parametrize("method", ["faces_of", "remove_person"])
def test_asking_for_nobody_says_who_there_is(store: Store, method: str) -> None:
    store.add_person("Ann", [enrolled_face()])
    with pytest.raises(UsageError, match="Tom") as caught:
        getattr(store, method)("Tom")
    assert "Ann" in (caught.value.hint or "")


def test_a_new_model_embeds_everybody_again(store: Store) -> None:
    store.add_person("Tom", [enrolled_face(1), enrolled_face(2)])
    store.add_person("Ann", [enrolled_face(3, OTHER_MODEL)])
    seen: list[Image] = []

    def embed(image: Image) -> Embedding:
        seen.append(image)
        return np.full(64, 1 / 8, np.float32)

    calls: list[tuple[int, int]] = []
    done = store.reembed(OTHER_MODEL, embed, done=lambda count, of: calls.append((count, of)))
    assert (done.faces, done.people, done.refused) == (2, ("Tom",), ())
    assert calls == [(1, 2), (2, 2)]
    assert len(seen) == 2
    assert [(t.name, t.model_sha256, t.embedding.size) for t in store.templates()] == [
        ("Ann", OTHER_MODEL, 192),
        ("Tom", OTHER_MODEL, 64),
    ]
    assert store.reembed(OTHER_MODEL, embed).faces == 0


@pytest.mark.parametrize("crop", [b"", b"\x89PNG, but no more"], ids=["missing", "damaged"])
def test_a_face_whose_picture_is_lost_is_told_of_and_the_others_are_embedded_again(store: Store, crop: bytes) -> None:
    store.add_person("Tom", [enrolled_face(1), enrolled_face(2)])
    store.add_person("Ann", [enrolled_face(3)])
    with store._database.write() as session:
        session.execute(text("UPDATE faces SET crop_png = :crop WHERE id IN (1, 3)"), {"crop": crop})
    done = store.reembed(OTHER_MODEL, lambda image: np.ones(8, np.float32))
    assert (done.faces, done.people) == (1, ("Tom",))
    assert [(face.name, face.identifier) for face in done.refused] == [("Ann", 3), ("Tom", 1)]
    assert {(template.name, template.model_sha256) for template in store.templates()} == {
        ("Ann", MODEL), ("Tom", MODEL), ("Tom", OTHER_MODEL),
    }  # fmt: skip


def test_a_face_whose_picture_is_lost_says_so_and_can_be_taken_away(store: Store) -> None:
    store.add_person("Tom", [enrolled_face(1), enrolled_face(2)])
    with store._database.write() as session:
        session.execute(text("UPDATE faces SET crop_png = :crop WHERE id = 1"), {"crop": b""})
    with pytest.raises(StoreError, match="face number 1 cannot be read") as caught:
        store.faces_of("Tom")
    assert "--face 1" in (caught.value.hint or "")
    assert store.face_numbers("tom") == [1, 2]
    store.remove_face(1)
    assert len(store.faces_of("Tom")) == 1


def test_what_a_model_cannot_embed_is_told_of_and_changes_nothing(store: Store) -> None:
    store.add_person("Tom", [enrolled_face(1)])
    before = store.people_revision()
    done = store.reembed(OTHER_MODEL, lambda image: np.full(8, np.nan, np.float32))
    assert (done.faces, [face.name for face in done.refused]) == (0, ["Tom"])
    assert "finite" in done.refused[0].why
    assert store.people_revision() == before
    assert [template.model_sha256 for template in store.templates()] == [MODEL]


def test_a_person_of_two_kinds_of_faces_has_a_template_of_all_and_one_of_each_kind(store: Store) -> None:
    store.add_person("Tom", [_face_near(1, seed) for seed in range(3)] + [_face_near(2, seed) for seed in range(4)])
    first, *kinds, _ = [template.faces for template in store.templates(MODEL)][:4]
    assert (first, kinds) == (7, [3, 4])


def _face_near(kind: int, seed: int) -> EnrolledFace:
    """One of the faces of that kind, which are all alike."""
    centre, other = enrolled_face(kind), enrolled_face(100 * kind + seed)
    embedding = centre.embedding + 0.5 * other.embedding
    return replace(other, embedding=embedding / np.linalg.norm(embedding))


def test_every_change_to_people_moves_the_revision_for_other_processes(store: Store, state_dir: Path) -> None:
    with Store.open(state_dir) as other:
        seen = [other.people_revision()]
        for change in (
            lambda: store.add_person("Tim", [enrolled_face(1), enrolled_face(2)]),
            lambda: store.rename_person("Tim", "Tom"),
            lambda: store.remove_face(1),
            lambda: store.reembed(OTHER_MODEL, lambda image: np.ones(8, np.float32)),
            lambda: store.remove_person("Tom"),
        ):
            change()
            seen.append(other.people_revision())
    assert seen == sorted(set(seen))


def test_a_sighting_does_not_move_the_revision(store: Store) -> None:
    before = store.people_revision()
    store.record(sighting("one", when=NOON))
    assert store.people_revision() == before
