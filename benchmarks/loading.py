"""Measure memory and speed of loading images for training: 2,000 against 200,000.

python -m benchmarks.loading [--few 2000] [--many 200000] [--distinct 2000] [--folder DIR]

Makes --distinct small JPEGs (112x112, noise on a colour: 5 kB each) and hard links to them for --many names in class
folders, so that neither the disk nor the page cache limits the result. Each row is a separate process that reads the
class folder and loads one shuffled epoch; memory is its peak resident size (VmHWM), beside the size after importing
TensorFlow. Only --distinct different files are read, which makes no difference to the process: to it, each name is a
file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.measure import peak_memory

CLASSES = 20


def main() -> None:
    options = _options()
    if options.epoch:
        print(json.dumps(_epoch(options.epoch, options.cached)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = Path(folder)
        originals = _originals(root / "originals", options.distinct)
        print(f"{'pictures':>9}{'cache':>7}{'MB at start':>13}{'MB at most':>12}{'images/s':>10}")
        for count in (options.few, options.many):
            place = _linked(root / f"{count}", originals, count)
            for cached in ("no",) if count > options.few else ("no", "yes"):
                found = _run(place, cached)
                start, most = found["start"] / 1e6, found["most"] / 1e6
                print(f"{found['count']:9}{cached:>7}{start:13.0f}{most:12.0f}{found['rate']:10.0f}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=2000)
    parser.add_argument("--many", type=int, default=200_000)
    parser.add_argument("--distinct", type=int, default=2000)
    parser.add_argument(
        "--folder", type=Path, help="folder for the files; default: the system's folder for temporary files"
    )
    parser.add_argument("--epoch", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cached", default="no", help=argparse.SUPPRESS)
    return parser.parse_args()


def _originals(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:06}.jpg" for number in range(count)]
    for path in paths:
        image = np.clip(rng.integers(0, 255, 3) + rng.normal(0, 12, (112, 112, 3)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(path), image)
    return paths


def _linked(root: Path, originals: list[Path], count: int) -> Path:
    """Make a class folder of ``count`` links to the originals."""
    for label in range(CLASSES):
        (root / f"class{label:02}").mkdir(parents=True)
    for number in range(count):
        os.link(originals[number % len(originals)], root / f"class{number % CLASSES:02}" / f"{number:07}.jpg")
    return root


def _run(place: Path, cached: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "benchmarks.loading", "--epoch", str(place), "--cached", cached]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def _epoch(place: Path, cached: str) -> dict[str, Any]:
    from facesecure_training.common.optional_dependencies import tensorflow
    from facesecure_training.datasets.folders import ClassFolder
    from facesecure_training.datasets.loading import batches

    tensorflow().constant(0)
    start = peak_memory()
    folder = ClassFolder.read(place)
    cache = place.parent / "cache" if cached == "yes" else None
    options: dict[str, Any] = {"size": (112, 112), "batch": 64, "shuffle": True, "cache": cache}
    if cache:
        sum(1 for _ in batches(folder.files, folder.labels, **options))
    began, count = time.monotonic(), 0
    for images, _ in batches(folder.files, folder.labels, **options):
        count += len(images)
    return {"count": count, "start": start, "most": peak_memory(), "rate": count / (time.monotonic() - began)}


if __name__ == "__main__":
    main()
