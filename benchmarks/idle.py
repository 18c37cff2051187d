"""Measure what is saved while nothing moves: a front door decoded as a whole, and only as far as is needed.

    python -m benchmarks.idle [--seconds 60]

A door at which nothing happens for a minute and then somebody comes is encoded as cameras do, and each stream is read
twice, with packets that come at their times on a clock of its own: no run depends on how fast the machine is otherwise.
The costs are CPU time of decoding and of looking for movement. A newcomer is noticed with the first frame that moves;
the time that decoding takes by then is counted. Memory is that of whole daemons that play one stream at real speed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import doorclip
from benchmarks.cast import find_cast
from benchmarks.door import LFW, ROOT
from benchmarks.measure import peak_memory
from facesecure.app import assembly
from facesecure.camera.sources import idle_decoding
from facesecure.camera.sources.attention import Attention
from facesecure.camera.sources.decoding import video_stream
from facesecure.camera.sources.idle_decoding import IdleDecoding, SparseReader
from facesecure.camera.sources.uri import parse
from facesecure.camera.synthetic.scene import Sensor, draw_scene
from facesecure.config import FacesecureConfig, MotionConfig
from facesecure.domain import Image
from facesecure.vision.detection.motion import MotionGate
from facesecure.vision.images.frames import ColourConverter, VideoImage

CHEAPEST, LATEST, LARGEST = 0.4, 0.5, 190.0
"""The aims: cost of the quiet time in decodings, seconds that a newcomer is noticed later, megabytes."""
LEARNT = 12.0
"""Seconds after which a stream's structure is known: until then everything is decoded."""
AFTER = 6.0

_CAMERA = {"preset": "veryfast", "tune": "zerolatency", "bf": "0", "sc_threshold": "0", "crf": "23"}
_RATE = {key: value for key, value in _CAMERA.items() if key != "crf"} | {
    "b": "3000000",
    "maxrate": "3000000",
    "bufsize": "1000000",
}
_HEVC = {"preset": "ultrafast", "crf": "26", "x265-params": "bframes=0:log-level=error:scenecut=0:open-gop=0"}


@dataclass(frozen=True)
class Stream:
    """How a camera encodes: key frames ``distance`` seconds apart, by day or at ``night``, with noise."""

    name: str
    distance: float
    options: dict[str, str]
    codec: str = "libx264"
    night: bool = False


STREAMS = (
    Stream("H.264, key frame every 0.5 s", 0.5, _CAMERA),
    Stream("H.264, every 1 s, ultrafast", 1.0, {**_CAMERA, "preset": "ultrafast"}),
    Stream("H.264, every 2 s", 2.0, _CAMERA),
    Stream("H.264, every 4 s", 4.0, _CAMERA),
    Stream("H.264, every 2 s, B frames", 2.0, {**_CAMERA, "tune": "film", "bf": "3"}),
    Stream("H.264, every 2 s, constant rate", 2.0, _RATE),
    Stream("HEVC, every 2 s", 2.0, _HEVC, "libx265"),
    Stream("night with noise, every 0.5 s", 0.5, _CAMERA, night=True),
    Stream("night with noise, every 2 s", 2.0, _CAMERA, night=True),
)


@dataclass(frozen=True)
class Reading:
    """One reading of a stream: CPU seconds of the quiet time, frames decoded in it, and when movement was noticed.

    ``moved`` is the time of the first frame that moves, ``noticed`` when that was known.
    """

    cpu: float
    frames: int
    moved: float
    noticed: float


def main() -> None:
    options = _options()
    if options.watch:
        print(json.dumps(watch(*options.watch)))
        return
    folder = options.out / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    films = encoded(folder, options.seconds, STREAMS)
    rows = {
        stream.name: {mode: read(film, sparse=mode == "auto") for mode in ("off", "auto")}
        for stream, film in zip(STREAMS, films, strict=True)
    }
    memory = {mode: _memory(films[2], mode) for mode in ("off", "auto")}
    show(rows, memory)
    found = {name: {mode: asdict(one) for mode, one in row.items()} for name, row in rows.items()}
    (options.out / "idle.json").write_text(json.dumps({"streams": found, "memory": memory}, indent=1))


def encoded(folder: Path, quiet: float, streams: Sequence[Stream]) -> list[Path]:
    """Return the films of the door, one for each of ``streams``: ``quiet`` seconds of it empty, then a visitor."""
    paths = [folder / f"idle-{quiet:g}s-{number}.mp4" for number in range(len(streams))]
    missing = [(path, stream) for path, stream in zip(paths, streams, strict=True) if not path.exists()]
    if missing:
        _encode(missing, quiet)
    return paths


def _encode(films: Sequence[tuple[Path, Stream]], quiet: float) -> None:
    outputs = [(av.open(str(path.with_suffix(".part.mp4")), "w"), stream) for path, stream in films]
    tracks = [_track(container, stream) for container, stream in outputs]
    night = _Night()
    for number, image in enumerate(_door(quiet)):
        shown = {False: _planes(image), True: _planes(night.of(image))}
        for (container, stream), track in zip(outputs, tracks, strict=True):
            frame = av.VideoFrame.from_ndarray(shown[stream.night], format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, round(doorclip.FPS))
            container.mux(track.encode(frame))
    for (container, _), track, (path, _) in zip(outputs, tracks, films, strict=True):
        container.mux(track.encode())
        container.close()
        path.with_suffix(".part.mp4").rename(path)


