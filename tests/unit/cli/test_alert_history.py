"""Times as people write them."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from facesecure.cli.alert_history import moment
from facesecure.domain.errors import UsageError

NOW = datetime(2031, 5, 30, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "age"), [("90m", timedelta(minutes=90)), ("12h", timedelta(hours=12)), ("7D", timedelta(days=7))]
)
def test_an_age_counts_back_from_now(text, age):
    assert moment(text, NOW) == NOW - age


def test_a_time_with_a_zone_means_that_zone():
    assert moment("2031-05-30T20:00+02:00", NOW) == NOW


def test_a_time_without_a_zone_means_the_machines():
    assert moment("2031-05-30T18:00", NOW) == datetime(2031, 5, 30, 18, 0).astimezone(UTC)


def test_today_begins_at_the_machines_midnight():
    today = moment("today", NOW).astimezone()
    assert (today.hour, today.minute) == (0, 0)
    assert moment("today", NOW) - moment("yesterday", NOW) == timedelta(days=1)


@pytest.fixture
def paris(monkeypatch):
    """The machine's zone, whose clocks went forward on 2031-03-30 and back on 2031-10-26."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("paris")
@pytest.mark.parametrize(
    ("now", "text", "expected"),
    [
        ((3, 30, 16), "today", (3, 29, 23)),  # midnight was in winter time, an hour from UTC
        ((3, 31, 16), "yesterday", (3, 29, 23)),
        ((3, 30, 16), "1:30", (3, 30, 0, 30)),
        ((10, 26, 16), "today", (10, 25, 22)),  # and here in summer time, two hours
        ((10, 27, 16), "yesterday", (10, 25, 22)),
        ((10, 27, 16), "24h", (10, 26, 16)),
    ],
)
def test_days_begin_at_midnight_even_when_the_clock_changes(now, text, expected):
    assert moment(text, datetime(2031, *now, tzinfo=UTC)) == datetime(2031, *expected, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "now", "text", "expected"),
    [
        ("America/Santiago", (2026, 9, 6, 5), "today", (2026, 9, 6, 4)),  # 24:00 was followed by 01:00
        ("America/Santiago", (2026, 9, 7, 5), "yesterday", (2026, 9, 6, 4)),
        ("America/Santiago", (2026, 9, 7, 5), "2026-09-06", (2026, 9, 6, 4)),
        ("Asia/Beirut", (2026, 3, 29, 9), "00:30", (2026, 3, 28, 22)),
        ("Europe/Paris", (2031, 3, 30, 16), "2:30", (2031, 3, 30, 1)),
        ("Australia/Lord_Howe", (2026, 10, 4, 9), "02:15", (2026, 10, 3, 15, 30)),  # by half an hour
        ("Europe/Paris", (2031, 10, 26, 16), "2:30", (2031, 10, 26, 0, 30)),  # twice: the first, which leaves none out
    ],
)
def test_a_time_that_the_clock_skips_is_the_end_of_the_gap(zone, now, text, expected, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setenv("TZ", zone)
        time.tzset()
        found = moment(text, datetime(*now, tzinfo=UTC))
    time.tzset()
    assert found == datetime(*expected, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("11:00", (30, 11, 0)), ("9:05", (30, 9, 5)), ("18:00:00", (30, 18, 0)), ("18:01", (29, 18, 1))],
)
def test_a_time_of_day_is_the_latest_that_has_passed(text, expected):
    now = datetime(2031, 5, 30, 18, 0).astimezone()
    assert moment(text, now) == datetime(2031, 5, *expected).astimezone(UTC)


@pytest.mark.parametrize("text", ["25:00", "soon", "", "12x", "2031-13-01", "999999w", "-3h"])
def test_anything_else_is_refused_with_examples(text):
    with pytest.raises(UsageError, match="is not a time") as caught:
        moment(text, NOW)
    assert "7d" in caught.value.hint
