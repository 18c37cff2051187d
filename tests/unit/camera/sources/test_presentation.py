"""Recordings whose timestamps restart or jump, and the dates of what they show."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import pytest

from facesecure.camera.sources import open_source, probe
from facesecure.config import CameraConfig
from support.camera.sources import plain, scene, walk, write_picture

FAST = CameraConfig()


def steps(path: Path, camera: CameraConfig = FAST) -> list[float]:
    """The seconds between one frame and the next."""
    times = [frame.taken_at for frame in open_source(str(path), camera).frames()]
    return [after - before for before, after in pairwise(times)]


def with_times(path: Path, seconds: list[float]) -> Path:
    """A video with one frame at each of these times."""
    with av.open(str(path), "w") as container:
        stream = cast("Any", container.add_stream("mjpeg", rate=25))
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, at in enumerate(seconds):
            frame = av.VideoFrame.from_ndarray(scene(number), format="rgb24")
            frame.pts, frame.time_base = round(at * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_two_recordings_in_one_file_follow_each_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    both = tmp_path / "both.ts"
    both.write_bytes(walk(tmp_path / "one.ts", 50).read_bytes() * 2)
    gaps = steps(both)
    assert len(gaps) == 99
    assert gaps == pytest.approx([0.04] * 99, abs=0.005)
    assert caplog.text == ""


@pytest.mark.parametrize("jump", [11.0, 3600.0, 86400.0, 95443.7])
def test_a_jump_of_the_clock_is_not_waited_for(tmp_path: Path, jump: float) -> None:
    film = with_times(tmp_path / "jump.mkv", [n / 25 + (jump if n >= 10 else 0) for n in range(20)])
    began = time.monotonic()
    gaps = steps(film, CameraConfig(file_speed="real"))
    assert time.monotonic() - began < 10
    assert len(gaps) == 19
    assert max(gaps) < 1


def test_a_slow_recording_keeps_its_pace(tmp_path: Path) -> None:
    assert steps(with_times(tmp_path / "slow.mkv", [8.0 * n for n in range(5)])) == pytest.approx([8.0] * 4)


@pytest.mark.parametrize("kind", ["film", "folder", "jumps"])
def test_nothing_in_a_recording_is_dated_in_the_future(tmp_path: Path, kind: str) -> None:
    if kind == "film":
        source = walk(tmp_path / "walk.mp4", 100)
    elif kind == "jumps":
        source = with_times(tmp_path / "jump.mkv", [n / 25 + (5e6 if n >= 10 else 0) for n in range(20)])
    else:
        source = tmp_path
        for number in range(5):
            write_picture(tmp_path / f"{number}.png", plain())
    began = datetime.now(UTC)
    dates = []
    for frame in open_source(str(source), FAST).frames():
        assert frame.wall_time <= datetime.now(UTC)
        dates.append(frame.wall_time)
    assert dates == sorted(dates)
    assert dates[0] > began - timedelta(days=8)


def test_a_film_that_states_only_when_to_decode_its_frames_keeps_its_pace(tmp_path: Path) -> None:
    """AVI has no other times, and H.264 with B-frames decodes them in another order than it shows them."""
    gaps = steps(walk(tmp_path / "walk.avi", 100, options={"bf": "3", "g": "25"}))
    assert len(gaps) == 99
    assert max(gaps) < 0.1
    assert sum(gaps) == pytest.approx(99 / 25, abs=0.1)


def test_a_recording_that_begins_late_on_its_clock_is_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    film = with_times(tmp_path / "late.mkv", [90000 + n / 25 for n in range(50)])
    began = datetime.now(UTC)
    frames = list(open_source(str(film), FAST).frames())
    assert began - frames[0].wall_time < timedelta(seconds=10)
    assert len(frames) == 50
    assert caplog.text == ""


def test_a_rate_that_cannot_be_is_not_shown(tmp_path: Path) -> None:
    """Raw DV states 60000 frames a second."""
    with av.open(str(tmp_path / "tape.dv"), "w") as container:
        stream = cast("Any", container.add_stream("dvvideo", rate=25))
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plain(size=(720, 576)), format="rgb24")))
        container.mux(stream.encode())
    assert probe(str(tmp_path / "tape.dv"), FAST).fps == pytest.approx(25, abs=0.01)


def test_the_shared_recording_that_restarts_is_played_whole(
    shared_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gaps = steps(shared_data / "inputs" / "timestamps-restart.ts")
    assert len(gaps) == 239
    assert gaps == pytest.approx([1 / 15] * 239, abs=0.01)
    assert caplog.text == ""
