"""No network at all, and a name server that never answers: the loudspeaker speaks all the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.faults.household import Home, heard, spoken_after
from support.faults.table import fault
from support.speech.alsa import without_a_card

pytestmark = pytest.mark.slow
SPOKEN_WITHIN = 10.0

_MUTE = """
import os, socket, subprocess, sys
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
if os.fork() == 0:
    mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mute.bind(("127.0.0.1", 53))
    parent = os.getppid()
    mute.settimeout(0.5)
    while os.getppid() == parent:
        try:
            asked = mute.recv(512)
            open(sys.argv[2], "ab").write(asked + b"\\n")
        except TimeoutError:
            pass
    os._exit(0)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""A name server that takes every question and never answers; it ends with the daemon."""


@pytest.fixture
def speaking(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose phrases were recorded before, when there was a network."""
    if os.geteuid() != 0:
        pytest.skip("a network of its own needs root")
    without_a_card(home.folder, monkeypatch)
    home.configure("[plugins.speaker]\n")
    prepared = home.run("speech", "prepare")
    assert prepared.returncode == 0, prepared.stderr
    assert not heard(home)
    return home


FARAWAY = """
[plugins.google_home]
devices = ["kitchen.example.org"]
[plugins.speaker]
[plugins.webhook]
url = "https://hooks.example.org/door"
"""


@fault(
    "no network",
    how="a network namespace without even a loopback; google_home, webhook and Google's voice are configured",
)
def test_without_a_network(speaking: Home, saw: Callable[[str], None]) -> None:
    speaking.configure(FARAWAY, voices=("gtts", "fake"))
    daemon = speaking.begin("unshare", "--net")
    ready = daemon.wait_ready()
    spoken = spoken_after(speaking)
    assert spoken < SPOKEN_WITHIN
    speaking.wait_for_alerts(2)
    took = daemon.stop()
    assert "Traceback" not in daemon.said
    saw(
        f"it watches after {ready:.1f} s; the loudspeaker has spoken {spoken:.1f} s after the sighting, from "
        f"phrases recorded before; it ends {took:.1f} s after SIGTERM"
    )


@fault(
    "DNS dead",
    how="the name server of a network namespace takes every question and never answers; the same configuration",
)
def test_with_a_name_server_that_never_answers(speaking: Home, tmp_path: Path, saw: Callable[[str], None]) -> None:
    speaking.configure(FARAWAY, voices=("gtts", "fake"))
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    asked = tmp_path / "asked"
    asked.touch()
    before = ("unshare", "--net", "--mount", "/usr/bin/python3", "-c", _MUTE, tmp_path / "resolv.conf", asked)
    daemon = speaking.begin(*before)
    ready = daemon.wait_ready()
    spoken = spoken_after(speaking)
    assert spoken < SPOKEN_WITHIN
    speaking.wait_for_alerts(3, 60)
    took = daemon.stop()
    assert "Traceback" not in daemon.said
    questions = asked.read_bytes().count(b"example")
    assert questions > 0
    saw(
        f"it watches after {ready:.1f} s; {questions} questions unanswered; the loudspeaker has spoken {spoken:.1f} s "
        f"after the sighting, 3 of 3 alerts are in the log; it ends {took:.1f} s after SIGTERM"
    )
