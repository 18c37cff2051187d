"""Several cameras in one daemon: what befalls one of them never touches another."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from facesecure.app import assembly
from facesecure.config import FacesecureConfig
from support.camera.rtsp import RtspCamera, unavailable
from support.faults.household import wait_until
from support.service.journey import lines_of, wait_for_lines, wait_for_words

SETTINGS = """
[policy]
camera_settle = 0.1
known_cooldown = 3600
stranger_cooldown = 3600
[health]
offline = 12.0
[plugins.log]
file = "{log}"
"""
CAMERA = """
[[cameras]]
name = "{name}"
source = "{source}"
timeout = 2.0
reconnect_max = 1.0
"""


@contextmanager
def daemon_on(cameras: dict[str, str], state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon of its own that watches ``cameras``, sources by name."""
    tables = "".join(CAMERA.format(name=name, source=source) for name, source in cameras.items())
    (state / "house.toml").write_text(tables + SETTINGS.format(log=state / "alerts.jsonl"))
    with (
        (state / "said.txt").open("wb") as said,
        subprocess.Popen([*command(state), "-v", "run"], stderr=said) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def command(state: Path) -> list[str]:
    return [sys.executable, "-m", "facesecure", "--config", str(state / "house.toml"), "--state-dir", str(state)]


def status_of(state: Path) -> dict[str, dict[str, Any]]:
    """The state of each camera, by its name."""
    done = subprocess.run([*command(state), "status", "--json"], capture_output=True, check=True, timeout=60)
    return {camera["name"]: camera for camera in json.loads(done.stdout)["cameras"]}


@pytest.mark.slow
@pytest.mark.rtsp
def test_a_camera_that_is_lost_hangs_or_refuses_its_password_leaves_the_others_alone(door_clip, household, tmp_path):
    if why := unavailable():
        pytest.skip(why)
    state, log = tmp_path / "state", tmp_path / "state" / "alerts.jsonl"
    shutil.copytree(household, state)
    with (
        RtspCamera(film=door_clip) as gate,
        RtspCamera("porch:right", film=door_clip) as yard,
        RtspCamera(film=door_clip) as shed,
    ):
        cameras = {
            "gate": gate.url,
            "yard": yard.url_for("porch:wrong"),
            "shed": shed.url,
            "cellar": "v4l2:/dev/video77",
        }
        shed.stall()
        with daemon_on(cameras, state) as daemon:
            (known,) = wait_for_lines(log, "known", 1, timeout=120)
            assert (known["name"], known["source"]) == ("Grace Hopper", "gate")
            troubles = " ".join(line["text"] for line in wait_for_lines(log, "camera", 3, timeout=120))
            assert [place for place in cameras if place in troubles] == ["yard", "shed", "cellar"]
            found = status_of(state)
            assert [name for name, camera in found.items() if camera["trouble"]] == ["yard", "shed", "cellar"]
            assert "password" in found["yard"]["trouble"]
            assert found["gate"]["last_frame_seconds"] < 12  # its film ends now and then, and begins anew
            shed.go_on()
            wait_for_words(state / "said.txt", "is back after", timeout=120)
            assert sum(line["kind"] == "stranger" for line in lines_of(log)) <= 2
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(timeout=60) == 0
    said = (state / "said.txt").read_text()
    assert "Traceback" not in said
    assert "wrong@" not in said


def test_two_films_are_watched_to_their_ends_and_a_person_is_announced_once(door_clip, household, tmp_path):
    state = tmp_path / "state"
    shutil.copytree(household, state)
    cameras = [{"name": name, "source": f"file:{door_clip}"} for name in ("gate", "front door")]
    log = tmp_path / "alerts.jsonl"
    plain = {"liveness": {"mode": "off"}}  # the drawn people are pictures
    config = FacesecureConfig.model_validate({"cameras": cameras, "plugins": {"log": {"file": str(log)}}, **plain})
    with assembly.assembled(config, state) as daemon:
        daemon.watch()
        sightings = daemon.store.sightings(limit=100, latest_only=True)
        book = daemon.store.visitors
        wait_until(lambda: [visitor.visits for visitor in book.all()] == [2], f"one visitor twice: {book.all()}")
        assert set(book.all()[0].route) == {"gate", "front door"}
    named = sorted((one.name, one.source) for one in sightings if one.name)
    assert named == [("Grace Hopper", "front door"), ("Grace Hopper", "gate")]
    assert len([line for line in lines_of(log) if line["kind"] == "known"]) == 1
    assert len([line for line in lines_of(log) if line["kind"] == "stranger"]) == 1


def test_a_film_that_cannot_be_read_leaves_the_other_camera_alone(door_clip, household, tmp_path, caplog):
    state, broken = tmp_path / "state", tmp_path / "broken.mp4"
    shutil.copytree(household, state)
    broken.write_bytes(b"no film" * 1000)
    cameras = [{"name": "gate", "source": f"file:{broken}"}, {"name": "front door", "source": f"file:{door_clip}"}]
    config = FacesecureConfig.model_validate({"cameras": cameras})
    with assembly.assembled(config, state) as daemon:
        daemon.watch()
        assert {one.source for one in daemon.store.sightings(limit=100)} == {"front door"}
    assert "the gate cannot be read" in caplog.text


def test_an_error_in_one_pipeline_stops_all_and_is_raised(door_clip, household, tmp_path, monkeypatch):
    state = tmp_path / "state"
    shutil.copytree(household, state)
    cameras = [{"name": name, "source": f"file:{door_clip}"} for name in ("gate", "front door")]
    config = FacesecureConfig.model_validate({"cameras": cameras})
    with assembly.assembled(config, state) as daemon:
        broken = daemon.cameras[1].pipeline.sampler
        monkeypatch.setattr(broken, "should_detect", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            daemon.watch()
