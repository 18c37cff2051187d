"""Visitors: grouped, named, removed, and stored durably."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from facesecure.config import StoreConfig
from facesecure.domain import VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.storage import marked_strangers
from facesecure.storage.store import Store
from facesecure.vision.images.codec import png_bytes
from support.builders import NOON
from support.faults.traces import all_sealed_values, found, sealed_values
from support.store import MODEL, OTHER_MODEL, UNIDENTIFIED, known, sighting
from support.visitors import CHOOSE, between, enrolled, faces, known_to, looks, seen, visit

DAY = timedelta(days=1)


def visits(store: Store) -> dict[int, int]:
    """How often each visitor came."""
    return {visitor.identifier: visitor.visits for visitor in store.visitors.all()}


def name(store: Store, visitor: int, as_name: str) -> None:
    store.visitors.name(visitor, as_name, [enrolled(face) for face in store.visitors.faces(visitor)])


def test_the_same_unknown_person_twice_is_one_visitor_with_two_visits(store: Store) -> None:
    assert [visit(store, f"s{n}", person, n) for n, person in enumerate([1, 2, 1])] == [1, 2, 1]
    assert visits(store) == {1: 2, 2: 1}


def test_a_visitor_tells_when_they_were_seen_and_shows_their_clearest_picture(store: Store) -> None:
    visit(store, "early", 1, 0, when=NOON)
    later = replace(sighting("late", when=NOON + DAY, snapshot=np.zeros((8, 8, 3), np.uint8)))
    store.record(replace(later, faces=(seen(looks(1, 5), 5, clarity=0.99),)))
    store.visitors.group("late", CHOOSE)
    (visitor,) = store.visitors.all()
    assert (visitor.first_seen, visitor.last_seen) == (NOON, NOON + DAY + timedelta(seconds=2))
    assert visitor.faces == 4
    assert visitor.snapshot is not None
    assert visitor.snapshot.stem == "late"


def test_what_was_learnt_survives_a_restart(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        visit(store, "one", 1)
    with Store.open(state_dir) as store:
        assert visit(store, "two", 1, 1) == 1
    with Store.open(state_dir) as store:
        assert visits(store) == {1: 2}
        assert np.array_equal(store.visitors.faces(1)[0].seen.embedding, faces(1)[0].embedding)
        assert np.array_equal(store.visitors.faces(1)[0].seen.face.image, faces(1)[0].face.image)


def test_a_visit_is_counted_once_however_often_it_is_grouped(store: Store) -> None:
    visit(store, "one", 1)
    assert store.visitors.group("one", CHOOSE) == 1
    assert visits(store) == {1: 1}


def test_a_stranger_without_a_usable_face_is_no_visitor(store: Store) -> None:
    store.record(sighting("one"))
    assert store.visitors.group("one", CHOOSE) is None
    assert store.visitors.group("gone", CHOOSE) is None
    assert visits(store) == {}


def test_faces_by_another_model_do_not_compare(store: Store) -> None:
    visit(store, "one", 1)
    other = tuple(seen(face.embedding, n, model=OTHER_MODEL) for n, face in enumerate(faces(1)))
    store.record(replace(sighting("two"), faces=other))
    assert store.visitors.group("two", CHOOSE) == 2


def test_a_visit_that_ended_in_a_power_cut_is_grouped_at_the_next_start(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        visit(store, "one", 1)
        store.record(replace(sighting("cut-off"), faces=faces(1, 1)))
        store.record(replace(sighting("became-known"), faces=faces(1, 2)))
        store.record(replace(sighting("later", known("Tom"), supersedes="became-known"), faces=faces(1, 2)))
        store.record(replace(sighting("nobody", UNIDENTIFIED), faces=faces(1, 3)))
    with Store.open(state_dir) as store:
        assert store.visitors.group_left_over(CHOOSE) == 1
        assert store.visitors.visits(1) == ["cut-off", "one"]
        assert store.visitors.group_left_over(CHOOSE) == 0


def test_a_correction_takes_the_faces_over(store: Store) -> None:
    store.record(replace(sighting("first"), faces=faces(1)))
    store.record(replace(sighting("second", known("Tom"), supersedes="first"), faces=faces(1, 1)))
    assert store.faces_seen("first") == []
    assert len(store.faces_seen("second")) == 3


def test_faces_are_not_kept_where_that_is_not_wanted(state_dir: Path) -> None:
    with Store.open(state_dir, keep_faces=False) as store:
        assert visit(store, "one", 1) is None
        assert store.faces_seen("one") == []


def test_naming_enrols_and_past_visits_are_shown_as_that_persons(store: Store) -> None:
    visit(store, "one", 1)
    visit(store, "two", 1, 1)
    visit(store, "other", 2)
    revision = store.people_revision()
    name(store, 1, "Anna")
    assert [(person.name, person.faces) for person in store.people()] == [("Anna", 6)]
    assert store.people_revision() > revision, "a running daemon looks again"
    shown = store.sighting("one")
    assert (shown.kind, shown.name) == (VerdictKind.KNOWN, "Anna")
    assert shown.correction is not None
    assert shown.correction.words == "named later"
    assert shown.verdict.kind is VerdictKind.STRANGER, "the original verdict stays"
    assert {s.identifier for s in store.sightings(name="anna")} == {"one", "two"}
    assert {s.identifier for s in store.sightings(kind=VerdictKind.STRANGER)} == {"other"}


def test_naming_somebody_enrolled_adds_to_what_is_known_of_them(store: Store) -> None:
    store.add_person("Anna", known_to(1))
    visit(store, "one", 1)
    name(store, 1, "anna")
    assert [(person.name, person.faces) for person in store.people()] == [("Anna", 6)]
    assert [visitor.name for visitor in store.visitors.all()] == ["Anna"]


def test_who_was_named_is_no_visitor_any_more(store: Store) -> None:
    visit(store, "one", 1)
    name(store, 1, "Anna")
    assert visit(store, "two", 1, 1) == 2


def test_a_new_name_is_shown_on_past_visits_too(store: Store) -> None:
    visit(store, "one", 1)
    name(store, 1, "Ana")
    store.rename_person("Ana", "Anna")
    assert store.sighting("one").name == "Anna"
    assert store.visitors.find(1).name == "Anna"


def test_a_visitor_who_is_not_there_is_told(store: Store) -> None:
    for ask in (store.visitors.find, store.visitors.faces, store.visitors.visits, store.visitors.forget):
        with pytest.raises(UsageError, match="no visitor 7") as caught:
            ask(7)
        assert "visitors list" in (caught.value.hint or "")


def test_who_is_forgotten_leaves_no_face_in_the_files_and_the_event_stays(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        visit(store, "one", 1)
        visit(store, "two", 2)
        store.corrections.not_known("one", None, CHOOSE)
        traces = [
            trace
            for table in ("seen_faces", "marked_faces")
            for trace in sealed_values(state_dir, table, "sighting='one'")
        ]
        assert len(traces) == 12
        assert found(state_dir, traces) == traces
        snapshot = store.sighting("one").snapshot
        gone = store.visitors.forget(1)
        assert (gone.identifier, gone.faces, gone.marked) == (1, 3, True)
        assert found(state_dir, traces) == []
        assert snapshot is not None
        assert not snapshot.exists()
        assert store.sighting("one").snapshot is None
        assert visits(store) == {2: 1}
        assert store.marked_strangers(MODEL).shape == (0, 0)
        assert visit(store, "three", 3) == 3, "a number is never used again"


def test_whoever_is_removed_leaves_no_face_seen_at_the_door_either(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        visit(store, "one", 1)
        name(store, 1, "Anna")
        visit(store, "two", 1, 1, known("Anna"))
        traces = all_sealed_values(state_dir)
        assert len(traces) == 12 + 6 + 4, "crops and embeddings of the visits, of the enrolled, and the templates"
        assert found(state_dir, traces) == traces
        store.remove_person("Anna")
        assert found(state_dir, traces) == []
        assert store.visitors.all() == []
        assert {sighting.name for sighting in store.sightings()} == {"somebody forgotten"}
        assert {sighting.snapshot for sighting in store.sightings()} == {None}
        assert found(state_dir, [b"Anna"]) == []


def test_faces_and_visitors_go_with_their_sightings(store: Store) -> None:
    visit(store, "old", 1)
    visit(store, "again", 2)
    visit(store, "new", 2, 1, when=NOON + 31 * DAY)
    pruned = store.prune(StoreConfig(keep_days=30), NOON + 31 * DAY)
    assert (pruned.sightings, pruned.visitors) == (2, 1)
    assert visits(store) == {2: 2}, "how often somebody came is remembered while they are"
    assert len(store.visitors.faces(2)) == 3


def test_marked_strangers_outlive_the_sighting(store: Store) -> None:
    store.add_person("Tom", known_to(2))
    visit(store, "one", 1)
    store.corrections.not_known("one", None, CHOOSE)
    store.prune(StoreConfig(keep_days=30), NOON + 31 * DAY)
    assert store.sightings() == []
    assert store.marked_strangers(MODEL).shape == (3, 192)
    assert visit(store, "again", 1, 1, when=NOON + 31 * DAY) == 1


def test_the_oldest_faces_make_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        when = NOON + number * DAY
        late = tuple(replace(face, taken_at=when) for face in faces(number))
        store.record(replace(sighting(f"s{number}", when=when), faces=late))
        store.visitors.group(f"s{number}", CHOOSE)
    crop = len(png_bytes(faces(1)[0].face.image)) + 4 * 192
    pruned = store.prune(StoreConfig(keep_days=0, max_faces_mb=6.5 * crop / 1e6), NOON)
    assert (pruned.faces, pruned.visitors) == (6, 2)
    assert [len(store.faces_seen(f"s{number}")) for number in range(4)] == [0, 0, 3, 3]
    assert sorted(visits(store)) == [3, 4]


def test_daemon_and_command_line_work_on_the_same_visitor_at_once(state_dir: Path) -> None:
    """Visits are recorded while somebody names: every visit is one visitor's, and none is lost or counted twice."""
    with Store.open(state_dir) as daemon, Store.open(state_dir) as command:
        visit(daemon, "first", 1)
        watching = threading.Thread(target=lambda: [visit(daemon, f"s{n}", 1, n) for n in range(1, 8)])
        watching.start()
        name(command, 1, "Anna")
        watching.join()
        counted = visits(command)
        assert sum(counted.values()) == 8
        assert all(len(command.visitors.visits(number)) == count for number, count in counted.items())


