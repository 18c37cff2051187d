"""Films and streams whose frames are made to take all memory."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from facesecure.camera.sources import open_source
from facesecure.camera.sources.decoding import open_container
from facesecure.camera.sources.frame_limits import MAX_FRAME_PIXELS, is_too_large
from facesecure.camera.sources.stream import StreamConnection
from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError, SourceLost
from support.bombs.films import LARGE, film, grows, small_in_its_header, wide_pixels
from support.faults.table import attack

PLAY = """
import json, sys
from facesecure.camera.sources import open_source
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
import av, cv2
before, frames, said = peak(), 0, ""
try:
    for frame in open_source("file:" + sys.argv[1], CameraConfig(file_speed="fast")).frames():
        frames += 1
        frame.image
except SourceError as error:
    said = error.message
sys.stdout.write(json.dumps([frames, said, peak() - before]))
"""


def played(path: Path) -> tuple[int, str, int]:
    """Play a film in a process of its own: its frames, what was said, and by how much memory grew at most."""
    run = subprocess.run([sys.executable, "-c", PLAY, str(path)], capture_output=True, text=True, check=True)
    frames, said, grown = json.loads(run.stdout)
    return frames, said, grown


@pytest.mark.slow
@attack(
    "film bomb",
    how="films of 38 megapixels a frame in MP4, MPEG-TS, Matroska and AVI (H.264, FFV1, MJPEG, VP9), one whose "
    "tables say 320x240, one whose frames grow in the middle, one whose pixels are four times as wide as high",
)
def test_a_film_of_huge_frames_is_refused_before_it_is_decoded(tmp_path: Path, saw: Callable[[str], None]) -> None:
    films = [
        film(tmp_path / "a.mp4", LARGE),
        film(tmp_path / "a.ts", LARGE),
        film(tmp_path / "a.mkv", LARGE, "ffv1", 1),
        film(tmp_path / "a.avi", LARGE, "mjpeg", 1),
        film(tmp_path / "a.webm", LARGE, "libvpx-vp9", 1),
        small_in_its_header(tmp_path / "lies.mp4"),
        grows(tmp_path / "grows.ts"),
        wide_pixels(tmp_path / "wide.mp4"),
    ]
    highest = 0
    for path in films:
        frames, said, grown = played(path)
        assert "8K video" in said, path.name
        assert path.name in said
        assert frames <= 60, path.name
        assert grown < (120_000_000 if path.name != "wide.mp4" else 250_000_000), path.name
        highest = max(highest, grown)
    saw(f"{len(films)} of {len(films)} refused with a sentence; at most {highest // 1_000_000} MB more")


def test_a_film_as_large_as_8k_video_is_played(tmp_path: Path) -> None:
    assert not is_too_large(7680, 4320)
    assert not is_too_large(8192, 4320)
    path = film(tmp_path / "8k.mp4", (7680, 4320), frames=1)
    assert next(iter(open_source(f"file:{path}", CameraConfig()).frames())).image.shape == (4320, 7680, 3)


@attack("camera whose frames grow", how="a live stream that changes from 320x240 to 38 megapixels while it is watched")
def test_a_stream_that_grows_is_a_loss(tmp_path: Path, saw: Callable[[str], None]) -> None:
    path = grows(tmp_path / "grows.ts")
    connection = StreamConnection(
        Address("rtsp", "rtsp://door/live"), CameraConfig(), lambda *_: open_container(str(path))
    )
    sizes = []

    def watch() -> None:
        sizes.extend(image.size for image in connection.images(threading.Event()) if image is not None)

    with pytest.raises(SourceLost, match="8192x4608") as caught:
        watch()
    assert set(sizes) == {(320, 240)}
    assert caught.value.hint
    saw("told as a loss with the size; no frame of it decoded, and the camera is tried again later")


def test_ffmpeg_itself_is_given_the_limit_wherever_a_container_is_opened(tmp_path: Path) -> None:
    """Also where only the header is read, as for the length of a film."""
    path = film(tmp_path / "a.mp4", LARGE, frames=1)
    with open_container(str(path)) as container:
        assert container.options["max_pixels"] == str(MAX_FRAME_PIXELS)


def test_a_probe_of_a_huge_film_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="8192x4608"):
        open_source(f"file:{film(tmp_path / 'a.mp4', LARGE)}", CameraConfig()).probe()
