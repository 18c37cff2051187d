"""A Cast device that fails in the worst ways: somebody speaks all the same, within ten seconds of the sighting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.cast.receiver import cast_device
from support.faults.household import Home, spoken_after
from support.faults.table import fault
from support.speech.alsa import without_a_card

pytestmark = pytest.mark.slow
SPOKEN_WITHIN = 10.0


@pytest.fixture
def with_a_speaker(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    pytest.importorskip("pychromecast", reason="needs pychromecast")
    without_a_card(home.folder, monkeypatch)
    return home


def announced_by_the_speaker(home: Home, address: str) -> tuple[float, str]:
    """Seconds from the sighting until the loudspeaker, who stands in for the device, has spoken; and what was said."""
    home.configure(f'[plugins.google_home]\ndevices = ["{address}"]\n[plugins.speaker]\n')
    with home.watched() as daemon:
        spoken = spoken_after(home)
        daemon.wait_for("was delivered by plugin speaker for google_home")
        said = daemon.line_with("google_home")
        assert "Traceback" not in daemon.said
    assert spoken < SPOKEN_WITHIN
    reasons = [line for line in daemon.said.splitlines() if "plugin google_home" in line]
    return spoken, reasons[0].split(" ", 2)[-1] if reasons else said


@fault("receiver never answers", how="a Cast device that accepts the connection, speaks TLS and never says a word")
def test_a_receiver_that_accepts_and_never_answers(with_a_speaker: Home, saw: Callable[[str], None]) -> None:
    with cast_device(silent=True) as device:
        spoken, said = announced_by_the_speaker(with_a_speaker, device.address)
        assert device.diary.connections > 0
    saw(f"the loudspeaker has spoken {spoken:.1f} s after the sighting; the log: “{said}”")


@fault(
    "receiver drops while it plays",
    how="a Cast device that cuts every connection in the middle of the announcement, and then answers nobody",
)
def test_a_receiver_that_drops_while_it_plays(with_a_speaker: Home, saw: Callable[[str], None]) -> None:
    with cast_device(drops_at="PLAYING", silent_after_drop=True, play_seconds=0.5) as device:
        spoken, said = announced_by_the_speaker(with_a_speaker, device.address)
        assert "PLAYING" in device.diary.steps
        assert device.diary.played == 0
    saw(f"the loudspeaker has spoken {spoken:.1f} s after the sighting; the log: “{said}”")
