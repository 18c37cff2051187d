"""The stopwatch around the stages."""

from __future__ import annotations

import pytest

from benchmarks import stopwatch
from benchmarks.stopwatch import Stopwatch, Timed


class Clock:
    """The processor time of this thread, which passes as the test says."""

    now = 100.0

    def thread_time(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(Clock, "now", 100.0)
    monkeypatch.setattr(stopwatch, "time", Clock())
    return Clock()


def _spin(seconds: float) -> None:
    Clock.now += seconds


def test_a_stage_within_a_stage_is_counted_once() -> None:
    watch = Stopwatch()
    with watch.stage("outer"):
        _spin(0.02)
        with watch.stage("inner"):
            _spin(0.03)
    watch.stop()
    assert watch.seconds["outer"] == pytest.approx(0.02)
    assert watch.seconds["inner"] == pytest.approx(0.03)


def test_what_is_in_no_stage_is_other() -> None:
    watch = Stopwatch()
    _spin(0.02)
    watch.stop()
    assert watch.seconds["other"] == pytest.approx(0.02)


def test_the_making_of_each_item_is_timed_and_the_use_of_it_is_not() -> None:
    watch = Stopwatch()

    def items():  # type: ignore[no-untyped-def]
        for item in "ab":
            _spin(0.01)
            yield item

    for _ in watch.each(items(), "made"):
        _spin(0.03)
    watch.stop()
    assert watch.seconds["made"] == pytest.approx(0.02)


def test_a_split_holds_only_what_was_since_the_last() -> None:
    watch = Stopwatch()
    with watch.stage("work"):
        _spin(0.02)
    assert watch.split()["work"] == pytest.approx(0.02)
    assert watch.split()["work"] == 0.0


def test_a_failing_stage_is_closed() -> None:
    watch = Stopwatch()
    with pytest.raises(ZeroDivisionError):
        watch.wrap(lambda: 1 / 0, "bad")()
    _spin(0.01)
    watch.stop()
    assert watch.seconds["other"] >= 0.01


def test_a_timed_object_is_the_object_in_all_else() -> None:
    watch = Stopwatch()
    timed = Timed([3, 1], watch, {"append": "adding"})
    timed.append(2)
    timed.sort()
    assert timed.pop() == 3
    assert watch.calls == {"adding": 1}
