"""One policy for several cameras: a visitor is announced once, and each camera has its own troubles."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from functools import partial

import pytest

from facesecure.alerts.policy.policy import Policy
from facesecure.alerts.policy.state_file import PolicyStateFile
from facesecure.alerts.policy.timer import SystemAlerts
from facesecure.config.policy import PolicyConfig
from facesecure.domain import Alert
from facesecure.domain.camera_events import CameraEvent, Trouble
from facesecure.domain.messages import PhraseBook, Phrases
from facesecure.domain.mode import Mode
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import Store
from support.policy import Door, rules

GATE, DOOR = "gate", "front door"


def house(config: PolicyConfig | None = None, **others) -> Door:
    return Door(config or PolicyConfig(), cameras=(GATE, DOOR), **others)


def test_an_alert_says_where_by_the_camera_that_saw_the_visitor():
    door = house()
    assert door.comes_to(GATE, door.known("Anna")) == ["Anna is at the gate"]
    assert door.comes_to(DOOR, door.known("Tom")) == ["Tom is at the front door"]
    assert door.comes_to("cellar", door.known("Mia")) == ["Mia is at the gate"], "not configured any more"


def test_a_known_person_is_announced_once_and_not_at_every_camera():
    door = house()
    door.comes_to(GATE, door.known("Anna"))
    door.wait(20)
    assert door.comes_to(DOOR, door.known("Anna")) == []


def test_the_same_stranger_at_the_gate_and_then_at_the_door_is_one_alert_and_another_one_is_another():
    door = house()
    assert door.comes_to(GATE, door.stranger(1)) == ["A stranger is at the gate"]
    door.wait(15)
    assert door.comes_to(DOOR, door.stranger(1, 1)) == []
    assert door.comes_to(DOOR, door.stranger(2)) == ["A stranger is at the front door"]


def test_two_pipelines_that_see_one_stranger_at_the_same_moment_make_one_alert():
    door, start, made = house(), threading.Barrier(2), list[Alert]()
    visits = [replace(door.stranger(1, number), source=name) for number, name in enumerate((GATE, DOOR))]

    def pipeline(visit) -> None:
        start.wait()
        made.extend(door.policy.decide(visit))

    threads = [threading.Thread(target=pipeline, args=(visit,)) for visit in visits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_something_at_the_gate_does_not_mute_somebody_at_the_door():
    door = house()
    assert door.comes_to(GATE, door.unidentified()) == ["Somebody or something was at the gate"]
    assert door.comes_to(DOOR, door.unidentified()) == ["Somebody or something was at the front door"]
    assert door.comes_to(GATE, door.unidentified()) == []


def test_what_was_held_back_on_the_way_is_shown_with_the_next_alert_and_not_said():
    door = house(PolicyConfig(stranger_cooldown=120))
    door.comes_to(DOOR, door.stranger(1))
    door.wait(60)
    assert door.comes_to(GATE, door.stranger(1, 1)) == []
    door.wait(70)
    (text,) = door.comes_to(DOOR, door.stranger(1, 2))
    assert text == (
        "A stranger is at the front door: at the gate, then at the front door (one earlier alert was held back)"
    )
    assert door.alerts[-1].speech == "A stranger is at the front door"


def test_what_was_held_back_at_the_same_place_is_counted_only():
    door = house(PolicyConfig(stranger_cooldown=120))
    for visit in range(2):
        door.comes_to(DOOR, door.stranger(1, visit))
    door.wait(130)
    assert door.comes_to(DOOR, door.stranger(1, 2)) == [
        "A stranger is at the front door (one earlier alert was held back)"
    ]


def test_a_rule_may_be_about_one_camera():
    config = rules(
        {"when": {"camera": "Gate", "verdict": "known"}, "channels": "none"},
        {"when": {"camera": [DOOR], "verdict": "stranger"}, "channels": ["log"], "say": "Who is {where}?"},
        {"when": {"camera": GATE, "verdict": "camera"}, "channels": ["log"]},
    )
    door = house(config)
    assert door.comes_to(GATE, door.known("Anna")) == []
    assert door.comes_to(DOOR, door.known("Anna")) == ["Anna is at the front door"], "not held back: nobody was told"
    assert door.comes_to(DOOR, door.stranger(1)) == ["Who is at the front door?"]
    door.camera("offline", GATE)
    assert door.alerts[-1].channels == ("log",)
    door.camera("offline", DOOR)
    assert door.alerts[-1].channels is None
    door.service("disk_full")
    assert door.alerts[-1].channels is None


def test_a_camera_whose_alerts_go_to_the_log_alone_does_not_keep_the_door_silent():
    door = house(rules({"when": {"camera": GATE, "verdict": ["known", "stranger"]}, "channels": ["log"]}))
    for sighting in (door.known("Anna"), door.stranger(1)):
        assert len(door.comes_to(GATE, sighting)) == 1
        assert door.alerts[-1].channels == ("log",)
    assert len(door.comes_to(DOOR, door.known("Anna"))) == 1
    assert door.alerts[-1].channels is None
    assert len(door.comes_to(DOOR, door.stranger(1, 1))) == 1
    for camera in (GATE, DOOR):
        assert door.comes_to(camera, door.known("Anna")) == []
        assert door.comes_to(camera, door.stranger(1, 2)) == []


def test_every_sentence_of_every_camera_is_recorded_in_advance_the_urgent_ones_first():
    door = house(rules({"when": {"camera": GATE, "verdict": "stranger"}, "say": "Halt {where}"}))
    found = door.policy.sentences(["Anna"])
    assert {"Anna is at the gate", "Anna is at the front door", "A stranger is at the front door"} <= set(found)
    assert {"The gate camera is offline", "The front door camera is offline", "Halt at the gate"} <= set(found)
    assert "Halt at the front door" not in found
    assert found.index("A stranger is at the front door") < found.index("Anna is at the gate")
    assert len(found) == len(set(found))


def test_each_camera_has_its_own_troubles_cool_downs_and_recovery():
    door = house(PolicyConfig(camera_settle=30))
    assert door.camera("offline", GATE, "no answer") == ["The gate camera is offline: no answer"]
    assert door.camera("offline", DOOR) == ["The front door camera is offline"]
    assert door.camera("offline", GATE) == []
    door.camera("back", DOOR)
    assert door.wait(60) == ["The front door camera is back"]
    door.camera("back", GATE, "it answers")
    assert door.wait(60) == ["The gate camera is back: it answers (one earlier alert was held back)"]


def test_troubles_from_while_it_was_off_are_told_of_each_camera_when_it_is_armed():
    door = house(mode=Mode.OFF)
    door.camera("covered", GATE)
    door.camera("frozen", DOOR)
    door.arm(Mode.HOME)
    assert door.wait(1) == [
        "The gate camera is covered or sees nothing",
        "The picture of the front door camera is frozen",
    ]


def test_an_event_of_a_camera_is_reported_under_its_name():
    sent = list[Alert]()

    class Sink:
        def send(self, alert: Alert) -> None:
            sent.append(alert)

    system = SystemAlerts(Policy(PhraseBook([Phrases(place=name, several=True) for name in (GATE, DOOR)])), Sink())
    event = CameraEvent(Trouble.MOVED, over=False, why="another view")
    partial(system.of_camera, camera=DOOR)(event)
    system.of_camera(replace(event, camera=GATE))
    assert [alert.text for alert in sent] == [
        "The front door camera was moved: another view",
        "The gate camera was moved: another view",
    ]


@pytest.fixture
def kept(tmp_path):
    with Store.open(tmp_path / "state") as store:
        yield PolicyStateFile(tmp_path / "state", store), store, tmp_path / "state"


def reopen(door: Door, seconds: float = 5.0) -> None:
    door.policy.save(at_once=True)
    door.clock.pass_time(seconds)
    door.open()


def test_a_restart_forgets_neither_the_troubles_of_a_camera_nor_where_something_moved(kept):
    file, store, _ = kept
    door = house(memory=file)
    door.camera("offline", DOOR)
    for camera in (GATE, DOOR):
        sighting = replace(door.unidentified(), source=camera)
        store.record(sighting)
        assert len(door.comes(sighting)) == 1
    reopen(door)
    assert door.camera("offline", DOOR) == []
    assert len(door.camera("offline", GATE)) == 1
    assert door.comes_to(GATE, door.unidentified()) == []
    assert door.comes_to(DOOR, door.unidentified()) == []


def test_a_restart_does_not_take_an_alert_for_the_log_for_one_that_was_heard(kept):
    file, store, _ = kept
    door = house(rules({"when": {"camera": GATE, "verdict": "known"}, "channels": ["log"]}), memory=file)
    sighting = replace(door.known("Anna"), source=GATE)
    store.record(sighting)
    door.comes(sighting)
    reopen(door)
    assert len(door.comes_to(DOOR, door.known("Anna"))) == 1


def test_the_state_of_a_version_with_one_camera_is_that_of_the_first(kept):
    file, _, folder = kept
    door = house(memory=file)
    old = {"believed": "offline", "troubles": [["offline", door.clock.seconds - 5]], "muted": False, "held": 0}
    document = {"version": 1, "boot": "first", "steady": door.clock.seconds, "wall": door.clock.wall.isoformat()}
    SignedDocuments(folder).write("told.json", {**document, "told": [], "camera": old})
    door.open()
    assert door.camera("offline", GATE) == [], "known to be offline since before the update"
    assert len(door.camera("offline", DOOR)) == 1


def test_a_camera_that_is_no_longer_configured_is_not_reported_after_a_restart(kept):
    file, _, folder = kept
    door = house(memory=file, mode=Mode.OFF)
    door.camera("offline", GATE)
    door.policy.save(at_once=True)
    assert set(json.loads((folder / "told.json").read_bytes())["cameras"]) == {GATE}
    door.cameras = (DOOR,)
    reopen(door)
    door.arm(Mode.HOME)
    assert door.wait(3600) == []
