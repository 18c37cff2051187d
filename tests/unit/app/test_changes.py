"""The feed of changes that pages wait for."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from facesecure.app.change_hooks import VisitChanges, delivery_changes, trouble_changes
from facesecure.app.changes import ChangeFeed, Topic
from facesecure.domain import Alert, AlertKind
from facesecure.domain.camera_events import CameraEvent, Trouble
from facesecure.pipeline.observer import NullObserver
from support.store import sighting


@pytest.fixture
def feed() -> ChangeFeed:
    return ChangeFeed(first=1)


def changed(feed: ChangeFeed) -> list[str]:
    return [topic for topic, number in feed.numbers().items() if number != 1]


def test_a_change_is_counted_under_its_topic(feed):
    feed.bump(Topic.MODE)
    feed.bump(Topic.MODE, Topic.VISITS)
    assert {topic: number for topic, number in feed.numbers().items() if number > 1} == {"mode": 3, "visits": 2}


def test_who_knows_nothing_yet_is_answered_at_once(feed):
    began = time.monotonic()
    assert feed.wait({}, 10) == dict.fromkeys([topic.value for topic in Topic], 1)
    assert time.monotonic() - began < 5


def test_who_has_missed_a_change_is_answered_at_once(feed):
    feed.bump(Topic.DRILL)
    assert feed.wait({"drill": 1, "mode": 1}, 10)["drill"] == 2


def test_numbers_of_an_earlier_run_are_other_numbers(feed):
    assert feed.wait({"mode": 999}, 10)["mode"] == 1
    assert ChangeFeed().numbers()["mode"] > 1_600_000_000_000


def test_who_is_up_to_date_waits_for_the_next_change(feed):
    began = time.monotonic()
    threading.Timer(0.2, feed.bump, (Topic.VISITS,)).start()
    assert feed.wait({"visits": 1}, 10)["visits"] == 2
    assert 0.15 < time.monotonic() - began < 5


def test_other_topics_are_not_waited_for(feed):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.wait, {"visits": 1}, 60)
        feed.bump(Topic.MODE)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        feed.bump(Topic.VISITS)
        found = waiting.result(30)
    assert (found["mode"], found["visits"]) == (2, 2)


def test_nobody_waits_for_longer_than_asked(feed):
    began = time.monotonic()
    feed.wait({"mode": 1}, 0.2)
    assert 0.15 < time.monotonic() - began < 5


def test_what_is_noticed_by_a_look_is_answered(feed):
    looks = []

    def look() -> bool:
        looks.append(1)
        if len(looks) == 2:
            feed.bump(Topic.PEOPLE)
        return False

    assert feed.wait({"people": 1}, 10, look)["people"] == 2
    assert len(looks) == 2


def test_for_who_is_gone_nothing_is_waited_for(feed):
    looks = iter([False, True])
    began = time.monotonic()
    feed.wait({"people": 1}, 20, lambda: next(looks))
    assert time.monotonic() - began < 10


def test_who_waits_is_answered_when_the_daemon_stops(feed):
    threading.Timer(0.1, feed.close).start()
    began = time.monotonic()
    feed.wait({"mode": 1}, 10)
    feed.wait({"mode": 1}, 10)
    assert time.monotonic() - began < 5


def test_a_change_waits_for_nobody(feed):
    threads = [threading.Thread(target=feed.wait, args=({"mode": 1}, 10), daemon=True) for _ in range(100)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    feed.bump(Topic.VISITS)
    feed.bump(Topic.MODE)
    assert time.monotonic() - began < 5
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


class Noting(NullObserver):
    """Notes what the feed said as the sighting came."""

    def __init__(self, feed: ChangeFeed) -> None:
        self._feed = feed
        self.before: list[str] = []

    def on_sighting(self, sighting):
        self.before = changed(self._feed)
        return sighting


def test_a_sighting_is_a_change_once_it_is_recorded(feed):
    inner = Noting(feed)
    observer = VisitChanges(inner, feed)
    seen = observer.on_sighting(sighting("a"))
    assert inner.before == []
    assert observer.on_alerts(seen, []) == []
    assert changed(feed) == ["visits"]


def test_the_end_of_a_visit_may_have_made_a_visitor(feed):
    VisitChanges(NullObserver(), feed).on_alerts(replace(sighting("a"), closing=True), [])
    assert changed(feed) == ["visits", "visitors"]


def test_a_drills_visit_is_none(feed):
    VisitChanges(NullObserver(), feed).on_alerts(replace(sighting("a"), staged=True), [])
    assert changed(feed) == []


def test_a_delivery_is_a_change_and_that_of_a_trouble_two(feed):
    step = delivery_changes(feed)
    step(Alert(AlertKind.STRANGER, "a stranger", sighting=sighting("a")), "log", "delivered")
    assert changed(feed) == ["deliveries"]
    step(Alert(AlertKind.CAMERA, "the camera is offline"), "log", "delivered")
    assert changed(feed) == ["troubles", "deliveries"]


def test_a_cameras_trouble_is_a_change_after_it_was_handled(feed):
    handled = []
    told = trouble_changes(lambda event: handled.append((event, changed(feed))), feed)
    event = CameraEvent(Trouble.OFFLINE, over=False, why="no frame")
    told(event)
    assert handled == [(event, [])]
    assert changed(feed) == ["troubles"]
