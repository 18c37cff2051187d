"""A hundred faces in one frame: looked at in bounded time and memory, and nobody left out without a word."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.app.lifecycle import FRAME_SECONDS
from facesecure.camera.synthetic.scene import Sensor, draw_scene
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.domain import Image
from facesecure.vision.images.photos import read_photo
from support.faults.household import Home
from support.faults.table import fault
from support.lfw import IMAGES
from support.store import environment

SIZE, SIDE, EDGE = (1920, 1080), 106, 150

_RUN = """
import json, sys, time, tomllib
from pathlib import Path
from facesecure.app.assembly import run
from facesecure.config import FacesecureConfig
config = FacesecureConfig.model_validate(tomllib.loads(Path(sys.argv[1]).read_text()))
seen, slowest, before = set(), 0.0, None
def look(frame, tracks):
    global slowest, before
    now = time.monotonic()
    slowest = max(slowest, now - (before or now))
    before = now
    seen.update(track.number for track in tracks if track.hits > 1)
run(config, Path(sys.argv[2]), exit_at_end=True, onlooker=look)
(peak,) = (int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"faces": len(seen), "slowest": slowest, "mb": peak}))
"""


def crowd(path: Path) -> Path:
    """Two seconds of an empty door, six of a hundred people at it, two of an empty door."""
    scene, sensor = draw_scene(SIZE).image, Sensor(SIZE, 0)
    everybody = scene.copy()
    for place, face in zip(np.ndindex(10, 10), hundred(), strict=True):
        top, left = place[0] * 108, place[1] * 190 + 20
        everybody[top : top + SIDE, left : left + SIDE] = face
    with VideoWriter(path, SIZE, 5.0, preset="ultrafast") as film:
        for number in range(50):
            there = 10 <= number < 40
            picture = np.roll(everybody, number % 3, 1) if there else scene
            film.write(sensor.expose(picture))
    return path


def hundred() -> Iterator[Image]:
    """A face each of a hundred people."""
    if not IMAGES.is_dir():
        pytest.skip(f"needs Labelled Faces in the Wild in {IMAGES}")
    photos = [next(iter(sorted(person.glob("*.jpg")))) for person in sorted(IMAGES.iterdir()) if person.is_dir()][:100]
    for photo in photos:
        image = read_photo(photo)
        first = (image.shape[0] - EDGE) // 2
        yield np.asarray(cv2.resize(image[first : first + EDGE, first : first + EDGE], (SIDE, SIDE)), np.uint8)


@pytest.mark.slow
@fault("100 faces in a frame", how="a 1080p film in which a hundred people stand at the door for 6 s")
def test_a_hundred_faces(home: Home, saw: Callable[[str], None]) -> None:
    home.film = crowd(home.folder / "crowd.mp4")
    home.configure(speed="fast")
    command = [sys.executable, "-c", _RUN, home.config, home.state]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment(), check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout)
    sightings = dict(home.rows("SELECT kind, count(*) FROM sightings GROUP BY kind"))
    told = home.alerts()
    counted = sum(1 + alert["held_back"] for alert in told)
    print(figures, sightings, len(told), counted)
    assert figures["faces"] >= 90
    assert sum(sightings.values()) >= figures["faces"], "somebody was left out"
    assert figures["slowest"] < FRAME_SECONDS / 3
    saw(
        f"{figures['faces']} faces followed; {sightings.get('stranger', 0)} strangers and "
        f"{sightings.get('unidentified', 0)} unidentified written, {len(told)} alerts told; slowest frame "
        f"{figures['slowest']:.1f} s (the watchdog waits {FRAME_SECONDS:.0f}), peak {figures['mb']} MB"
    )
