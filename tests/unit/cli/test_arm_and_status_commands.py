"""Arming from the command line, with a daemon that answers, and without one."""

import json
import threading
import time
from unittest.mock import Mock

import pytest

from facesecure.alerts.policy.arming import Arming
from facesecure.alerts.policy.policy import Policy
from facesecure.app.control.camera_report import CameraReport
from facesecure.app.control.commands import Commands
from facesecure.app.control.server import ControlServer
from facesecure.app.presence import ArmedHouse
from facesecure.config.presence import PresenceConfig
from facesecure.domain import VerdictKind
from facesecure.domain.errors import SourceError
from facesecure.domain.messages import Phrases
from facesecure.domain.mode import Mode
from facesecure.services.presence import Presence
from facesecure.services.presence_file import PresenceFile
from facesecure.util.clock import SystemClock
from support.builders import face_at
from support.store import sighting

SOURCE = "rtsp://user:s3cretword@127.0.0.1/door"


class Camera:
    trouble = None


class Frames:
    rate = 14.96

    @property
    def heartbeat(self):
        return time.monotonic() - 0.26  # and up to 0.09 s until it is read, 0.3 all the same


class Channels:
    """The reports of plugins nobody has sent anything to."""

    def reports(self):
        from facesecure.alerts.delivery.channel import ChannelReport

        return [ChannelReport("notify", 3, 1, 0, 2, 0.0, hung=False, last_error="no network")]


@pytest.fixture(autouse=True)
def no_service_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.setattr("facesecure.app.control.protocol.SERVICE_RUNTIME", tmp_path / "run")
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)


@pytest.fixture
def posters():
    """The faces that never move."""
    return []


@pytest.fixture
def daemon(state, store, posters):
    """The answering part of a daemon, on a real store."""
    arming = Arming(state)
    policy = Policy(Phrases(), armed=lambda: arming.armed)
    camera = CameraReport("front door", Camera(), SOURCE, Frames(), lambda: posters)
    commands = Commands([camera], arming, policy, store, Channels())
    with ControlServer(commands.handlers(), state / "control.sock", state_dir=state, timeout=30):
        yield commands


def test_status_shows_the_source_the_frame_rate_and_the_last_frame(facesecure, daemon):
    shown = facesecure("status").out
    assert "127.0.0.1/door" in shown
    assert "s3cretword" not in shown
    assert "0.3 s ago, 15.0 a second" in shown
    camera = facesecure("status", "--json").json["camera"]
    assert list(camera) == [
        "name",
        "trouble",
        "source",
        "fps",
        "last_frame_seconds",
        "fixed_faces",
        "main_trouble",
        "clip",
    ]
    assert (camera["fps"], camera["last_frame_seconds"]) == (15.0, pytest.approx(0.3, abs=0.2))
    assert "s3cretword" not in camera["source"]
    assert camera["fixed_faces"] == []
    assert "ignored" not in shown


def test_status_shows_the_faces_that_are_ignored_because_they_do_not_move(facesecure, daemon, posters):
    posters += [face_at(100, 50, 40), face_at(400, 300, 80)]
    shown = facesecure("status").out
    assert "a face that does not move, 40x40 pixels at 80,30" in shown
    assert "a face that does not move, 80x80 pixels at 360,260" in shown
    assert facesecure("status", "--json").json["camera"]["fixed_faces"] == [[80, 30, 120, 70], [360, 260, 440, 340]]


class LostCamera:
    trouble = SourceError("rtsp://user:s3cretword@127.0.0.1/gate: nothing answers on that port")


class NoFrames:
    rate = heartbeat = None


@pytest.fixture
def three_cameras(state, store, posters):
    """The answering part of a daemon with three cameras, one of which is lost."""
    arming = Arming(state)
    cameras = [
        CameraReport("front door", Camera(), SOURCE, Frames(), lambda: posters),
        CameraReport("gate", LostCamera(), "rtsp://user:s3cretword@127.0.0.1/gate", NoFrames()),
        CameraReport("yard", Camera(), "v4l2:/dev/video0", Frames(), main=LostCamera()),
    ]
    commands = Commands(cameras, arming, Policy(Phrases(), armed=lambda: arming.armed), store, Channels())
    with ControlServer(commands.handlers(), state / "control.sock", state_dir=state, timeout=30):
        yield commands


