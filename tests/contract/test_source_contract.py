"""The contract of every source, including the fakes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesecure.camera.capture import LatestFrame
from facesecure.camera.sources import ScriptedSource, open_source
from facesecure.camera.sources.fake_picamera import FakePicamera2
from facesecure.camera.sources.live import LiveSource
from facesecure.camera.sources.picamera import PicameraConnection
from facesecure.camera.sources.stream import StreamConnection
from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from support.camera import real_picamera
from support.camera.rtsp import RtspCamera, unavailable
from support.camera.sources import first, scene, walk, write_picture
from support.faults.household import wait_until


@dataclass
class Case:
    """A source, and a check from outside that it has released everything."""

    source: Any
    released: Callable[[], bool]


def open_files() -> list[str]:
    """Return the open files of this process: paths, and sockets by number."""
    held = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the listing's own descriptor is closed by now
            held.append(str(link.readlink()))
    return held


def sockets() -> set[str]:
    return {name for name in open_files() if name.startswith("socket:")}


def file_case(folder: Path, speed: str) -> Case:
    film = walk(folder / "walk.mp4")
    source = open_source(f"file:{film}", CameraConfig(file_speed=speed))
    return Case(source, lambda: str(film) not in open_files())


def folder_case(folder: Path) -> Case:
    for number in range(8):
        write_picture(folder / f"door{number}.png", scene(number))
    return Case(open_source(f"dir:{folder}", CameraConfig()), lambda: True)


def scripted_case(live: bool) -> Case:
    """Return a source that lasts ten seconds, so that there are frames left for a reader who was held up."""
    source = ScriptedSource([scene(number) for number in range(20)] * 50, fps=100, live=live)
    return Case(source, lambda: source.opened == source.closed > 0)


def picamera_case() -> Case:
    cameras: list[FakePicamera2] = []

    def plug_in(number: int) -> FakePicamera2:
        cameras.append(FakePicamera2(number))
        return cameras[-1]

    wanted = CameraConfig(width=640, height=360, fps=100)
    source = LiveSource(PicameraConnection(0, wanted, plug_in), 1.0, patient=False)
    return Case(source, lambda: all(camera.closed and not camera.requests_out for camera in cameras))


def real_picamera_case() -> Case:
    """picamera2 itself, on a Pi or on libcamera's virtual camera; a camera still held could not be probed."""
    if reason := real_picamera.unavailable():
        pytest.skip(reason)
    source = open_source("picamera2:0", real_picamera.WANTED)
    return Case(source, lambda: source.probe().width > 0)


def endless_film_case(folder: Path) -> Case:
    """Read a video as USB and network cameras are read: at its end the source must reconnect, not end."""
    film = walk(folder / "walk.mp4", 6)

    def open_film(address: Address, camera: CameraConfig) -> Any:
        import av

        return av.open(str(film))

    connection = StreamConnection(Address("v4l2", "/dev/film"), CameraConfig(), open_film)
    return Case(LiveSource(connection, 0.05, patient=False), lambda: str(film) not in open_files())


KINDS = [
    "file",
    "file at real speed",
    "folder",
    "scripted",
    "scripted live",
    "picamera2",
    "real_picamera2",
    "stream",
    "rtsp",
]


@pytest.fixture(params=[pytest.param(kind, marks=pytest.mark.rtsp if kind == "rtsp" else ()) for kind in KINDS])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    makers: dict[str, Callable[[], Case]] = {
        "file": lambda: file_case(tmp_path, "fast"),
        "file at real speed": lambda: file_case(tmp_path, "real"),
        "folder": lambda: folder_case(tmp_path),
        "scripted": lambda: scripted_case(live=False),
        "scripted live": lambda: scripted_case(live=True),
        "picamera2": picamera_case,
        "real_picamera2": real_picamera_case,
        "stream": lambda: endless_film_case(tmp_path),
    }
    if request.param != "rtsp":
        yield makers[request.param]()
        return
    if reason := unavailable():
        pytest.skip(reason)
    with RtspCamera() as camera:
        source = open_source(camera.url, CameraConfig(timeout=2))
        before = sockets()
        yield Case(source, lambda: sockets() <= before)


def test_numbers_and_times_always_rise(case: Case) -> None:
    frames = first(case.source, 8)
    assert len(frames) == 8
    for earlier, later in pairwise(frames):
        assert later.index > earlier.index
        assert later.taken_at > earlier.taken_at
        assert later.wall_time >= earlier.wall_time


def test_pictures_are_rgb_with_a_luma_of_the_same_shape(case: Case) -> None:
    frame = first(case.source, 1)[0]
    width, height = frame.pixels.size
    assert frame.image.shape == (height, width, 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous
    assert frame.image is frame.image
    assert frame.luma.dtype == np.uint8
    assert frame.luma.shape[1] / frame.luma.shape[0] == pytest.approx(width / height, rel=0.02)


def test_a_picture_outlives_its_source(case: Case) -> None:
    kept = first(case.source, 3)[1]
    before = kept.luma.copy()
    first(case.source, 3)
    assert np.array_equal(kept.luma, before)
    assert kept.image.std() > 0 or kept.image.mean() > 0


def test_closing_the_iterator_releases_everything_at_once(case: Case) -> None:
    frames = case.source.frames()
    next(frames)
    began = time.monotonic()
    frames.close()
    assert time.monotonic() - began < 5
    assert case.released()


def test_it_can_be_played_again(case: Case) -> None:
    assert len(first(case.source, 3)) == 3
    again = first(case.source, 3)
    assert again[0].index == 0
    assert len(again) == 3


def test_stop_from_another_thread_ends_it(case: Case) -> None:
    with closing(case.source.frames()) as frames:
        next(frames)
        threading.Timer(0.05, case.source.stop).start()
        began = time.monotonic()
        for _ in frames:
            time.sleep(0.01)
        assert time.monotonic() - began < 6
    assert case.released()


def test_a_probe_tells_the_size(case: Case) -> None:
    answer = case.source.probe()
    assert (answer.width, answer.height) == first(case.source, 1)[0].pixels.size
    assert answer.why
    assert f"{answer.width}x{answer.height}" in str(answer)


def test_it_runs_in_a_capture_thread(case: Case) -> None:
    with LatestFrame(case.source) as latest:
        frames = list(islice(latest, 4))
    assert [b.index > a.index for a, b in pairwise(frames)] == [True] * 3
    assert latest.heartbeat is not None
    wait_until(case.released, "release")  # a thread that is slow to end is left to do so alone
