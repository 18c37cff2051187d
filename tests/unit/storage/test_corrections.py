"""Corrections of a sighting change the evidence and stand beside the original verdict."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from facesecure.domain import VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.recognition.templates import templates_of
from facesecure.storage.store import Store
from support.builders import NOON
from support.store import MODEL, UNIDENTIFIED, known, sighting
from support.visitors import CHOOSE, enrolled, faces, known_to, visit


@pytest.fixture
def mistaken(store: Store) -> Store:
    """Somebody (person 3) was taken for Tom, who is enrolled with photos, as Anna is."""
    store.add_person("Tom", known_to(1))
    store.add_person("Anna", known_to(2))
    visit(store, "wrong", 3, verdict=known("Tom"))
    return store


def people(store: Store) -> dict[str, int]:
    return {person.name: person.faces for person in store.people()}


def only_photos() -> np.ndarray:
    """Tom's template, had he only ever been enrolled with photos."""
    return templates_of(np.stack([face.embedding for face in known_to(1)]))[0].direction


def learn(store: Store, identifier: str, name: str) -> None:
    store.corrections.known(identifier, name, [enrolled(face) for face in store.faces_seen(identifier)])


def test_it_was_not_tom_and_that_is_said_beside_what_was_told(mistaken: Store) -> None:
    assert mistaken.corrections.not_known("wrong", "tom", CHOOSE) == (1, 0)
    shown = mistaken.sighting("wrong")
    assert (shown.verdict.name, shown.name, shown.kind) == ("Tom", None, VerdictKind.STRANGER)
    assert shown.correction is not None
    assert shown.correction.words == "corrected: not Tom"
    assert mistaken.sightings(name="Tom") == []


def test_faces_that_were_learnt_from_it_leave_toms_evidence(mistaken: Store) -> None:
    learn(mistaken, "wrong", "Tom")
    assert people(mistaken) == {"Anna": 3, "Tom": 6}
    revision = mistaken.people_revision()
    assert mistaken.corrections.not_known("wrong", "Tom", CHOOSE) == (1, 3)
    assert people(mistaken) == {"Anna": 3, "Tom": 3}
    assert mistaken.people_revision() > revision
    tom, *_ = [template for template in mistaken.templates(MODEL) if template.name == "Tom"]
    assert tom.faces == 3
    assert np.allclose(tom.embedding, only_photos())


