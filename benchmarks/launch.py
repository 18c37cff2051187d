"""Start each system in a separate process, so that memory and threads are measured separately."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import ONE_THREAD

_STARTS = 3


class Launcher:
    """Runs each system with its Python interpreter; all output goes to ``cache``."""

    def __init__(self, root: Path, cache: Path, video: Path, peers: Path, tflite: Path) -> None:
        self._root, self._cache, self._video = root, cache, video
        self._pythons = {
            "face_recognition": peers,
            "face_recognition_quarter": peers,
            "pisecurehome_tflite_runtime": tflite,
        }
        self._network = cache / "pisecurehome.tflite"
        self._state_dir = cache / "state"

    def missing(self, system: str) -> str | None:
        """Return what is missing to run ``system``, or None."""
        python = self._pythons.get(system, Path(sys.executable))
        return None if python.exists() else f"{python.parents[1].name} is missing"

    def enrolment(self, photos: Mapping[str, Sequence[Path]]) -> None:
        """Write the list of photos for the other systems, and enrol the household with `facesecure enroll`."""
        (self._cache / "enrolment.json").write_text(
            json.dumps({n: [str(p) for p in paths] for n, paths in photos.items()})
        )
        shutil.rmtree(self._state_dir, ignore_errors=True)
        self._state_dir.mkdir()
        for name, paths in photos.items():
            self._facesecure("enroll", name, "--images", *map(str, paths))

    def run(self, system: str, frames: Sequence[int] | None) -> dict[str, Any]:
        """Run ``system`` over the clip (over ``frames`` of it, if given) and return what its worker wrote."""
        if system.startswith("pisecurehome"):
            self._build_network()
        out = self._cache / f"{system}.json"
        words = [system.removesuffix("_tflite_runtime"), "--video", self._video, "--out", out]
        words += [
            "--enrolment",
            self._cache / "enrolment.json",
            "--model",
            self._network,
            "--state-dir",
            self._state_dir,
        ]
        if frames is not None:
            wanted = self._cache / "frames.json"
            wanted.write_text(json.dumps(list(frames)))
            words += ["--frames", wanted]
        self._call(self._pythons.get(system, Path(sys.executable)), "-m", "benchmarks.worker", *words)
        raw: dict[str, Any] = json.loads(out.read_text())
        return raw

    def ready(self) -> dict[str, float]:
        """Return seconds from the start of the daemon to the end of its imports, and to READY: medians of three."""
        video = self._cache / "second.mp4"
        _short_video(video)
        runs = []
        for _ in range(_STARTS):
            began = time.monotonic()
            output = self._call(Path(sys.executable), "-m", "benchmarks.ready", self._state_dir, video)
            runs.append([float(mark) - began for mark in output.split()[-2:]])
        imported, ready = (statistics.median(column) for column in zip(*runs, strict=True))
        return {"imported": imported, "ready": ready}

    def _build_network(self) -> None:
        if not self._network.exists():
            self._call(Path(sys.executable), "-m", "benchmarks.systems.pisecurehome_network", self._network)

    def _facesecure(self, *words: str) -> None:
        self._call(Path(sys.executable), "-m", "facesecure", "--state-dir", str(self._state_dir), *words)

    def _call(self, python: Path, *words: object) -> str:
        """Run Python with ``words`` and return its stdout. Raises RuntimeError with its last output on failure."""
        environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(self._root)}
        command = [str(python), *map(str, words)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"{' '.join(command)} failed ({done.returncode}):\n{done.stderr[-2000:]}{done.stdout[-1000:]}"
            )
        return done.stdout


def _short_video(path: Path) -> None:
    from facesecure.camera.synthetic.scene import draw_scene
    from facesecure.camera.synthetic.video_writer import VideoWriter

    image = draw_scene().image
    with VideoWriter(path, (image.shape[1], image.shape[0])) as video:
        for _ in range(5):
            video.write(image)
