"""The bench of the hub reckons from what each door noted."""

from __future__ import annotations

import pytest

from benchmarks.hub import _delays, _figures
from benchmarks.hub_estate import Seat
from benchmarks.hub_load import Course

DOORS = ("a", "b", "c")
SEATS = [Seat(door, "house", "url", "password", "root", (b"", b""), b"", b"", DOORS) for door in DOORS]


def test_delays_are_to_the_other_doors_of_the_household_and_who_never_saw_it_is_counted() -> None:
    neighbours = {seat.door: seat.neighbours for seat in SEATS}
    seen = {("person", "a"): 1.0, ("person", "b"): 3.5}
    assert _delays({("person", "a"): 1.0}, seen, neighbours, lambda *_: True) == ([2.5], 1)
    assert _delays({("person", "a"): 1.0}, seen, neighbours, lambda *_: False) == ([2.5], 0)


def test_figures_name_what_happened() -> None:
    noted = [("enrolled", "p", "a", 1.0), ("known", "p", "b", 1.2), ("known", "p", "c", 1.4), ("turn", "v", "b", 0.05)]
    figures = _figures(SEATS, [Course(noted=noted, errors=2)], 1.0, 6.0, 100.0)
    assert (figures.visits, figures.enrolled, figures.removed, figures.missing, figures.errors) == (1, 1, 0, 0, 2)
    assert figures.known == (pytest.approx(0.3), pytest.approx(0.39))
    assert figures.wiped == (0.0, 0.0)