def test_status_shows_each_of_several_cameras_on_one_line(facesecure, three_cameras, posters):
    posters += [face_at(100, 50, 40)]
    shown = facesecure("status").out
    assert "s3cretword" not in shown
    assert shown.startswith("no image from the gate, armed home")
    door, gate, yard = [" ".join(line.split()) for line in shown.splitlines() if line.startswith("camera ")]
    assert door == (
        "camera front door last frame 0.3 s ago, 15.0 a second; rtsp://***@127.0.0.1/door; "
        "ignores a face that does not move, 40x40 pixels at 80,30"
    )
    assert gate == "camera gate rtsp://***@127.0.0.1/gate: nothing answers on that port; last frame none yet"
    main = "main stream: rtsp://***@127.0.0.1/gate: nothing answers on that port"
    assert yard == f"camera yard {main}; last frame 0.3 s ago, 15.0 a second; v4l2:/dev/video0"


def test_status_gives_programs_all_cameras_and_the_first_as_before(facesecure, three_cameras):
    shown = facesecure("status", "--json").json
    assert [camera["name"] for camera in shown["cameras"]] == ["front door", "gate", "yard"]
    assert shown["camera"]["name"] == "front door"
    assert [bool(camera["trouble"]) for camera in shown["cameras"]] == [False, True, False]
    assert [bool(camera["main_trouble"]) for camera in shown["cameras"]] == [False, False, True]
    assert [camera["fps"] for camera in shown["cameras"]] == [15.0, None, 15.0]


def test_arming_acts_on_the_running_daemon_and_outlives_it(facesecure, daemon, state):
    done = facesecure("arm", "away")
    assert (done.code, done.out) == (0, "armed away (was armed home)\n")
    assert daemon.policy.mode is Mode.AWAY
    assert Arming(state).armed.mode is Mode.AWAY
    assert facesecure("arm", "off").out == "disarmed (was armed away)\n"


def test_arming_is_told_to_programs_too(facesecure, daemon):
    assert facesecure("arm", "off", "--json").json == {
        "mode": "off", "before": "home", "set": "off", "leaving": None, "warning": None, "running": True,
    }  # fmt: skip


@pytest.fixture
def people(daemon, state):
    clock = SystemClock()
    house = ArmedHouse(daemon, daemon.policy, Mock())
    config = PresenceConfig(people=["Anna", "Tom"], arm=True)
    daemon.presence.append(Presence(config, house, PresenceFile(state, clock), clock))


def test_presence_is_said_and_shown(facesecure, people):
    assert facesecure("presence", "Anna", "home").code == 0
    shown = [" ".join(line.split()) for line in facesecure("presence").out.splitlines()]
    assert {"Anna at home", "Tom unknown"} <= set(shown)
    assert "presence Anna at home" in " ".join(facesecure("status").out.split())
    facesecure("presence", "Anna", "away")
    told = facesecure("presence", "tom", "away", "--json").json
    assert [(one["name"], one["where"]) for one in told["presence"]] == [("Anna", "away"), ("Tom", "away")]
    assert 290 < told["arms_in"] <= 300
    assert "everybody is away" in facesecure("presence").out


@pytest.mark.parametrize("words", [("Anna",), ("Anna", "unknown"), ("Anna", "HOME"), ("Berta", "home")])
def test_presence_that_is_none_is_wrong_usage(facesecure, people, words):
    assert facesecure("presence", *words).code in (1, 2)
    assert "home and away" in facesecure("presence", *words).err or "Anna" in facesecure("presence", *words).err


def test_without_people_there_is_no_presence(facesecure, daemon):
    assert "nobody's presence is followed" in facesecure("presence").out
    assert "nobody's presence is followed" in facesecure("presence", "Anna", "home").err


def test_an_exit_delay_is_said(facesecure, daemon, state):
    object.__setattr__(daemon, "arming", delayed := Arming(state, exit_delay=60, steady=lambda: 1000.0))
    assert facesecure("arm", "away").out == "armed away in 60 s (was armed home)\n"
    assert delayed.armed.mode is Mode.HOME
    assert "armed home, armed away in " in facesecure("status").out


