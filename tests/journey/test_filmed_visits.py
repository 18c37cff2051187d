"""Films of visits, in a daemon of its own at a real RTSP camera: kept, named in alerts, shown and exported."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from facesecure.storage.store import Store
from support.camera.films import played
from support.camera.rtsp import RtspCamera, unavailable
from support.service.journey import wait_for_lines

SETTINGS = """
[camera]
name = "front door"
source = "{source}"
timeout = 2.0
reconnect_max = 1.0
[clips]
enabled = true
before = 2
after = 2
[plugins.log]
file = "{log}"
"""


def command(state: Path, *words: str) -> list[str]:
    settings = ["--config", str(state / "house.toml"), "--state-dir", str(state)]
    return [sys.executable, "-m", "facesecure", *settings, *words]


def answer(state: Path, *words: str) -> str:
    done = subprocess.run(command(state, *words), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def daemon_at(source: str, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon that watches ``source``; killed at the end of the block."""
    state.mkdir(exist_ok=True)
    (state / "house.toml").write_text(SETTINGS.format(source=source, log=state / "alerts.jsonl"))
    with (
        (state / "said.txt").open("wb") as said,
        subprocess.Popen(command(state, "-v", "run"), stderr=said) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def camera(door_clip: Path) -> Iterator[RtspCamera]:
    if reason := unavailable():
        pytest.skip(reason)
    with RtspCamera(film=door_clip) as running:
        yield running


def films(state: Path) -> list[tuple[str, bool]]:
    with Store.open(state) as store:
        found = store.each_sighting()
        clips = {one.identifier: one.whole for sighting in found for one in store.clips.of(sighting)}
    return sorted(clips.items())


def wait_for_film(state: Path, identifier: str, timeout: float = 90.0) -> None:
    """Wait until that film of a sighting is whole: one of another visit may be so before."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if (identifier, True) in films(state):
            return
        time.sleep(0.3)
    raise AssertionError(f"no film came: {(state / 'said.txt').read_text()}")


@pytest.mark.rtsp
@pytest.mark.slow
def test_the_visit_of_a_stranger_is_filmed_and_the_film_plays(camera: RtspCamera, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with daemon_at(camera.url, state):
        (line, *_) = wait_for_lines(state / "alerts.jsonl", "stranger", 1, 90)
        identifier = line["clip"]
        wait_for_film(state, identifier)
    shown: dict[str, Any] = json.loads(answer(state, "events", "show", line["sighting"], "--json"))
    assert identifier in [one["id"] for one in shown["clips"]]
    answer(state, "events", "clip", line["sighting"], "--output", str(tmp_path / "visit.mp4"))
    film = played((tmp_path / "visit.mp4").read_bytes())
    assert (film.codec, film.tag) == ("h264", "avc1")
    assert film.seconds > 4.0, "the visit, and two seconds before and after"
    assert film.frames > 4.0 * 5
    listed = answer(state, "events", "export", "--clips", str(tmp_path / "films")).splitlines()
    names = {name for one in listed for name in json.loads(one)["clips"]}
    assert names == {path.name for path in (tmp_path / "films").iterdir()} != set()
