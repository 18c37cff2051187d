"""Times as people write them."""

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


@pytest.mark.parametrize("text", ["soon", "", "12x", "2031-13-01", "999999w", "-3h"])
def test_anything_else_is_refused_with_examples(text):
    with pytest.raises(UsageError, match="is not a time") as caught:
        moment(text, NOW)
    assert "7d" in caught.value.hint