def test_without_a_daemon_the_mode_is_kept_for_its_next_start(facesecure, state):
    done = facesecure("arm", "away")
    assert done.code == 0
    assert "armed away (was armed home); facesecure is not running" in done.out
    assert Arming(state).armed.mode is Mode.AWAY
    assert facesecure("arm", "home", "--json").json["running"] is False


def test_a_mode_that_there_is_none_of_is_wrong_usage(facesecure):
    done = facesecure("arm", "hoome")
    assert done.code == 2
    assert "'home', 'away', 'off'" in done.err


def test_a_disk_that_takes_nothing_arms_and_warns(facesecure, daemon, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facesecure.storage.signed_documents.write_durably", full)
    done = facesecure("arm", "away")
    assert done.code == 0
    assert "warning: cannot write" in done.err
    assert daemon.policy.mode is Mode.AWAY


def test_whoever_may_not_is_told_what_to_do(facesecure, state, daemon, monkeypatch):
    monkeypatch.setattr(
        "facesecure.app.control.peer_credentials.Peer.refused", lambda peer, group: "user 7 may not control facesecure"
    )
    done = facesecure("arm", "off")
    assert done.code == 1
    assert "may not" in done.err
    assert "sudo" in done.err
    assert "facesecure" in done.err
    assert daemon.policy.mode is Mode.HOME


def test_a_broken_configuration_keeps_nobody_from_arming_the_service(facesecure, daemon, tmp_path, monkeypatch):
    broken = tmp_path / "broken.toml"
    broken.write_text("[camra]\n")
    monkeypatch.setattr("facesecure.app.control.protocol.SERVICE_RUNTIME", daemon.arming.path.parent)
    assert facesecure("--config", broken, "arm", "away").code == 0
    assert daemon.policy.mode is Mode.AWAY
    monkeypatch.setattr("facesecure.app.control.protocol.SERVICE_RUNTIME", tmp_path / "run")
    assert facesecure("--config", broken, "arm", "off").code == 0, "nor the one whose state directory was named"
    assert daemon.policy.mode is Mode.OFF
    done = facesecure("--config", broken, "--state-dir", tmp_path / "elsewhere", "arm", "away")
    assert "did you mean 'camera'" in done.err
    assert daemon.policy.mode is Mode.OFF


def test_status_says_how_things_stand(facesecure, daemon, store):
    from facesecure.domain import Verdict

    store.record(sighting("one", Verdict(VerdictKind.STRANGER, "because")))
    done = facesecure("status")
    assert done.code == 0
    assert done.out.startswith("watching, armed home, no one enrolled, last seen a stranger ")
    assert "alerts waiting" in done.out
    assert "3 sent, 1 failed, 2 waiting (last error: no network)" in done.out


def test_status_for_programs_is_one_document(facesecure, daemon):
    found = facesecure("status", "--json").json
    assert found["running"] is True
    assert (found["mode"], found["pending"], found["last_seen"], found["people"]) == ("home", 2, None, [])
    assert found["plugins"][0]["name"] == "notify"
    json.dumps(found)


def test_a_camera_in_trouble_is_said(facesecure, daemon, monkeypatch):
    monkeypatch.setattr(Camera, "trouble", SourceError("cannot reach 192.168.1.20"))
    done = facesecure("status")
    assert done.out.startswith("no image from the front door, armed home, ")
    assert "cannot reach 192.168.1.20" in done.out


def test_without_a_daemon_status_ends_with_1_and_says_how_the_next_will_start(facesecure):
    facesecure("arm", "away")
    done = facesecure("status")
    assert (done.code, done.out) == (1, "not running; armed away at its next start\n")
    assert "start it" in done.err
    done = facesecure("status", "--json")
    assert (done.code, done.json) == (1, {"running": False, "mode": "away"})


def test_many_who_arm_at_once_are_all_answered(daemon, state):
    from facesecure.app.control.client import ask

    answers = []

    def arm(mode: str) -> None:
        answers.append(ask("arm", [state / "control.sock"], {"mode": mode})["mode"])

    threads = [threading.Thread(target=arm, args=(mode.value,)) for mode in list(Mode) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert daemon.policy.mode is Arming(state).armed.mode
