"""Measure face extraction from a video in frames a second, beside the mtcnn package on the same frames.

python -m benchmarks.extraction VIDEO --mtcnn-python VENV/bin/python [--frames 150]

VENV is made by: python3 -m venv VENV; VENV/bin/pip install mtcnn==1.0.0 tensorflow-cpu 'opencv-python-headless<5' av.
Each runs in a separate process, first on one core, then on all; timing starts after the first frame, when all networks
are loaded. facesecure detects, tracks, rates, crops and writes; the package only detects, crops and writes. The package
runs with its default smallest face of 20 pixels: set to 40, its version 1.0.0 finds none at all in the demo's clip.
facesecure runs at 20 as well, for a fair comparison, and at its default of 40.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

Result = dict[str, Any]


def main() -> None:
    options = _options()
    if options.role:
        cores = _cores(options.cores)
        print(json.dumps({"ours": _ours, "mtcnn": _mtcnn}[options.role](options, cores)))
        return
    print(f"{'':8}{'smallest':>9}{'cores':>7}{'frames/s':>10}{'CPU s/frame':>13}{'faces':>7}")
    for cores in (1, os.cpu_count() or 1):
        for role, smallest in (("ours", 40), ("ours", 20), ("mtcnn", 20)):
            found = _run(options, role, cores, smallest)
            rate, cpu = found["frames"] / found["wall"], found["cpu"] / found["frames"]
            print(f"{role:8}{smallest:6} px{cores:7}{rate:10.1f}{cpu:13.4f}{found['faces']:7}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--mtcnn-python", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--smallest", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--role", choices=("ours", "mtcnn"), help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(options: argparse.Namespace, role: str, cores: int, smallest: int) -> Result:
    python = sys.executable if role == "ours" else str(options.mtcnn_python)
    words = [python, __file__, str(options.video), "--mtcnn-python", "-", "--role", role, "--cores", str(cores)]
    words += ["--frames", str(options.frames), "--smallest", str(smallest)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def _cores(count: int) -> int:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    return count


class _Clock:
    """Wall and CPU time since the first frame."""

    def __init__(self) -> None:
        self.frames = -1
        self._began = (0.0, 0.0)

    def tick(self) -> None:
        self.frames += 1
        if not self.frames:
            self._began = (time.monotonic(), _cpu())

    def result(self, faces: int) -> Result:
        wall, cpu = time.monotonic() - self._began[0], _cpu() - self._began[1]
        return {"frames": self.frames + 1, "wall": wall, "cpu": cpu, "faces": faces}


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _ours(options: argparse.Namespace, cores: int) -> Result:
    """Run one process of an extraction, or one on each of ``cores``, on videos of equal length."""
    if cores == 1:
        return _our_worker(options)
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        parts = list(pool.map(_our_worker, [options] * cores))
    total = {key: sum(part[key] for part in parts) for key in ("frames", "cpu", "faces")}
    return total | {"wall": max(part["wall"] for part in parts)}


def _our_worker(options: argparse.Namespace) -> Result:
    import cv2

    from facesecure.vision.detection.factory import build_detector
    from facesecure_training.datasets.cropping import FaceExtractor
    from facesecure_training.datasets.settings import ExtractionSettings
    from facesecure_training.datasets.sources import Recording
    from facesecure_training.datasets.worker import write_image

    cv2.setNumThreads(1)
    settings = ExtractionSettings(stride=1, faces="all", thin=1.0, min_quality=0.0, min_face=options.smallest)
    extractor, clock, faces = FaceExtractor(build_detector(settings.detection), settings), _Clock(), 0

    class Enough(Exception):
        pass

    def searching() -> None:
        if clock.frames + 1 == options.frames:
            raise Enough
        clock.tick()

    with tempfile.TemporaryDirectory() as folder:
        with suppress(Enough):  # this stops the extractor between two frames
            for cut in extractor.extract(Recording("a/video", options.video, "video"), searching):
                write_image(Path(folder, f"{faces}.png"), cut.crop)
                faces += 1
        return clock.result(faces)


def _mtcnn(options: argparse.Namespace, cores: int) -> Result:
    """Run the package as in its README: one call a frame, then crop each face by its box and write it."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    import cv2
    import tensorflow as tf
    from mtcnn import MTCNN  # type: ignore[import-not-found,unused-ignore]

    tf.config.threading.set_intra_op_parallelism_threads(cores)
    tf.config.threading.set_inter_op_parallelism_threads(cores)
    detector, clock, faces = MTCNN(device="CPU:0"), _Clock(), 0
    with tempfile.TemporaryDirectory() as folder:
        for image in islice(_decoded(options.video), options.frames):
            clock.tick()
            for face in detector.detect_faces(image):
                left, top, width, height = (max(0, int(value)) for value in face["box"])
                crop = cv2.resize(image[top : top + height, left : left + width], (112, 112))
                cv2.imwrite(str(Path(folder, f"{faces}.png")), crop[..., ::-1])
                faces += 1
        return clock.result(faces)


def _decoded(video: Path) -> Iterator[Any]:
    import av

    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


if __name__ == "__main__":
    main()
