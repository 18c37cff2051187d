"""``facesecure people assign``: which doors of the hub know a person."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from facesecure.hub.rows import Right
from support.hub_people import SharingDoor, SharingEstate, grace, settle
from support.service.commandline import CommandLine, Outcome

pytest_plugins = ["support.hub_people_fixtures"]


@pytest.fixture
def front(estate: SharingEstate) -> SharingDoor:
    front = estate.add("front", rights=frozenset({Right.ENROL}))
    front.store.add_person("Anna", grace()[:1])
    return front


@pytest.fixture
def at_front(facesecure: CommandLine, front: SharingDoor, tmp_path: Path):
    config = tmp_path / "front.toml"
    config.write_text('[hub]\ndatabase = "postgresql+psycopg://hub.lan/doors"\n')

    def run(*words: object, state: Path = front.state_dir):
        return facesecure("--config", config, "--state-dir", state, *words)

    return run


def test_the_doors_of_a_person_are_chosen_and_shown(at_front, estate, front):
    garage = estate.add("Garage")
    assert "known at" not in at_front("people", "show", "Anna").out  # the daemon has not shared her yet
    settle(front, garage)
    assert "known at: all doors of the household (this door, Garage)" in at_front("people", "show", "Anna").out
    assert at_front("people", "assign", "anna", "--none", "--yes").out == "Anna is to be known at: this door\n"
    settle(front, garage)
    assert garage.names() == {}
    assert at_front("people", "show", "Anna", "--json").json["doors"] == {"all": False, "doors": []}
    chosen = at_front("people", "assign", "Anna", "--door", "garage", "--json").json
    assert chosen == {"name": "Anna", "doors": {"all": False, "doors": ["Garage"]}}
    assert "person-assigned" in at_front("audit", "list").out
    assert at_front("people", "assign", "Anna", "--all", "--json").json["doors"] == {"all": True, "doors": ["Garage"]}


def test_before_a_door_loses_a_person_it_is_named_and_a_question_asked(
    at_front: Callable[..., Outcome], estate: SharingEstate, front: SharingDoor
) -> None:
    garage, gate = estate.add("Garage"), estate.add("gate")
    assert at_front("people", "assign", "Anna", "--all").code == 0  # not shared yet: there is nothing to lose
    settle(front, garage, gate)
    for words, losing in (
        (("--none",), "Garage, gate"),
        (("--door", "GATE"), "Garage"),
        (("--door", "front"), "Garage, gate"),
    ):
        refused = at_front("people", "assign", "Anna", *words)
        assert (refused.code, f"Forget Anna at {losing}: " in refused.err, "--yes" in refused.err) == (2, True, True)
    settle(front, garage, gate)
    assert garage.names() == gate.names() == {"Anna": 1}
    assert at_front("people", "assign", "Anna", "--door", gate.door, "--door", "garage").code == 0  # loses nobody
    assert "there is no door 'shed'" in at_front("people", "assign", "Anna", "--door", "shed").err
    assert at_front("people", "assign", "Anna", "--door", "gate", "--yes").code == 0
    assert at_front("people", "assign", "Anna", "--door", "gate").code == 0  # the garage is to lose her already
    assert at_front("people", "assign", "Anna", "--all").code == 0


def test_doors_of_another_household_lose_a_person_that_is_for_the_household(
    at_front: Callable[..., Outcome], estate: SharingEstate
) -> None:
    entrance = estate.add("entrance", rights=frozenset({Right.ENROL, Right.SHARE}))
    entrance.store.add_person("Anna", grace()[:1])
    flat = estate.add("flat", household="upstairs")
    settle(entrance, flat)
    at = partial(at_front, "people", "assign", "Anna", state=entrance.state_dir)
    assert at("--door", "front", "--door", "flat").code == 0
    settle(entrance, flat)
    assert "Forget Anna at flat: " in at("--all").err
    assert at("--all", "--yes").code == 0


def test_of_two_doors_with_one_name_neither_is_taken(
    at_front: Callable[..., Outcome], estate: SharingEstate, front: SharingDoor
) -> None:
    garage, other = estate.add("Garage"), estate.add("garage")
    settle(front, garage, other)
    refused = at_front("people", "assign", "Anna", "--door", "garage", "--yes")
    assert (refused.code, "2 doors are called" in refused.err) == (2, True)
    assert garage.door in refused.err
    assert other.door in refused.err
    assert "Forget Anna at Garage: " in at_front("people", "assign", "Anna", "--door", other.door).err
    assert at_front("people", "assign", "Anna", "--door", other.door, "--yes").code == 0
    settle(front, garage, other)
    assert (garage.names(), other.names()) == ({}, {"Anna": 1})


def test_a_door_is_found_however_its_accents_are_encoded(
    at_front: Callable[..., Outcome], estate: SharingEstate, front: SharingDoor
) -> None:
    kitchen = estate.add("Küche")
    settle(front, kitchen)
    word = unicodedata.normalize("NFD", "küche ")
    assert at_front("people", "assign", "Anna", "--door", word).out == "Anna is to be known at: this door, Küche\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Anna",), "say which doors"),
        (("Anna", "--all", "--none"), "say which doors"),
        (("Anna", "--door", "shed"), "there is no door 'shed'"),
        (("Anna", "--door", "flat"), "another household"),
        (("Bob", "--all"), "no person called 'Bob'"),
    ],
)
def test_what_cannot_be_is_refused(at_front, estate, front, words, said):
    estate.add("flat", household="upstairs")
    front.sync()
    outcome = at_front("people", "assign", *words)
    assert outcome.code == 2
    assert said in outcome.err


def test_without_a_hub_and_without_the_right_it_says_so(at_front, estate, facesecure, store):
    store.add_person("Anna", grace()[:1])
    assert "belongs to no hub" in facesecure("people", "assign", "Anna", "--all").err
    gate = estate.add("gate", rights=frozenset())
    gate.store.add_person("Anna", grace()[:1])
    assert "right enrol" in at_front("people", "assign", "Anna", "--all", state=gate.state_dir).err
