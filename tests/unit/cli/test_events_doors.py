"""``facesecure events list --doors``: the visits at the household's other doors, as the daemon last heard of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hub_household import SimulatedHousehold
from support.hub_visits import VisitedDoor, visited
from support.service.commandline import CommandLine
from support.store import known


@pytest.fixture
def front(tmp_path: Path) -> Iterator[VisitedDoor]:
    household = SimulatedHousehold(tmp_path)
    front, garage = visited(household, "front", "garage")
    front.comes("1" * 32, ago=50)
    garage.comes("2" * 32, known("Anna"), ago=40)
    garage.comes("3" * 32, ago=3 * 3600)
    garage.share()
    front.share()
    front.visits.close()
    yield front
    for one in (front, garage):
        one.store.close()
    household.close()


@pytest.fixture
def at_front(facesecure: CommandLine, front: VisitedDoor, tmp_path: Path):
    config = tmp_path / "front.toml"
    config.write_text('[hub]\ndatabase = "postgresql+psycopg://hub.lan/doors"\n')

    def run(*words: object):
        return facesecure("--config", config, "--state-dir", front.door.state_dir, "events", "list", *words)

    return run


def test_the_visits_at_other_doors_are_listed_among_those_here(at_front):
    rows = [line.split() for line in at_front("--doors").out.splitlines()[1:]]
    assert [("garage" in row, "Anna" in row) for row in rows] == [(True, True), (False, False), (True, False)]
    assert "garage" not in at_front().out
    assert len(at_front("--doors", "--limit", 2).out.splitlines()) == 3
    found = at_front("--doors", "--json").json
    assert [one["id"] for one in found["events"]] == ["1" * 32]
    assert [(one["door_name"], one["name"]) for one in found["elsewhere"]] == [("garage", "Anna"), ("garage", None)]
    assert "elsewhere" not in at_front("--json").json


def test_they_are_chosen_by_the_same_options(at_front):
    def chosen(*options: str) -> list[str | None]:
        return [one["name"] for one in at_front("--doors", "--json", *options).json["elsewhere"]]

    assert chosen("--name", "anna") == ["Anna"]
    assert chosen("--kind", "stranger") == [None]
    assert chosen("--since", "1h") == ["Anna"]
    assert chosen("--until", "2000-01-01") == []
    assert chosen("--camera", "front door") == []


def test_without_a_hub_there_are_no_other_doors(facesecure: CommandLine):
    outcome = facesecure("events", "list", "--doors")
    assert outcome.code != 0
    assert "no hub" in outcome.err
