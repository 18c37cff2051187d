"""A film of a known person that a screen plays before the camera: doubted, not announced by name, and not learned."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import run
from facesecure.domain import Alert, VerdictKind
from support.held_up import enrol_anna
from support.service.commandline import CommandLine, own_settings
from support.service.journey import config_for


@pytest.fixture
def facesecure(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command line of a household that knows Anna, and has pulled both networks."""
    command_line = CommandLine(own_settings(tmp_path, monkeypatch), capfd)
    enrol_anna(command_line, shared_data)
    return command_line


def alerts(facesecure: CommandLine, clip: Path) -> list[Alert]:
    recorder = RecordingPlugin()
    run(config_for(clip), facesecure.state, exit_at_end=True, extra_plugins={"recording": recorder})
    return list(recorder.alerts)


def test_a_replay_is_doubted_and_anna_herself_is_not(facesecure: CommandLine, shared_data: Path) -> None:
    (alert,) = alerts(facesecure, shared_data / "spoof" / "a-replay.mp4")
    assert alert.text == "Anna, or a picture of them, is at the front door"
    assert "Anna" not in alert.speech
    assert alert.sighting is not None
    assert (alert.sighting.verdict.kind, alert.sighting.proves_presence) == (VerdictKind.KNOWN, False)
    assert alert.snapshot_path is not None
    assert alert.snapshot_path.exists()
    identifier = alert.sighting.identifier
    assert "look like a screen" in facesecure("events", "show", identifier, "--json").json["doubt"]
    learned = facesecure("events", "correct", identifier, "--is", "Anna")
    assert learned.code != 0
    assert "picture held up" in learned.err

    (herself,) = alerts(facesecure, shared_data / "spoof" / "a-live.mp4")
    assert herself.text == "Anna is at the front door", "the picture has not muted her"
    assert herself.sighting is not None
    assert herself.sighting.proves_presence
