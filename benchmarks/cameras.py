"""Watch one busy camera, then three quiet ones beside it, and measure what each camera more costs.

    python -m benchmarks.cameras [--seconds 60]

Four 1080p H.264 films at 10 frames a second are played at real speed on all cores, as cameras would send them. The
costs are CPU time and peak memory of whole processes, so that starting is counted in each and cancels out; how late a
frame is searched is real time, and needs a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import doorclip
from benchmarks.cast import find_cast
from benchmarks.door import LFW, ROOT
from benchmarks.measure import peak_memory
from benchmarks.video_frames import decoded
from facesecure.app import assembly
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.config import FacesecureConfig
from facesecure.domain import Frame
from facesecure.pipeline.model_pool import ModelPool
from facesecure.pipeline.pipeline import Pipeline
from facesecure.recognition.identify import Identifier

FPS = 10
QUIET = ("gate", "yard", "shed")
LATEST, DEAREST, LARGEST = 0.3, 1.15, 45.0
"""The aims: seconds until a frame is searched, cost of a quiet camera in decodings, megabytes of a camera."""


def main() -> None:
    options = _options()
    if options.watch:
        print(json.dumps(watch(options.watch, options.state_dir)))
        return
    busy, quiet = films(options.out / "cache", options.seconds)
    one = _run([busy], options.out / "cache")
    four = _run([busy, quiet, quiet, quiet], options.out / "cache")
    decoding = decoding_cost(quiet)
    show(one, four, decoding, options.out / "cameras.json")


def films(cache: Path, seconds: float) -> tuple[Path, Path]:
    """Return the film of a busy door and that of a quiet one, drawn unless they are in ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    cast = find_cast(LFW, cache, rng)
    result = []
    for name, groups in (("busy", doorclip.GROUPS), ("quiet", ())):
        path = cache / f"{name}-{seconds:g}s-{FPS}fps.mp4"
        if not path.exists():
            _draw(path, doorclip.plan(cast, rng, groups) if groups else [], seconds)
        result.append(path)
    return result[0], result[1]


def _draw(path: Path, guests: Sequence[doorclip.Guest], seconds: float) -> None:
    """Draw the door's clip, and encode two of three of its frames as a camera would."""
    drawn = path.with_suffix(".drawn.mp4")
    doorclip.make(drawn, guests, seconds, seed=1)
    with VideoWriter(path, doorclip.SIZE, FPS) as video:
        for index, frame in enumerate(decoded(drawn)):
            if index % 3 != 2:
                video.write(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    drawn.unlink()


def decoding_cost(film: Path) -> float:
    """Return the CPU seconds that decoding all of ``film`` takes in one thread: the median of three."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        for _ in decoded(film):
            pass
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def watch(videos: Sequence[Path], state_dir: Path) -> dict[str, Any]:
    """Watch ``videos`` to their ends in this process. Return its CPU seconds, peak memory, and how late it searched."""
    cameras = [
        {"name": name, "source": f"file:{video}", "file_speed": "real"}
        for name, video in zip(("front door", *QUIET), videos, strict=False)
    ]
    config = FacesecureConfig.model_validate({"state_dir": state_dir, "cameras": cameras})
    late: dict[str, list[float]] = {camera["name"]: [] for camera in cameras}
    with assembly.assembled(config, state_dir) as daemon:
        watched = [replace(one, pipeline=timed(one.pipeline, late[one.name])) for one in daemon.cameras]
        replace(daemon, cameras=tuple(watched)).watch()
        taken = {one.name: one.camera.frames.dropped for one in daemon.cameras}
    return {"cpu": time.process_time(), "memory": peak_memory(), "late": late, "dropped": taken}


def timed(pipeline: Pipeline, late: list[float]) -> Pipeline:
    """Return ``pipeline``, which notes in ``late`` how old each frame is when its search begins, in seconds."""
    sampler = _Sampler(pipeline.sampler)
    return replace(pipeline, sampler=sampler, models=_Pool(pipeline.models, sampler, late))


class _Sampler:
    """Keeps the frame that is looked at."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.frame: Frame | None = None

    def should_detect(self, frame: Frame) -> bool:
        self.frame = frame
        return bool(self._real.should_detect(frame))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Pool(ModelPool):
    """Lends the models of another pool, and notes how old the frame is by then."""

    def __init__(self, real: ModelPool, sampler: _Sampler, late: list[float]) -> None:
        super().__init__([])
        self._real, self._sampler, self._late = real, sampler, late

    @contextmanager
    def lend(self, camera: str, *, urgent: bool = False) -> Iterator[Identifier]:
        with self._real.lend(camera, urgent=urgent) as models:
            if self._sampler.frame is not None:
                self._late.append((datetime.now(UTC) - self._sampler.frame.wall_time).total_seconds())
            yield models


def _run(videos: Sequence[Path], cache: Path) -> dict[str, Any]:
    """Watch ``videos`` in a process of its own."""
    state = cache / f"cameras-{len(videos)}"
    state.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.cameras", "--state-dir", str(state), "--watch", *map(str, videos)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def show(one: dict[str, Any], four: dict[str, Any], decoding: float, path: Path) -> None:
    """Print the figures beside the aims, and write them to ``path``."""
    ages = [age for each in four["late"].values() for age in each]
    quiet = (four["cpu"] - one["cpu"]) / len(QUIET)
    megabytes = (four["memory"] - one["memory"]) / len(QUIET) / 1e6
    rows = [
        ("a frame is searched after, at most", f"{max(ages):.2f} s", f"{LATEST} s"),
        ("the same, median and 99 of 100", f"{np.median(ages):.2f} s, {np.quantile(ages, 0.99):.2f} s", ""),
        ("a quiet camera more, in decodings of its film", f"{quiet / decoding:.2f}", f"{DEAREST}"),
        ("a camera more, memory", f"{megabytes:.0f} MB", f"{LARGEST:.0f} MB"),
        ("one camera, memory", f"{one['memory'] / 1e6:.0f} MB", ""),
        ("frames left out by the busy camera, alone and beside three", f"{_busy(one)}, {_busy(four)}", ""),
    ]
    table = Table("", "measured", "aim", title="One busy and three quiet cameras, 1920x1080, 10 frames a second")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)
    path.write_text(json.dumps({"one": one, "four": four, "decoding": decoding}, indent=1))


def _busy(run: dict[str, Any]) -> int:
    return int(run["dropped"]["front door"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.cameras", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the films")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench")
    parser.add_argument("--watch", nargs="*", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--state-dir", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
