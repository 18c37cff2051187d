"""Drills from the page: begun by members, followed by those who may see visits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from facesecure.app.control.drill_commands import DrillCommands
from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.request import Request
from facesecure.app.web_api.verb import Client, Refused
from facesecure.app.web_api.verbs import drill
from facesecure.domain.accounts import Role
from facesecure.domain.actors import current_actor
from facesecure.services.drill.report import DrillReport, Step, save_report
from support.builders import NOON
from support.page_cameras import cameras
from support.page_socket import SignedIn, page_parts, token_of

GOOD = DrillReport(NOON, (Step("shown", 0.1), Step("delivered", 2.5, "log")), True, True, "everything", "front door")


@pytest.fixture
def recorded():
    return []


@pytest.fixture
def ask(tmp_path, recorded):
    with page_parts(tmp_path, cameras=[{"name": "front door"}, {"name": "gate"}]) as parts:
        watched = cameras(parts.config)
        drills = DrillCommands(
            [camera.drill for camera in watched], lambda *what: recorded.append((current_actor().name, *what))
        )
        parts = replace(parts, cameras=watched, commands=replace(parts.commands, drills=drills))
        guard = Guard(all_verbs(drill.VERBS), parts, SignedIn())
        yield (
            lambda verb, arguments=None, role=Role.MEMBER: (
                guard.answer(
                    guard.admit(Request(verb, arguments or {}, token_of(role, confirmed=False), Client(), 0))
                ).result
            )
        )


def test_before_the_first_drill_there_is_none(ask):
    shown = ask("drill", {"history": True}, Role.VIEWER)
    assert (shown["drill"], shown["last_good"], shown["drills"]) == (None, None, [])
    assert [camera["camera"] for camera in shown["cameras"]] == ["front-door", "gate"]


def test_a_member_begins_one_at_the_camera_they_name_and_that_is_audited(ask, recorded):
    assert ask("drill-begin", {"camera": "gate"}) == {"camera": "gate", "name": "gate"}
    running = ask("drill")["drill"]
    assert (running["camera"], running["done"], running["steps"]) == ("gate", False, [])
    assert recorded == [("member", "drill-begun", "gate")]


def test_only_one_runs_at_a_time(ask):
    ask("drill-begin", {"camera": "gate"})
    for camera in ("gate", "front-door"):
        with pytest.raises(Refused, match="a drill is running"):
            ask("drill-begin", {"camera": camera})


def test_others_begin_none(ask, recorded):
    for role in (Role.KIOSK, Role.VIEWER):
        with pytest.raises(Refused) as refused:
            ask("drill-begin", {"camera": "gate"}, role)
        assert refused.value.kind is Refusal.FORBIDDEN
    with pytest.raises(Refused) as refused:
        ask("drill-begin", {"camera": "garage"})
    assert refused.value.kind is Refusal.MISSING
    assert recorded == []


def test_the_last_good_one_is_told_with_its_date(ask, tmp_path):
    save_report(GOOD, tmp_path)
    save_report(replace(GOOD, began_at=NOON + timedelta(days=1), good=False, why="not delivered by log"), tmp_path)
    shown = ask("drill", {"history": True})
    assert shown["last_good"]["began_at"] == NOON.isoformat()
    assert [(one["good"], one["seconds"]) for one in shown["drills"]] == [(False, 2.5), (True, 2.5)]
    assert "drills" not in ask("drill")
