"""Rates are read in the ways that people write them, and what is no rate is refused."""

import datetime

import pytest

from facesecure.util.rates import false_accept_warning, number, parse_rate


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (1e-5, 1e-5),
        (0.5, 0.5),
        ("1/1000", 1e-3),
        (" 1 / 1,000 ", 1e-3),
        ("1 in 40,000", 2.5e-5),
        ("1 In 1e6", 1e-6),
        ("1:1000", 1e-3),
        ("0.001", 1e-3),
        (".001", 1e-3),
        ("0.1%", 1e-3),
        (" 0.1 %", 1e-3),
        ("1e-4", 1e-4),
        ("1/2", 0.5),
    ],
)
def test_a_rate_may_be_written_in_several_ways(value, rate):
    assert parse_rate(value) == pytest.approx(rate)


NO_TEXT = ["", "0", "1/0", "0/0", "-1/10", "60%", "1/1", "nan", "inf", "1/1000/2", "1/2%", "0,1%", "1.2.3", "9" * 5000]
NO_VALUE = [0, -0.1, 0.51, 1, 10**400, float("nan"), float("inf"), True, None, [0.1], {}, datetime.date(1, 1, 1)]


@pytest.mark.parametrize("value", [*NO_TEXT, *NO_VALUE])
def test_what_is_no_rate_is_refused(value):
    with pytest.raises(ValueError, match=r"must be a rate above 0 and up to 0\.5, such as 1/1000") as caught:
        parse_rate(value)
    assert len(str(caught.value)) < 160


def test_a_rate_that_makes_no_sense_for_a_door_is_warned_of():
    assert "1 stranger in 2 is let in" in false_accept_warning(0.5)
    assert "missed" in false_accept_warning(1e-12)
    assert [false_accept_warning(rate) for rate in (1e-2, 1e-3, 1e-5, 1e-9)] == [""] * 4


def test_numbers_are_given_to_two_figures():
    assert [number(chance) for chance in (1.0, 1 / 29_876, 2.4e-7)] == ["1", "30,000", "4,200,000"]
