"""Bulk work: the memory of the manifest, statistics and pairs by the number of files, and two workers against one.

    python -m benchmarks.bulk memory --files 2000 --files 100000 --files 1000000
    python -m benchmarks.bulk speed photos/ --take 400
    python -m benchmarks.bulk rejudge --take 300

``memory`` runs each size in a process of its own, on synthetic names of ten photos a person. There are no files: what
lists them is replaced by a function, and everything after it is real: the index of the journal, the manifest, the
catalogue and the pairs. The peak is the process' own (VmHWM), beside that of the same process
before it begins.

``speed`` extracts the faces of the same photos by one worker and by two, each a process of Dask with one thread, and
by this process alone; the time is that from the first photo to the last, without the start of the processes.

``rejudge`` makes a store with visits of five kept faces each, embedded by another model, and embeds and judges them by
this process alone, with and without keeping the embeddings.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.about import about, line

A_PERSON = 10


PAIRS = 1000


def _about() -> str:
    """Say how this was measured, and how busy the machine was at the start."""
    return f"{line(about(sys.argv, 0))} Load {os.getloadavg()[0]:.1f}."


def main() -> None:
    options = _options()
    if options.what == "speed":
        _speed(options)
    elif options.what == "rejudge":
        _rejudge(options.take)
    elif options.one:
        print(json.dumps(_memory_of(options.one)))
    else:
        _memory(options.files or [2000, 100_000, 1_000_000])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("memory", "speed", "rejudge"))
    parser.add_argument("photos", nargs="?", type=Path, help="class folders of photos, for speed")
    parser.add_argument("--files", type=int, action="append")
    parser.add_argument("--take", type=int, default=400, help="photos, or visits")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _memory(sizes: list[int]) -> None:
    print(_about())
    print(f"{'files':>9} {'MB before':>10} {'index':>7} {'manifest':>9} {'pairs':>7} {'seconds':>8}")
    for size in sizes:
        words = [sys.executable, "-m", "benchmarks.bulk", "memory", "--one", str(size)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        peaks = " ".join(f"{found[name]:{width}.0f}" for name, width in (("index", 7), ("manifest", 9), ("pairs", 7)))
        print(f"{size:9} {found['before']:10.0f} {peaks} {found['seconds']:8.1f}", flush=True)


def _memory_of(size: int) -> dict[str, float]:
    """Return the peaks in MB after each part, for ``size`` files."""
    import pyarrow.parquet  # noqa: F401 - before the first reading: it is there whatever the size

    from facesecure_training.datasets import manifest, pairs
    from facesecure_training.datasets.catalogue import Catalogue
    from facesecure_training.datasets.source_index import SourceIndex
    from facesecure_training.datasets.sources import Recording
    from facesecure_training.datasets.splitting import FRACTIONS

    began = time.monotonic()
    found: dict[str, float] = {"before": _peak()}
    with tempfile.TemporaryDirectory() as folder:
        with SourceIndex(Path(folder) / "index.db") as index:
            there = (Recording(name, Path("/in", name), "photo", "memory:", "1 2") for _, name in _names(size))
            index.there(there)
            for count, recording in enumerate(index.waiting(), 1):
                index.note(recording.name, (count * 100, "1 2"), count * 100)
            index.save(size * 100)
            found["index"] = _peak()
            rows = ({**_ROW, "file": f"{name}.png", "source": name, "class": who} for who, name in _names(size))
            manifest.write(Path(folder), rows, {})
            found["manifest"] = _peak()
        people = Catalogue(Path(folder), ((who, 0, f"{name}.png", name) for who, name in _names(size)))
        for part, some in pairs.pairs_of(people, PAIRS, FRACTIONS, 0).items():
            pairs.write(Path(folder) / f"{part}.parquet", some, Path(folder))
        found["pairs"] = _peak()
    return {**found, "seconds": time.monotonic() - began}


def _names(size: int) -> Iterator[tuple[str, str]]:
    """Yield people and their photos, with names as CelebA's and LFW's are long."""
    for number in range(size):
        who = f"Person_Number_{number // A_PERSON:06}"
        yield who, f"{who}/{who}_{number % A_PERSON:04}.jpg"


_ROW: dict[str, Any] = {
    "kind": "photo", "frame": 0, "time": 0.0, "face": 0, "track": None, "width": 250, "height": 250, "left": 80.0,
    "top": 80.0, "right": 170.0, "bottom": 190.0, "landmarks": [100.0] * 10, "eye_distance": 42.0, "sharpness": 0.5,
    "brightness": 120.0, "contrast": 50.0, "yaw": 0.1, "pitch": 0.0, "roll": 1.0, "confidence": 0.99, "clarity": 0.9,
    "reasons": [],
}  # fmt: skip


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _speed(options: argparse.Namespace) -> None:
    print(_about())
    with tempfile.TemporaryDirectory() as folder:
        source = _some(options.photos, Path(folder) / "in", options.take)
        rates = {}
        for name, workers in (("this process", 0), ("one worker", 1), ("two workers", 2)):
            output = Path(folder) / f"out-{workers}"
            seconds, loads = _extracted(source, output, workers)
            rates[workers] = options.take / seconds
            print(f"{name:13} {rates[workers]:6.1f} photos/s; load {loads}", flush=True)
        same = {_bytes(Path(folder) / f"out-{workers}") for workers in rates}
        print(
            f"two workers: {rates[2] / rates[1]:.2f} times one; the results are {'equal' if len(same) == 1 else 'NOT'}"
        )


def _some(photos: Path, to: Path, count: int) -> Path:
    """Copy ``count`` photos, evenly spaced over all, in class folders."""
    found = sorted(photos.rglob("*.jpg"))
    for path in found[:: max(1, len(found) // count)][:count]:
        place = to / path.relative_to(photos)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return to


def _extracted(source: Path, output: Path, workers: int) -> tuple[float, str]:
    """Return the seconds of an extraction, from when the workers have loaded their models, and the load before it."""
    from facesecure.services.bulk.dask_pool import DaskPool
    from facesecure.services.bulk.pool import ThisProcess
    from facesecure_training.datasets.crop_folder import crop_folder
    from facesecure_training.datasets.settings import ExtractionSettings
    from facesecure_training.datasets.sources import recordings_in
    from facesecure_training.datasets.worker import WorkerTask, described, extracted

    settings = ExtractionSettings(thin=1.0, min_quality=0.0)
    task = WorkerTask(settings, str(source), str(output), "bench", None, described(settings))
    crop_folder(output).begin_run(task.run)
    recordings = list(recordings_in(source))
    with DaskPool.of_processes(workers) if workers else ThisProcess() as pool:
        for _ in pool.map(extracted, task, recordings[: 16 * max(1, workers)], 8):
            pass  # the models are loaded
        load, began = f"{os.getloadavg()[0]:.1f}", time.monotonic()
        for _ in pool.map(extracted, task, recordings, 64):
            pass
        return time.monotonic() - began, load


def _rejudge(visits: int) -> None:
    from facesecure.config import FacesecureConfig
    from facesecure.services.bulk.pool import ThisProcess
    from facesecure.services.rejudging import rejudge
    from facesecure.storage.store import Store

    print(_about())
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder)) as store:
        for visit in _visits(visits):
            store.record(visit)
        for apply in (False, True):
            began = time.monotonic()
            found = rejudge(FacesecureConfig(), store, ThisProcess(), apply=apply)
            seconds = time.monotonic() - began
            print(f"{'kept' if apply else 'tried':6} {found.outdated / seconds:6.1f} faces/s, {found.outdated} faces")


def _visits(count: int) -> Iterator[Any]:
    """Yield visits of five faces of noise, embedded by a model that is none."""
    from datetime import UTC, datetime, timedelta

    import numpy as np

    from facesecure.domain import AlignedFace, Quality, SeenFace, Sighting, Verdict, VerdictKind

    chance = np.random.default_rng(0)
    quality = Quality(40, 0.5, 120, 50, 0, 0, 0, 0.99, 0.9)
    for number in range(count):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        faces = tuple(
            SeenFace(
                AlignedFace(np.repeat(chance.integers(0, 256, (14, 112, 3), np.uint8), 8, 0), quality),
                chance.normal(size=192).astype(np.float32), "0" * 64, at,
            )
            for _ in range(5)
        )  # fmt: skip
        verdict = Verdict(VerdictKind.STRANGER, "drawn", faces_used=5)
        yield Sighting(f"{number:032}", verdict, "front door", at, at, 1, faces=faces)


def _bytes(folder: Path) -> int:
    files = sorted(path for path in folder.rglob("*.png"))
    return hash(tuple((path.relative_to(folder), path.read_bytes()) for path in files))


if __name__ == "__main__":
    main()