def test_embeddings_are_read_without_reading_the_pictures(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        visit(store, "one", 1)
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(seen_faces)")]
    assert columns[-1] == "crop_png"


def test_a_face_that_makes_no_sense_is_refused_whole(store: Store) -> None:
    broken = replace(faces(1)[0], embedding=np.full(192, np.nan, np.float32))
    with pytest.raises(ValueError, match="finite"):
        store.record(replace(sighting("one"), faces=(broken,)))
    assert store.sightings() == []


def test_no_marks_are_an_empty_matrix(store: Store) -> None:
    with store._database.read() as session:
        assert marked_strangers.embeddings(session, MODEL).dtype == np.float32
        assert marked_strangers.hard_negatives(session, MODEL, {}) == []


def test_two_visitors_who_are_one_person_are_merged(store: Store) -> None:
    for number, person in enumerate([1, 2, 1]):
        visit(store, f"s{number}", person, number, when=NOON + number * DAY)
    merged = store.visitors.merge(2, 1)
    assert visits(store) == {2: 3}
    assert store.visitors.visits(2) == ["s0", "s1", "s2"]
    assert len(store.visitors.faces(2)) == 9
    assert (merged.first_seen, merged.last_seen.date()) == (NOON, (NOON + 2 * DAY).date())


def test_the_next_visit_of_either_is_one_of_the_merged_visitor(store: Store) -> None:
    visit(store, "one", 1)
    visit(store, "two", 2)
    store.visitors.merge(1, 2)
    assert visit(store, "three", 3) == 3
    assert visits(store) == {1: 2, 3: 1}


def test_what_was_marked_of_a_merged_visitor_still_counts(store: Store) -> None:
    store.add_person("Anna", known_to(1))
    store.record(replace(sighting("not-anna", known("Anna")), faces=faces(2)))
    number, _ = store.corrections.not_known("not-anna", "Anna", CHOOSE)
    visit(store, "other", 3)
    (other,) = (one.identifier for one in store.visitors.all() if one.identifier != number)
    before, revision = store.marked_strangers(MODEL), store.people_revision()
    store.visitors.merge(other, number)
    assert np.array_equal(store.marked_strangers(MODEL), before)
    assert len(store.hard_negatives(MODEL)) == 1
    assert store.visitors.find(other).marked
    assert store.people_revision() > revision


def test_a_visitor_is_not_merged_with_itself_or_one_who_is_named(store: Store) -> None:
    visit(store, "one", 1)
    visit(store, "two", 2)
    with pytest.raises(UsageError, match="merged with itself"):
        store.visitors.merge(1, 1)
    with pytest.raises(UsageError, match="no visitor 9"):
        store.visitors.merge(1, 9)
    name(store, 1, "Anna")
    with pytest.raises(UsageError, match="was named Anna") as refused:
        store.visitors.merge(2, 1)
    assert "visitors name 2 'Anna'" in str(refused.value.hint)
    assert visits(store) == {1: 1, 2: 1}


def test_one_face_of_a_visitor_is_found_by_its_number(store: Store) -> None:
    visit(store, "one", 1)
    visit(store, "two", 2)
    first, other = store.visitors.faces(1)[0], store.visitors.faces(2)[0]
    assert first.identifier is not None
    assert other.identifier is not None
    assert np.array_equal(store.visitors.face(1, first.identifier).seen.face.image, first.seen.face.image)
    with pytest.raises(UsageError, match="no such face"):
        store.visitors.face(1, other.identifier)


def test_the_clearest_face_of_a_visitor_stands_for_them(store: Store) -> None:
    visit(store, "one", 1)
    store.record(replace(sighting("two", when=NOON + DAY), faces=(seen(looks(1, 5), 5, clarity=0.99),)))
    store.visitors.group("two", CHOOSE)
    assert store.visitors.face(1).seen.face.quality.clarity == 0.99
    store.visitors.forget(1)
    with pytest.raises(UsageError, match="no visitor 1"):
        store.visitors.face(1)


def test_the_visitors_most_like_one_come_first_and_those_with_a_name_not_at_all(store: Store) -> None:
    for number, person in enumerate([1, 2, 3, 4]):
        visit(store, f"s{number}", person)
    mixed = tuple(seen(between(looks(1, day), looks(3, day)), day) for day in range(3))
    store.record(replace(sighting("mixed"), faces=mixed))
    number = store.visitors.group("mixed", lambda *_: None)
    name(store, 4, "Dan")
    (first, high), (second, low), (last, least) = store.visitors.nearest(number)
    assert ({first, second}, last) == ({1, 3}, 2)
    assert high >= low > least
    with pytest.raises(UsageError):
        store.visitors.nearest(99)
