"""Eight hours of a door, as fast as they go: neither memory, nor files, nor threads are more at the end."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER
from support.faults.film import Caller, film
from support.faults.table import fault
from support.ports import free_port
from support.service.journey import lines_of
from support.speech.alsa import without_a_card
from support.store import environment

HOURS, FPS = 8, 5.0
FRAMES = round(HOURS * 3600 * FPS)
HALF_HOUR = round(1800 * FPS)
FILM_SECONDS = 600
SIZE = (640, 360)
MORE = 1.25
"""Measured: -3 to 3 %, and once 9 % beside much other work, at the same peak. A leak of 1 kB a frame would be 60 %."""
UNPLUGGED = ((0.0, 0.1), (4.0, 5.0))
"""Hours in which the Cast device is: what happens later has happened once when memory is measured first."""
VISITS = {
    "stranger": [Caller(EILEEN_COLLINS, 200)],
    "family": [Caller(GRACE_HOPPER, 300)],
    "unidentified": [Caller(EILEEN_COLLINS, 400, blur=0.09)],
}


def settings(device: str, log: Path) -> dict[str, Any]:
    """A household's. Times of the policy and of an outage are a hundredth, as the day is."""
    quick = {"known_cooldown": 3, "stranger_cooldown": 1.2, "unidentified_cooldown": 3}
    return {
        "camera": {"source": "rtsp://192.0.2.1/door", "timeout": 5},
        "health": {"offline": 0.7},
        "policy": {**quick, "camera_cooldown": 6, "camera_settle": 0.3},
        "speech": {"voices": ["fake"]},
        "plugins": {"log": {"file": str(log)}, "google_home": {"devices": [device]}, "speaker": {}},
    }


@pytest.fixture
def day(tmp_path: Path, household: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    without_a_card(tmp_path, monkeypatch)
    for name, callers in VISITS.items():
        film(tmp_path / f"{name}.mp4", FILM_SECONDS, callers, SIZE, FPS, seed=len(name), crf=28)
    shutil.copytree(household, tmp_path / "state")
    return tmp_path


class Kitchen:
    """A Cast device as a process; it can be unplugged."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, "-m", "support.cast.standalone", "--port", str(port), "--play-seconds", "0.3"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
        assert self.process.stdout is not None
        self.address: str = json.loads(self.process.stdout.readline())["address"]

    def unplug(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.slow
@fault(
    "eight hours",
    how="144,000 frames (640x360, 5 a second) of films as fast as they go: a visit every 10 minutes, outages, drills, "
    "four changes of the configuration, a Cast device unplugged for an hour",
)
def test_eight_hours_leave_nothing_behind(day: Path, saw: Callable[[str], None]) -> None:
    pytest.importorskip("pychromecast", reason="needs pychromecast")
    kitchen = Kitchen(free_port())
    (day / "settings.json").write_text(json.dumps(settings(kitchen.address, day / "alerts.jsonl")))
    samples = []
    try:
        for sample in passing(day):
            samples.append(sample)
            unplugged = any(first <= sample["frames"] / FPS / 3600 < end for first, end in UNPLUGGED)
            if unplugged and kitchen.process.poll() is None:
                kitchen.unplug()
            elif not unplugged and kitchen.process.poll() is not None:
                kitchen = Kitchen(int(kitchen.address.rpartition(":")[2]))
    finally:
        kitchen.unplug()
    warm = [one for one in samples if HALF_HOUR * 0.75 <= one["frames"] <= HALF_HOUR * 2]
    last = [one for one in samples if FRAMES - HALF_HOUR <= one["frames"] < FRAMES]
    told = Counter(one["kind"] for one in lines_of(day / "alerts.jsonl"))
    before, after = busy(warm), busy(last)
    held = {what: (at_rest(warm, what), at_rest(last, what)) for what in ("files", "threads")}
    report = (
        f"memory {before / 1024:.1f} MB in the first hour, {after / 1024:.1f} MB in the last "
        f"({after / before - 1:+.1%}), peak {max(one['kb'] for one in samples) / 1024:.1f} MB; at rest "
        f"{held['files'][0]} files open and then {held['files'][1]}, {held['threads'][0]} threads and then "
        f"{held['threads'][1]}; {sum(told.values())} alerts told; it took {samples[-1]['seconds']:.0f} s"
    )
    assert samples[-1]["frames"] == FRAMES, (day / "said.txt").read_text()[-3000:]
    assert after < MORE * before, report
    assert all(then <= first for first, then in held.values()), report
    assert min(told[kind] for kind in ("stranger", "known", "unidentified", "camera")) > 0, told
    saw(report)


def passing(day: Path) -> Iterator[dict[str, Any]]:
    """The daemon through the whole day: what it holds, second by second."""
    command = [sys.executable, "-m", "support.faults.hours", str(day), str(FRAMES), str(FPS)]
    with (
        (day / "said.txt").open("w") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, env=environment()) as process,
    ):
        assert process.stdout is not None
        try:
            yield from map(json.loads, process.stdout)
        finally:
            process.kill()


def busy(samples: Sequence[dict[str, Any]]) -> float:
    """KB of memory at busy times: the networks that look for people without a face are freed while nobody comes."""
    return statistics.quantiles([one["kb"] for one in samples], n=4)[2]


def at_rest(samples: Sequence[dict[str, Any]], what: str) -> int:
    """How many there are while nothing is spoken."""
    return int(min(one[what] for one in samples))
