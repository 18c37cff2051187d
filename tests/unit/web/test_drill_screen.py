"""The screen of drills: with and without scripts, from the first step to the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.domain.accounts import Role
from facesecure.services.drill.drill import Drill
from facesecure.services.drill.report import DrillReport, Step, save_report
from support.builders import NOON
from support.page.served import Served
from support.page_cameras import served_cameras

GOOD = DrillReport(NOON, (Step("shown", 0.1), Step("delivered", 2.5, "log")), True, True, "everything", "gate")
PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_cameras(tmp_path, "front door", "gate") as served:
        yield served


def drill_of(house: Served, camera: int) -> Drill:
    assert house.parts is not None
    return house.parts.cameras[camera].drill


def test_it_says_that_there_was_none_yet_and_offers_each_camera(house: Served) -> None:
    page = house.get("/drill", Role.MEMBER)
    assert "There was none yet" in page.text
    assert "Begin at: front door" in page.text
    assert "Begin at: gate" in page.text
    assert "Begin at:" not in house.get("/drill", Role.VIEWER).text


def test_it_begins_and_is_followed_with_and_without_scripts(house: Served) -> None:
    assert house.post("/drill", {"camera": "gate"}, Role.MEMBER).headers["location"] == "/drill"
    page = house.get("/drill", Role.MEMBER)
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page.text
    assert 'hx-get="/drill/steps"' in page.text
    assert "Begin at:" not in page.text
    drill_of(house, 1)._add_once("shown", "320x240")
    steps = house.ask("GET", "/drill/steps", Role.MEMBER, PARTIAL)
    assert "The stranger was shown" in steps.text
    assert "<html" not in steps.text


def test_once_it_is_over_the_page_is_loaded_anew_and_says_what_failed(house: Served) -> None:
    house.post("/drill", {"camera": "gate"}, Role.MEMBER)
    drill_of(house, 1).camera_ended()
    assert house.ask("GET", "/drill/steps", Role.MEMBER, PARTIAL).headers["hx-redirect"] == "/drill"
    page = house.get("/drill", Role.MEMBER).text
    assert "The alarm does not work: the camera or recording has ended" in page
    assert 'http-equiv="refresh"' not in page
    assert house.get("/drill/steps", Role.MEMBER).headers["location"] == "/drill"


def test_a_second_one_is_refused_in_words(house: Served) -> None:
    house.post("/drill", {"camera": "gate"}, Role.MEMBER)
    answer = house.post("/drill", {"camera": "front-door"}, Role.MEMBER)
    assert answer.status >= 400
    assert "drill is running at the gate" in answer.text


def test_the_last_good_one_is_shown_in_french_too(house: Served, tmp_path: Path) -> None:
    save_report(GOOD, tmp_path)
    page = house.ask("GET", "/drill", Role.MEMBER, {"Accept-Language": "fr"})
    assert "Le dernier exercice réussi" in page.text
    assert "2.5 s" in page.text
    assert "gate" in page.text
