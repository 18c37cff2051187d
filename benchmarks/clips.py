"""What keeping films costs: the CPU time of reading a camera with films and without, in pairs of one run.

    python -m benchmarks.clips [--pairs 5] [--seconds 20] [--rate 10] [--megabits 4] [--json FILE]

A 1080p film of noise at that bit rate is read at real speed, as a camera is, by a process of its own: decoded and
dropped; with its latest packets kept (nobody is there); and filmed all the time (somebody always is). CPU time is what
os.wait4 says of the process, less that of a start that reads nothing; the difference is the films' own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
import numpy as np

SIZE = (1920, 1080)
HOW = ("nothing", "without", "quiet", "filmed")


def make_video(path: Path, seconds: float, rate: int, megabits: float, codec: str = "libx264") -> None:
    """Write noise that moves, at about ``megabits`` a second, with a key frame every two seconds."""
    random = np.random.default_rng(1)
    scene = random.integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    options = {"preset": "ultrafast", "bf": "0", "threads": "1", "nal-hrd": "cbr"}
    with av.open(str(path), "w") as container:
        stream = cast("Any", container.add_stream(codec, rate=rate, options=options))
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = round(megabits * 1e6)
        stream.codec_context.gop_size = 2 * rate
        for number in range(round(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(scene, 3 * number, 1)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def read(video: Path, how: str) -> None:
    """Read ``video`` as one camera of the daemon is read."""
    from facesecure.camera.capture import LatestFrame
    from facesecure.camera.clips.packet_ring import PacketRing
    from facesecure.camera.clips.recorder import ClipRecorder
    from facesecure.camera.sources import open_source
    from facesecure.camera.sources.tap import NO_TAP
    from facesecure.config import CameraConfig
    from facesecure.config.clips import ClipsConfig
    from facesecure.storage.store import Store

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(Store.open(folder))
        ring = None if how in ("nothing", "without") else PacketRing(10.0, recorded=True)
        source = open_source(f"file:{video}", CameraConfig(file_speed="real"), tap=ring or NO_TAP)
        if how == "nothing":
            return
        recorder = None
        if ring is not None:
            begin = partial(store.clips.begin, most_mb=1000)
            recorder = stack.enter_context(ClipRecorder(ring, begin, "door", ClipsConfig()))
        for frame in stack.enter_context(LatestFrame(source)):
            if recorder is not None and how == "filmed":
                recorder.active(frame.taken_at, frame.taken_at, frame.wall_time)
                recorder.keep()


def cpu_of(video: Path, how: str) -> float:
    """Return the seconds of CPU time, of user and system, of a process that reads ``video``."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.clips", "--read", how, str(video)])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"reading it {how} failed")
    return usage.ru_utime + usage.ru_stime


def measure(pairs: int, seconds: float, rate: int, megabits: float, codec: str = "libx264") -> dict[str, float]:
    """Return the medians of the figures, in shares of one core."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "camera.mp4"
        make_video(video, seconds, rate, megabits, codec)
        real = video.stat().st_size * 8e-6 / seconds
        rounds = [{how: cpu_of(video, how) for how in HOW} for _ in range(pairs)]
    reading = statistics.median((one["without"] - one["nothing"]) / seconds for one in rounds)
    figures = {"megabits": real, "reading": reading}
    for how in ("quiet", "filmed"):
        figures[how] = statistics.median((one[how] - one["without"]) / seconds for one in rounds)
        figures[f"{how}_ratio"] = statistics.median(
            (one[how] - one["nothing"]) / (one["without"] - one["nothing"]) for one in rounds
        )
    return figures


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--megabits", type=float, default=4.0)
    parser.add_argument("--codec", default="libx264")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(Path(given.read[1]), given.read[0])
        return
    found = measure(given.pairs, given.seconds, given.rate, given.megabits, given.codec)
    print(f"1080p at {given.rate} frames and {found['megabits']:.1f} Mbit/s, medians of {given.pairs} runs of each:")
    print(f"  reading and decoding it           {found['reading']:7.2%} of a core")
    for how, words in (("quiet", "films on, nobody there"), ("filmed", "films on, always filming")):
        print(f"  {words:<26} more by {found[how]:7.2%} of a core, {found[f'{how}_ratio']:.3f} times")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
