"""Where a visitor was, in order; and one book of visitors, whichever camera's thread writes in it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.domain import Verdict
from facesecure.domain.errors import StoreError
from facesecure.storage.store import Store
from support.builders import NOON
from support.faults.household import wait_until
from support.store import STRANGER, UNIDENTIFIED, known, sighting
from support.visitors import CHOOSE, faces

GATE, DOOR, GARAGE = "gate", "front door", "garage"


def seen(store: Store, identifier: str, camera: str, seconds: float, verdict: Verdict, person: int = 0) -> None:
    """Record a visit of two seconds to its end; a stranger's is grouped."""
    made = replace(sighting(identifier, verdict, NOON + timedelta(seconds=seconds)), source=camera)
    made = replace(made, faces=faces(person, int(seconds)) if person else ())
    store.record(made)
    store.update(replace(made, closing=True))
    if verdict is STRANGER:
        store.visitors.group(identifier, CHOOSE)


def test_a_stranger_at_the_gate_and_then_at_the_door_is_one_visitor_who_went_that_way(store: Store) -> None:
    seen(store, "one", GATE, 0, STRANGER, 1)
    seen(store, "two", GATE, 10, STRANGER, 1)
    seen(store, "other", GARAGE, 12, STRANGER, 2)
    seen(store, "three", DOOR, 30, STRANGER, 1)
    first, second = sorted(store.visitors.all(), key=lambda visitor: visitor.identifier)
    assert (first.visits, first.route) == (3, (GATE, DOOR))
    assert (second.visits, second.route) == (1, (GARAGE,))
    for identifier in ("one", "two", "three"):
        assert store.route(identifier) == [GATE, DOOR]


def test_a_stay_ends_with_a_longer_pause(store: Store) -> None:
    seen(store, "one", GATE, 0, STRANGER, 1)
    seen(store, "two", DOOR, 300, STRANGER, 1)
    seen(store, "three", GARAGE, 605, STRANGER, 1)
    assert store.route("one") == [GATE, DOOR]
    assert store.route("three") == [GARAGE]
    (visitor,) = store.visitors.all()
    assert visitor.route == (GARAGE,)


def test_a_known_person_is_followed_by_name_as_corrected(store: Store) -> None:
    seen(store, "one", GATE, 0, known("Anna"))
    seen(store, "tom", GARAGE, 5, known("Tom"))
    seen(store, "two", DOOR, 20, known("Anna"))
    assert store.route("two") == [GATE, DOOR]
    assert store.route("tom") == [GARAGE]


def test_a_verdict_that_was_replaced_lies_on_nobodys_way(store: Store) -> None:
    seen(store, "wrong", GATE, 0, known("Anna"))
    made = replace(sighting("right", STRANGER, NOON, supersedes="wrong"), source=GATE, faces=faces(1, 0))
    store.record(made)
    store.visitors.group("right", CHOOSE)
    seen(store, "anna", DOOR, 20, known("Anna"))
    assert store.route("anna") == [DOOR]
    assert store.route("wrong") == [GATE]


def test_nobody_is_followed_who_was_not_recognised(store: Store) -> None:
    seen(store, "one", GATE, 0, UNIDENTIFIED)
    seen(store, "two", DOOR, 20, UNIDENTIFIED)
    assert store.route("two") == [DOOR]
    with pytest.raises(StoreError):
        store.route("nobody")


@pytest.mark.parametrize("resident", [False, True])
def test_two_cameras_that_end_a_strangers_visit_at_the_same_moment_make_one_visitor(
    state_dir: Path, resident: bool
) -> None:
    """``resident``: through the daemon's queue of writes."""
    with Store.open(state_dir, resident=resident) as store:
        start = threading.Barrier(2, timeout=20)

        def pipeline(camera: str, person: int) -> None:
            made = replace(sighting(f"{len(camera)}-{person}"), source=camera, faces=faces(person, len(camera)))
            store.record(made)
            store.update(replace(made, closing=True))
            start.wait()
            store.visitors.group(made.identifier, CHOOSE)

        with ThreadPoolExecutor(2) as cameras:
            for person in range(1, 9):
                list(cameras.map(pipeline, (GATE, DOOR), (person, person)))
        wait_until(lambda: sum(visitor.visits for visitor in store.visitors.all()) == 16, "end of the writes")
        assert [visitor.visits for visitor in store.visitors.all()] == [2] * 8
        assert {frozenset(visitor.route) for visitor in store.visitors.all()} == {frozenset({GATE, DOOR})}