def _track(container: Any, stream: Stream) -> Any:
    track = cast("Any", container.add_stream(stream.codec, rate=round(doorclip.FPS), options=stream.options))
    track.width, track.height = doorclip.SIZE
    track.pix_fmt, track.thread_count = "yuv420p", 1
    track.gop_size = int(stream.distance * doorclip.FPS)
    return track


def _door(quiet: float) -> Iterator[Image]:
    random = np.random.default_rng(1)
    person = find_cast(LFW, ROOT / "out" / "bench" / "cache", random)[0]
    guest = doorclip._guest(person, quiet, 1, random)
    scene, sensor = draw_scene(doorclip.SIZE, 1), Sensor(doorclip.SIZE, 1)
    for number in range(round((quiet + AFTER) * doorclip.FPS)):
        image = scene.image.copy()
        doorclip.draw(image, scene, [guest], number / doorclip.FPS)
        yield sensor.expose(image, 1.0)


def _planes(image: Image) -> Image:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), np.uint8)


class _Night:
    """Darkens images, and adds a sensor's noise: one of a few patterns, shifted, since new ones would take minutes."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(5)
        height, width = doorclip.SIZE[1], doorclip.SIZE[0]
        self._patterns = [self._random.normal(0, 5.0, (height, width, 1)).astype(np.float32) for _ in range(4)]

    def of(self, image: Image) -> Image:
        pattern = self._patterns[int(self._random.integers(len(self._patterns)))]
        noise = np.roll(pattern, tuple(self._random.integers(0, 1000, 2)), (0, 1))
        return np.asarray(np.clip(image * np.float32(0.35) + noise, 0, 255), np.uint8)


class _Clock:
    """The time of the latest packet, and what its decoding has taken since."""

    def __init__(self) -> None:
        self._packet = 0.0
        self._began = time.process_time()

    def monotonic(self) -> float:
        return self._packet

    def packet(self, at: float) -> None:
        self._packet, self._began = at, time.process_time()

    @property
    def now(self) -> float:
        return self._packet + time.process_time() - self._began


def read(film: Path, *, sparse: bool) -> Reading:
    """Read ``film`` as a camera's stream, decoded as a whole or only as far as is needed."""
    clock, attention, gate, converter = _Clock(), Attention(), MotionGate(MotionConfig()), ColourConverter()
    if not sparse:
        attention.also(lambda: True)
    end = _length(film) - AFTER
    cpu, frames, moved, noticed = 0.0, 0, 0.0, 0.0
    with av.open(str(film)) as container, patch.object(idle_decoding, "time", clock):
        stream = video_stream(container, parse(str(film)), 1)
        idle = IdleDecoding(attention, lambda: MotionGate(MotionConfig()))
        reader = SparseReader(
            container,
            stream,
            str(film),
            idle,
            lambda frame: VideoImage(frame, converter).luma(),
            packets=_timed(container.demux(stream), clock),
        )
        before = time.process_time()
        for frame in reader:
            if frame is not None:
                attention.scene = gate.moved(VideoImage(frame, converter).luma(), reader.came_at)
                if gate.moving and not moved and reader.came_at > LEARNT:
                    moved, noticed = reader.came_at, clock.now
            taken, before = time.process_time() - before, time.process_time()
            if LEARNT < clock.monotonic() < end - 1:
                cpu, frames = cpu + taken, frames + (frame is not None)
    return Reading(cpu, frames, moved, noticed)


def _timed(packets: Any, clock: _Clock) -> Iterator[Any]:
    for packet in packets:
        if packet.dts is not None:
            clock.packet(float(packet.dts * packet.time_base))
        yield packet


def _length(film: Path) -> float:
    with av.open(str(film)) as container:
        return float(container.duration or 0) / 1e6


def watch(film: str, mode: str) -> dict[str, float]:
    """Watch ``film`` at real speed in this process. Return its CPU seconds and peak memory, bytes."""
    with tempfile.TemporaryDirectory() as folder:
        camera = {"source": f"file:{film}", "file_speed": "real", "idle_decoding": mode}
        config = FacesecureConfig.model_validate({"state_dir": folder, "camera": camera})
        with assembly.assembled(config, Path(folder)) as daemon:
            daemon.watch()
    return {"cpu": time.process_time(), "memory": peak_memory()}


def _memory(film: Path, mode: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.idle", "--watch", str(film), mode]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(rows: dict[str, dict[str, Reading]], memory: dict[str, dict[str, float]]) -> None:
    """Print the figures beside the aims."""
    table = Table("1920x1080, 15 frames a second", "cost", "frames", "noticed later", title="While nothing moves")
    for name, row in rows.items():
        off, auto = row["off"], row["auto"]
        later = auto.noticed - off.noticed
        table.add_row(name, f"{auto.cpu / off.cpu:.2f}", f"{auto.frames} of {off.frames}", f"{later:.2f} s")
    table.add_row("aim", f"{CHEAPEST}", "", f"{LATEST} s")
    console = Console(width=120)
    console.print(table)
    for mode, one in memory.items():
        console.print(
            f"idle_decoding = {mode}: {one['memory'] / 2**20:.0f} MB, {one['cpu']:.1f} s of CPU (aim: {LARGEST:.0f} MB)"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.idle", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds in which nothing moves")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench")
    parser.add_argument("--watch", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