def test_its_faces_are_a_strangers_from_now_on_and_after_a_restart(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        store.add_person("Tom", known_to(1))
        visit(store, "wrong", 3, verdict=known("Tom"))
        store.corrections.not_known("wrong", "Tom", CHOOSE)
    with Store.open(state_dir) as store:
        marked = store.marked_strangers(MODEL)
        assert marked.dtype == np.float32
        assert np.array_equal(marked, np.stack([face.embedding for face in faces(3)]))
        assert store.marked_strangers("f" * 64).shape == (0, 0)
        assert [visitor.marked for visitor in store.visitors.all()] == [True]


def test_not_tom_is_a_rival_of_toms_alone_and_a_stranger_of_everybodys(mistaken: Store) -> None:
    mistaken.corrections.not_known("wrong", "Tom", CHOOSE)
    assert [negative.name for negative in mistaken.hard_negatives(MODEL)] == ["Tom"]
    mistaken.corrections.not_known("wrong", None, CHOOSE)
    assert [negative.name for negative in mistaken.hard_negatives(MODEL)] == ["Anna", "Tom"]
    assert mistaken.marked_strangers(MODEL).shape == (3, 192), "no face counts twice"


def test_who_is_enrolled_after_the_mark_is_not_kept_from_being_known(mistaken: Store) -> None:
    """She was nobody they knew, and then she moved in: her photos may look like the faces marked, for they are hers."""
    mistaken.corrections.not_known("wrong", None, CHOOSE)
    mistaken.add_person("Grace", known_to(3))
    assert "Grace" not in {negative.name for negative in mistaken.hard_negatives(MODEL)}


def test_saying_it_twice_is_as_saying_it_once(mistaken: Store) -> None:
    for _ in range(2):
        assert mistaken.corrections.not_known("wrong", "Tom", CHOOSE) == (1, 0)
    assert [visitor.visits for visitor in mistaken.visitors.all()] == [1]
    assert mistaken.marked_strangers(MODEL).shape == (3, 192)


def test_the_mark_goes_when_the_visitor_is_named(mistaken: Store) -> None:
    visitor, _ = mistaken.corrections.not_known("wrong", "Tom", CHOOSE)
    mistaken.visitors.name(visitor, "Grace", [enrolled(face) for face in mistaken.visitors.faces(visitor)])
    assert mistaken.hard_negatives(MODEL) == []
    assert mistaken.marked_strangers(MODEL).shape == (0, 0)
    assert mistaken.sighting("wrong").name == "Grace"


def test_it_was_somebody_else_who_learns_from_it(mistaken: Store) -> None:
    learn(mistaken, "wrong", "Tom")
    learn(mistaken, "wrong", "Anna")
    assert people(mistaken) == {"Anna": 6, "Tom": 3}
    assert mistaken.sighting("wrong").name == "Anna"
    assert [face.sighting for face in mistaken.faces_of("Anna")][3:] == ["wrong"] * 3


def test_it_was_tom_after_all_takes_the_mark_back(mistaken: Store) -> None:
    mistaken.corrections.not_known("wrong", "Tom", CHOOSE)
    learn(mistaken, "wrong", "Tom")
    assert mistaken.hard_negatives(MODEL) == []
    assert mistaken.visitors.all() == []
    assert (mistaken.sighting("wrong").name, people(mistaken)["Tom"]) == ("Tom", 6)


def test_one_visit_that_was_somebody_elses_leaves_the_visitor(store: Store) -> None:
    visit(store, "one", 1)
    visit(store, "two", 1, 1)
    learn(store, "two", "Anna")
    (visitor,) = store.visitors.all()
    assert (visitor.visits, store.visitors.visits(visitor.identifier)) == (1, ["one"])


def test_a_visitor_named_wrongly_gives_the_visit_back(store: Store) -> None:
    store.add_person("Tom", known_to(2))
    visit(store, "one", 1)
    store.visitors.name(1, "Tom", [enrolled(face) for face in store.visitors.faces(1)])
    assert store.corrections.not_known("one", "Tom", CHOOSE) == (2, 3)
    assert [(visitor.identifier, visitor.name) for visitor in store.visitors.all()] == [(2, None)]


def test_nobody_is_left_without_a_face(store: Store) -> None:
    visit(store, "one", 1)
    learn(store, "one", "Tom")
    with pytest.raises(UsageError, match="every face that Tom is enrolled with") as caught:
        store.corrections.not_known("one", "Tom", CHOOSE)
    assert "people remove 'Tom'" in (caught.value.hint or "")
    assert (people(store), store.sighting("one").name) == ({"Tom": 3}, "Tom"), "nothing was done by halves"


@pytest.mark.parametrize(
    ("identifier", "name", "complaint"),
    [
        ("nothing", "Tom", "no sighting 'nothing'"),
        ("wrong", "Zoe", "no person called 'Zoe'"),
        ("wrong", "Anna", "not taken for Anna: the verdict was Tom"),
        ("faceless", None, "no face of sighting faceless is stored"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_done(mistaken: Store, identifier: str, name: str, complaint: str) -> None:
    mistaken.record(sighting("faceless", UNIDENTIFIED))
    with pytest.raises(UsageError, match=complaint):
        mistaken.corrections.not_known(identifier, name, CHOOSE)
    assert mistaken.sighting("wrong").correction is None
    assert mistaken.sighting("faceless").correction is None
    assert mistaken.visitors.all() == []


def test_faces_of_a_sighting_without_any_are_told(mistaken: Store) -> None:
    mistaken.record(sighting("faceless", UNIDENTIFIED))
    with pytest.raises(UsageError, match="no face of sighting faceless is stored"):
        mistaken.corrections.faces("faceless")


def test_the_times_of_a_wrong_visitor_are_taken_back_with_the_visit(store: Store) -> None:
    store.add_person("Tom", known_to(1))
    for day in (1, 0, 3, 2):
        visit(store, f"day{day}", 2, day, when=NOON + timedelta(days=day))
    for wrong, first, last in (("day3", 0, 2), ("day0", 1, 2), ("day2", 1, 1)):
        learn(store, wrong, "Tom")
        (visitor,) = store.visitors.all()
        seen = (visitor.first_seen, visitor.last_seen - timedelta(seconds=2))
        assert seen == (NOON + timedelta(days=first), NOON + timedelta(days=last))
