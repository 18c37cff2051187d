"""Random damage to films of every container: frames or a SourceError, and no other end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from facesecure.camera.sources import open_source
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError
from support.bombs.pictures import damaged
from support.camera.sources import walk
from support.faults.table import attack

SEEDS = {
    "a.mp4": "libx264",
    "a.mkv": "libx264",
    "a.ts": "mpeg2video",
    "a.avi": "mjpeg",
    "a.webm": "libvpx",
    "a.flv": "flv",
    "a.mov": "mpeg4",
}


def fuzz(path: Path, seconds: float, seed: int) -> tuple[int, int]:
    """Damage the film ``path`` for that long, at least 10 times; return how often it was tried and played.

    Any error but a SourceError fails the test.
    """
    whole, broken = path.read_bytes(), path.with_name(f"broken{path.suffix}")
    print(f"seed {seed}")  # shown of a test that fails, so that it can be repeated
    chance, end, tried, played = random.Random(seed), time.monotonic() + seconds, 0, 0
    while tried < 10 or time.monotonic() < end:
        tried += 1
        broken.write_bytes(damaged(whole, chance))
        try:
            played += sum(frame.image.size > 0 for frame in open_source(f"file:{broken}", CameraConfig()).frames()) > 0
        except SourceError:
            continue
    return tried, played


@pytest.mark.parametrize(("name", "codec"), SEEDS.items())
def test_a_damaged_film_plays_or_says_why(tmp_path: Path, name: str, codec: str) -> None:
    tried, played = fuzz(seed_film(tmp_path, name, codec), 0.0, seed=len(name + codec))
    assert (tried, 0 <= played <= tried) == (10, True)


@pytest.mark.slow
@attack("random damage to films", how="bytes changed, moved, repeated and cut, a minute for each of seven containers")
def test_damage_to_each_container(tmp_path: Path, damaging: float, saw: Callable[[str], None]) -> None:
    figures = [fuzz(seed_film(tmp_path, *seed), damaging, seed=time.time_ns()) for seed in SEEDS.items()]
    tried, played = (sum(column) for column in zip(*figures, strict=True))
    assert 0 < played < tried, "damage has to be tried that is noticed, and some that is not"
    saw(f"{tried} tried, {played} played, {tried - played} refused with a sentence; no other end")


def seed_film(folder: Path, name: str, codec: str) -> Path:
    """A film of six frames."""
    return walk(folder / name, 6, codec=codec, pixel_format="yuvj420p" if codec == "mjpeg" else "yuv420p")
