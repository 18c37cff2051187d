"""Videos that are written can be read back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facesecure.camera.sources import open_source
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.config import CameraConfig
from support.faults.disks import fill, small_disk

WRITE = """
import sys
import numpy as np
from facesecure.camera.synthetic.video_writer import VideoWriter
try:
    with VideoWriter(sys.argv[1], (640, 480)) as film:
        for seed in range(100):
            film.write(np.random.default_rng(seed).integers(0, 255, (480, 640, 3)).astype(np.uint8))
except OSError as error:
    print(error.strerror)
"""


def _frames(path: Path) -> list[np.ndarray]:
    return [frame.image for frame in open_source(f"file:{path}", CameraConfig()).frames()]


def test_what_was_written_comes_back_in_number_order_and_colour(tmp_path: Path) -> None:
    colours = [(200, 60, 30), (30, 160, 60), (40, 60, 190)]
    with VideoWriter(tmp_path / "film.mp4", (1280, 720), crf=10) as film:
        for colour in colours:
            film.write(np.full((720, 1280, 3), colour, np.uint8))
    back = [frame.reshape(-1, 3).mean(0) for frame in _frames(tmp_path / "film.mp4")]
    assert np.abs(np.array(back) - colours).max() < 5


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "film.mp4", (64, 48)) as film:
        film.write(np.zeros((48, 64, 3), np.uint8))
        with pytest.raises(ValueError, match="64, 48"):
            film.write(np.zeros((64, 48, 3), np.uint8))


def test_an_odd_size_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even"):
        VideoWriter(tmp_path / "film.mp4", (63, 48))
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize("full", [True, False], ids=["before the header", "after the header"])
def test_a_full_disk_is_an_error_and_no_crash(tmp_path: Path, full: bool) -> None:
    with small_disk(tmp_path / "disk", "512k") as disk:
        if full:
            fill(disk)
        done = subprocess.run([sys.executable, "-c", WRITE, disk / "film.mp4"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"No space left on device\n")
