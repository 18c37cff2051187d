"""Pages of the timeline, in a real database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import event, text

from facesecure.domain import Alert, Subject, VerdictKind
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus, PlannedDelivery
from facesecure.domain.errors import UsageError
from facesecure.domain.timeline import TimelineVisit
from facesecure.storage.sightings import Filter
from facesecure.storage.store import Store
from support.builders import NOON
from support.store import STRANGER, UNIDENTIFIED, enrolled_face, known, sighting
from support.visitors import CHOOSE, visit

LATEST = Filter(latest_only=True)
LATER = NOON + timedelta(days=400)


def names(page: list[TimelineVisit]) -> list[str]:
    return [one.sighting.identifier for one in page]


def test_pages_follow_each_other_without_gap_or_repetition(store: Store) -> None:
    for number in range(10):
        store.record(sighting(f"visit-{number}", when=NOON + timedelta(minutes=number // 3)))  # some at the same time
    pages, before = [], None
    while page := store.timeline.page(LATEST, before, 3):
        pages.append(names(page))
        before = page[-1].place
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert [name for page in pages for name in page] == [f"visit-{number}" for number in range(9, -1, -1)]


def test_a_visit_that_comes_meanwhile_moves_no_page(store: Store) -> None:
    for number in range(4):
        store.record(sighting(f"visit-{number}", when=NOON + timedelta(minutes=number)))
    first = store.timeline.page(LATEST, None, 2)
    store.record(sighting("new", when=NOON + timedelta(hours=1)))
    assert names(store.timeline.page(LATEST, first[-1].place, 2)) == ["visit-1", "visit-0"]


def test_what_a_later_sighting_supersedes_is_not_shown(store: Store) -> None:
    store.record(sighting("first", UNIDENTIFIED))
    store.record(sighting("second", when=NOON + timedelta(seconds=1), supersedes="first"))
    assert names(store.timeline.page(LATEST, None, 10)) == ["second"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(kind=VerdictKind.STRANGER), ["stranger"]),
        (Filter(name="tom"), ["tom"]),
        (Filter(cameras=["gate"]), ["cat"]),
        (Filter(subject=Subject.ANIMAL), ["cat"]),
        (Filter(subject=Subject.NOTHING), ["shadow"]),
        (Filter(reviewed=False), ["cat", "shadow", "stranger"]),
        (Filter(reviewed=True), ["tom"]),
        (Filter(since=NOON + timedelta(minutes=3)), ["cat"]),
    ],
)
def test_filters_select(store: Store, wanted: Filter, found: list[str]) -> None:
    store.add_person("Tom", [enrolled_face()])
    store.record(sighting("tom", known("Tom")))
    store.record(sighting("stranger", when=NOON + timedelta(minutes=1)))
    shadow = sighting("shadow", UNIDENTIFIED, NOON + timedelta(minutes=2))
    store.record(replace(shadow, subject=Subject.NOTHING))
    cat = sighting("cat", UNIDENTIFIED, NOON + timedelta(minutes=3))
    store.record(replace(cat, subject=Subject.ANIMAL, source="gate"))
    store.timeline.review("tom")
    assert names(store.timeline.page(wanted, None, 10)) == found


def test_the_third_visit_of_a_visitor_says_so(store: Store) -> None:
    for number in range(3):
        visit(store, f"visit-{number}", 1, number, when=NOON + timedelta(days=number))
    visit(store, "another", 2, when=NOON + timedelta(days=9))
    page = store.timeline.page(LATEST, None, 10)
    assert {one.sighting.identifier: one.count for one in page} == {
        "another": 1,
        "visit-2": 3,
        "visit-1": 2,
        "visit-0": 1,
    }


def test_visits_that_retention_removed_still_count(store: Store) -> None:
    for number in range(3):
        visit(store, f"visit-{number}", 1, number, when=NOON + timedelta(days=number))
    with store._database.write() as session:
        session.execute(text("DELETE FROM sightings WHERE identifier = 'visit-0'"))
    assert [one.count for one in store.timeline.page(LATEST, None, 10)] == [3, 2]


def test_a_visit_comes_with_its_alerts_and_who_heard(store: Store) -> None:
    seen = sighting("one")
    store.record(seen)
    store.record(sighting("other", when=NOON + timedelta(seconds=1)))
    alert = Alert.about(seen, "A stranger is here.")
    planned = [PlannedDelivery(channel, LATER) for channel in ("phone", "speaker")]
    store.outbox.write(alert, planned)
    store.outbox.mark(alert.identifier, "phone", DeliveryStatus(DeliveryState.DELIVERED, 1, "phone"))
    quiet, told = store.timeline.page(LATEST, None, 10)
    assert quiet.alerts == ()
    (one,) = told.alerts
    assert one.alert.text == "A stranger is here."
    assert {d.channel: d.status.state.value for d in one.deliveries} == {"phone": "delivered", "speaker": "pending"}


def test_an_alert_that_others_moved_to_another_visit_is_not_shown_there(store: Store) -> None:
    for name in ("one", "other"):
        store.record(sighting(name))
    store.outbox.write(Alert.about(sighting("one"), "A stranger is here."), [PlannedDelivery("phone", LATER)])
    with store._database.write() as session:
        session.execute(text("UPDATE alerts SET sighting = 'other'"))
    assert [(one.sighting.identifier, one.alerts) for one in store.timeline.page(LATEST, None, 1)] == [("other", ())]


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_1: object, _2: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(store._database._engine, "before_cursor_execute", note)
    yield statements
    event.remove(store._database._engine, "before_cursor_execute", note)


def test_a_long_page_takes_as_many_queries_as_a_short_one(store: Store) -> None:
    for number in range(12):
        visit(store, f"visit-{number}", number % 4, number, when=NOON + timedelta(minutes=number))
        alert = Alert.about(sighting(f"visit-{number}"), "A stranger is here.")
        store.outbox.write(alert, [PlannedDelivery("phone", LATER)])
    lengths = []
    for size in (1, 12):
        with counted(store) as statements:
            assert len(store.timeline.page(LATEST, None, size)) == size
        lengths.append(len(statements))
    assert lengths[0] == lengths[1] <= 6


def test_marking_as_reviewed_keeps_the_first_time_and_can_be_undone(store: Store) -> None:
    store.record(sighting("one"))
    store.timeline.review("one")
    first = store.timeline.find("one").reviewed_at
    store.timeline.review("one")
    assert first is not None
    assert store.timeline.find("one").reviewed_at == first
    store.timeline.review("one", reviewed=False)
    assert store.timeline.find("one").reviewed_at is None


def test_all_are_reviewed_but_what_came_after_the_page(store: Store) -> None:
    for number in range(4):
        store.record(sighting(f"visit-{number}", when=NOON + timedelta(minutes=number)))
    newest = store.timeline.page(LATEST, None, 10)[1].place
    assert store.timeline.to_review() == 4
    assert store.timeline.review_until(newest) == 3
    assert store.timeline.to_review() == 1
    assert names(store.timeline.page(Filter(reviewed=False), None, 10)) == ["visit-3"]


def test_whoever_corrects_a_visit_has_reviewed_it(store: Store) -> None:
    visit(store, "one", 1, verdict=STRANGER)
    store.corrections.not_known("one", None, CHOOSE)
    assert store.timeline.find("one").reviewed_at is not None


@pytest.mark.parametrize("identifier", ["", "on", "another"])
def test_a_visit_is_found_by_its_whole_identifier_only(store: Store, identifier: str) -> None:
    store.record(sighting("one"))
    with pytest.raises(UsageError, match="no sighting"):
        store.timeline.find(identifier)
    with pytest.raises(UsageError, match="no sighting"):
        store.timeline.review(identifier)


def test_pages_are_in_order_whatever_zone_the_place_is_in(store: Store) -> None:
    for number in range(30):
        store.record(sighting(f"visit-{number:02}", when=NOON + timedelta(microseconds=number)))
    page = store.timeline.page(LATEST, None, 30)
    assert all(newer.place > older.place for newer, older in pairwise(page))
    when, identifier = page[10].place
    assert names(store.timeline.page(LATEST, (when.astimezone(), identifier), 30)) == names(page[11:])
