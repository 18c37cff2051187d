"""Quiet hours over midnights, weekends, and nights when the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.domain.schedule import Hours, wall_clock, within

PARIS = ZoneInfo("Europe/Paris")
NIGHT = Hours.parse("22:00-07:00")


def on(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("time", "quiet"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_a_night_crosses_midnight_and_ends_on_the_minute(time, quiet):
    assert (NIGHT.began(on(f"2026-05-05T{time}")) is not None) is quiet


def test_a_night_belongs_to_the_day_on_which_it_began():
    friday_nights = Hours.parse("Fri 22:00-07:00")
    assert friday_nights.began(on("2026-05-08T23:00")) == on("2026-05-08T22:00")
    assert friday_nights.began(on("2026-05-09T06:00")) == on("2026-05-08T22:00")
    assert friday_nights.began(on("2026-05-08T06:00")) is None
    assert friday_nights.began(on("2026-05-09T23:00")) is None


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri 09:00-17:00", {0, 1, 2, 3, 4}),
        ("weekdays 9:00-17:00", {0, 1, 2, 3, 4}),
        ("Sat, sun 09:00-17:00", {5, 6}),
        ("weekends 09:00 - 17:00", {5, 6}),
        ("Fri-Mon 09:00-17:00", {4, 5, 6, 0}),
        ("Wednesday,Sat-Sun 09:00-17:00", {2, 5, 6}),
        ("daily 09:00-17:00", set(range(7))),
        ("09:00-17:00", set(range(7))),
    ],
)
def test_days_are_written_as_people_write_them(text, days):
    assert Hours.parse(text) == Hours(9 * 60, 17 * 60, frozenset(days))


def test_a_whole_day_ends_at_twenty_four():
    sundays = Hours.parse("Sun 00:00-24:00")
    assert sundays.began(on("2026-05-10T23:59")) == on("2026-05-10T00:00")
    assert sundays.began(on("2026-05-11T00:00")) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a range of hours"),
        ("22:00", "is not a range of hours"),
        ("22-7", "'22' is not a time of day"),
        ("25:00-07:00", "times are 00:00 to 24:00"),
        ("22:60-07:00", "times are 00:00 to 24:00"),
        ("24:00-07:00", "write 00:00"),
        ("07:00-07:00", "for a whole day write 00:00-24:00"),
        ("Mond-Fri 22:00-07:00", "'Mond' is not a day of the week; did you mean 'Mon'?"),
        ("week-ends 22:00-07:00", "did you mean"),
        ("Mon,,Tue 22:00-07:00", "'' is not a day of the week"),
    ],
)
def test_what_are_no_hours_is_said_with_what_was_meant(text, said):
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        Hours.parse(text)


def test_the_night_when_the_clocks_go_forward_is_an_hour_shorter_and_quiet_to_its_end():
    quiet = [minute for minute in range(24 * 60) if NIGHT.began(_paris("2026-03-28T12:00", minute))]
    assert len(quiet) == 8 * 60
    assert quiet == list(range(quiet[0], quiet[-1] + 1))


def test_the_night_when_the_clocks_go_back_is_an_hour_longer_and_quiet_to_its_end():
    quiet = [minute for minute in range(25 * 60) if NIGHT.began(_paris("2026-10-24T12:00", minute))]
    assert len(quiet) == 10 * 60
    assert quiet == list(range(quiet[0], quiet[-1] + 1))


def test_hours_that_the_clocks_skip_never_come_and_harm_nothing():
    skipped = Hours.parse("02:00-03:00")
    assert not any(skipped.began(_paris("2026-03-28T20:00", minute)) for minute in range(12 * 60))


def test_of_several_hours_the_one_that_began_last_counts():
    both = [NIGHT, Hours.parse("05:00-09:00")]
    assert within(both, on("2026-05-05T06:00")) == on("2026-05-05T05:00")
    assert within(both, on("2026-05-05T12:00")) is None
    assert within([], on("2026-05-05T12:00")) is None


@given(
    start=st.integers(0, 1439),
    end=st.integers(1, 1440),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
)
def test_hours_began_at_most_a_day_ago_on_one_of_their_days(start, end, days, moment):
    began = Hours(start, end, days).began(moment)
    if began is None:
        return
    assert timedelta(0) <= moment - began < timedelta(days=1)
    assert began.weekday() in days
    assert began.hour * 60 + began.minute == start


def _paris(start: str, minutes: int) -> datetime:
    """``minutes`` that really passed after ``start`` in Paris, as the clock there shows it."""
    return wall_clock(on(start).replace(tzinfo=PARIS).astimezone(UTC) + timedelta(minutes=minutes), PARIS)
