"""Cameras and recordings that are left undecoded while nothing moves, through the whole source."""

from __future__ import annotations

import time
from bisect import bisect
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from facesecure.camera.capture import LatestFrame
from facesecure.camera.sources import OpenedSource, open_source
from facesecure.camera.sources.attention import Attention
from facesecure.camera.sources.idle_decoding import IdleDecoding
from facesecure.camera.sources.tap import NO_TAP, NoTap, PacketTap
from facesecure.config import CameraConfig, MotionConfig
from facesecure.domain import Frame
from facesecure.vision.detection.motion import MotionGate
from support.camera.porch import IPPP, RATE, STEP, WIDTH, encode, porch
from support.camera.rtsp import RtspCamera, unavailable

COMES, SECONDS = 10.0, 12.0
REAL = CameraConfig(file_speed="real", timeout=30.0, reconnect_max=0.5)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of a porch; somebody comes after ten."""
    path = tmp_path_factory.mktemp("porch") / "porch.mp4"
    return encode(path, porch(SECONDS, COMES), 0.5, IPPP, "libx264")


class Watcher:
    """A pipeline that only looks for movement: it opens ``uri`` and tells the source whether it needs frames."""

    def __init__(self, uri: str, camera: CameraConfig = REAL, tap: PacketTap = NO_TAP) -> None:
        self.attention = Attention()
        self.gate = MotionGate(MotionConfig(linger=0.5))
        idle = IdleDecoding(self.attention, lambda: MotionGate(MotionConfig()))
        self.source: OpenedSource = open_source(uri, camera, tap=tap, idle=idle)

    def look(self, frame: Frame) -> None:
        self.attention.scene = self.gate.moved(frame.luma, frame.taken_at)


class Arrivals(NoTap):
    """A PacketTap that notes when each packet came."""

    def __init__(self) -> None:
        self.times = list[float]()

    def packet(self, packet: av.Packet[av.video.stream.VideoStream]) -> None:
        self.times.append(time.monotonic())

    def of(self, frames: list[Frame]) -> list[int]:
        """Return for each of ``frames`` the number of the last packet that had come when it was taken."""
        return [bisect(self.times, frame.taken_at) for frame in frames]


def _steps(frame: Frame) -> int | None:
    columns = np.flatnonzero(frame.luma[60:160].mean(axis=0) < 60)
    return round(float(columns[0]) / STEP) if len(columns) > WIDTH // 2 else None


def _read(watcher: Watcher, until: int) -> list[Frame]:
    """Read until the visitor has walked ``until`` steps."""
    seen: list[Frame] = []
    with closing(watcher.source.frames()) as frames:
        for frame in frames:
            seen.append(frame)
            watcher.look(frame)
            if _steps(frame) == until:
                return seen
    return seen


def _check(seen: list[Frame], until: int) -> None:
    steps = [_steps(frame) for frame in seen]
    quiet = steps.index(next(step for step in steps if step is not None))
    # Of the empty porch, two seconds are needed to learn the stream: 25 frames or so come, and more of those that come
    # at once to a process that was held up for seconds.
    assert quiet < 0.7 * COMES * RATE
    assert steps[quiet:] == list(range(until + 1))  # and of the visitor every frame comes, in order
    assert all(earlier.taken_at < later.taken_at for earlier, later in pairwise(seen))
    assert all(later.index == earlier.index + 1 for earlier, later in pairwise(seen))


@pytest.mark.rtsp
def test_of_a_network_camera_every_frame_of_a_visitor_comes_and_few_of_the_empty_porch(film: Path) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    with RtspCamera(film=film) as camera:
        arrivals = Arrivals()
        seen = _read(Watcher(camera.url, tap=arrivals), 12)
    _check(seen, 12)
    packets = arrivals.of([frame for frame in seen if _steps(frame) is not None])
    # Each was taken when its own packet came, and not all at once when they were decoded.
    assert packets == list(range(packets[0], packets[0] + len(packets)))


@pytest.mark.slow
def test_of_a_recording_at_real_speed_every_frame_of_a_visitor_comes(film: Path) -> None:
    began = time.monotonic()
    _check(_read(Watcher(f"file:{film}"), 12), 12)
    assert time.monotonic() - began > COMES - 0.1


def test_a_recording_played_fast_is_decoded_as_a_whole_and_repeats_exactly(film: Path) -> None:
    runs = [_read(Watcher(f"file:{film}", CameraConfig(file_speed="fast")), -1) for _ in range(2)]
    assert [len(run) for run in runs] == [SECONDS * RATE] * 2
    assert [frame.taken_at for frame in runs[0]] == [frame.taken_at for frame in runs[1]]


def test_with_idle_decoding_off_a_recording_is_decoded_as_a_whole(film: Path) -> None:
    watcher = Watcher(f"file:{film}", CameraConfig(file_speed="real", idle_decoding="off"))
    watcher.attention.scene = False
    with closing(watcher.source.frames()) as frames:
        assert [next(frames).taken_at for _ in range(30)] == pytest.approx([number / RATE for number in range(30)])


@pytest.mark.slow
def test_the_rate_of_a_camera_is_that_of_its_stream_and_it_is_alive_though_little_is_decoded(film: Path) -> None:
    watcher = Watcher(f"file:{film}")
    rates, beats = [], set[float | None]()
    with LatestFrame(watcher.source) as latest:
        for frame in latest:
            watcher.look(frame)
            if watcher.source.resting:  # type: ignore[attr-defined]
                rates.append(latest.rate)
                for _ in range(30):
                    beats.add(latest.heartbeat)
                    time.sleep(0.01)
    assert rates
    assert all(rate == rates[0] for rate in rates)
    assert len(beats) > 2 * len(rates)  # a sign of life for each packet, and not only for the few that are decoded
