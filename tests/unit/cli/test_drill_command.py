"""``facesecure drill`` at one of several cameras; ``tests/journey/test_drill.py`` rehearses whole alarms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from facesecure.app.control.drill_commands import DrillCommands
from facesecure.app.control.server import ControlServer
from facesecure.services.drill.drill import Drill
from facesecure.services.drill.report import load_reports, save_report
from support.service.commandline import CommandLine


@pytest.fixture(autouse=True)
def no_service_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("facesecure.app.control.protocol.SERVICE_RUNTIME", tmp_path / "run")
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)


@pytest.fixture
def daemon(state: Path) -> Iterator[None]:
    """A daemon with three cameras that give no frames, whose drills fail soon."""
    state.mkdir(mode=0o700)
    save = partial(save_report, state_dir=state)
    drills = [Drill(save, seconds=0.3, camera=camera) for camera in ("front door", "garden gate", "yard")]
    with ControlServer(DrillCommands(drills).handlers(), state / "control.sock", state_dir=state):
        yield


def test_the_drill_is_at_the_camera_that_is_named(facesecure: CommandLine, daemon: None, state: Path) -> None:
    assert facesecure("drill", "--camera", "Garden  Gate", "--json").json["camera"] == "garden gate"
    assert [report.camera for report in load_reports(state)] == ["garden gate"]
    _, row = facesecure("drill", "--history").out.splitlines()
    assert "FAILED" in row
    assert "garden gate" in row


def test_without_a_name_it_is_at_the_first_camera(facesecure: CommandLine, daemon: None) -> None:
    assert facesecure("drill", "--json").json["camera"] == "front door"


def test_a_camera_that_there_is_none_of_is_refused_with_the_closest(
    facesecure: CommandLine, daemon: None, state: Path
) -> None:
    outcome = facesecure("drill", "--camera", "garden gat")
    assert (outcome.code, outcome.out) == (1, "")
    assert "there is no camera called 'garden gat'" in outcome.err
    assert "did you mean 'garden gate'?" in outcome.err
    assert load_reports(state) == []


def test_without_a_daemon_the_cameras_are_those_of_the_configuration(
    facesecure: CommandLine, tmp_path: Path, state: Path
) -> None:
    config = tmp_path / "door.toml"
    config.write_text('[[cameras]]\nname = "a"\nsource = "dir:."\n[[cameras]]\nname = "b"\nsource = "dir:."\n')
    outcome = facesecure("--config", config, "drill", "--camera", "c")
    assert (outcome.code, outcome.out) == (2, "")
    assert "the cameras are: a, b" in outcome.err
    assert "this command watches the camera" not in outcome.err
