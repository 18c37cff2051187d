"""Which door somebody means."""

from __future__ import annotations

import unicodedata

import pytest

from facesecure.domain.errors import UsageError
from facesecure.domain.names import LONGEST_NAME
from facesecure.hub.door_names import door_called, free_name
from facesecure.hub.identity import Certificate
from facesecure.hub.row_checks import require_name
from support.estate import Estate


@pytest.fixture
def estate() -> Estate:
    return Estate()


def doors_of(estate: Estate, *names: str) -> list[Certificate]:
    return [estate.door(name).own() for name in names]


@pytest.mark.parametrize("word", ["Küche", "KÜCHE", unicodedata.normalize("NFD", "küche"), " Küche  "])
def test_a_door_is_found_by_its_name_as_people_write_it(estate: Estate, word: str) -> None:
    _, kitchen = doors = doors_of(estate, "front", "Küche")
    assert door_called(word, doors) is kitchen


def test_of_two_with_one_name_only_an_identifier_finds_one(estate: Estate) -> None:
    front, first, second = doors = doors_of(estate, "front", "garage", "Garage")
    assert [door_called(one.door, doors) for one in (first, second)] == [first, second]
    with pytest.raises(UsageError, match="2 doors are called 'garage'") as caught:
        door_called("garage", doors)
    assert all(one.door in str(caught.value.hint) for one in (first, second))
    assert front.door not in str(caught.value.hint)


def test_an_identifier_comes_before_a_name(estate: Estate) -> None:
    (garage,) = doors_of(estate, "garage")
    doors = [*doors_of(estate, garage.door), garage]
    assert door_called(garage.door, doors) is garage


@pytest.mark.parametrize(("word", "hint"), [("garaje", "did you mean 'garage'"), ("a/b", "front, garage"), ("", "f")])
def test_a_door_that_there_is_not_is_told_with_those_that_there_are(estate: Estate, word: str, hint: str) -> None:
    with pytest.raises(UsageError, match="there is no door") as caught:
        door_called(word, doors_of(estate, "front", "garage"))
    assert hint in str(caught.value.hint)


def test_a_name_that_is_taken_gets_the_first_number_that_is_free() -> None:
    assert free_name("garage", ["front"]) == "garage"
    assert free_name("garage", ["Garage", "front"]) == "garage 2"
    assert free_name("garage", ["garage", "GARAGE 2", "garage 4"]) == "garage 3"


def test_a_long_name_with_a_number_is_a_name_yet() -> None:
    name = "x" * (LONGEST_NAME - 5) + " yyyy"
    numbered = free_name(name, [name])
    assert numbered == "x" * (LONGEST_NAME - 5) + " 2"
    require_name(numbered)
