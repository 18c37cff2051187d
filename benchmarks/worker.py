"""Run one system over the clip in a separate process, and write the measurements as JSON.

python -m benchmarks.worker SYSTEM --video CLIP --enrolment JSON --out JSON [--frames JSON] [--model FILE]
    [--state-dir DIR]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measure import Lap, peak_memory, pin_to_one_core
from benchmarks.scoring import Claim
from benchmarks.systems.peers import FaceRecognitionExample, FasterFaceRecognitionExample, Peer, PiSecureHome
from benchmarks.video_frames import decoded

Result = dict[str, Any]


def decode_alone(video: Path) -> Result:
    """Measure decoding alone."""
    lap = Lap()
    cpu = [lap.split() for _ in decoded(video)]
    return {"cpu": cpu, "claims": []}


def run_peer(video: Path, peer: Peer, wanted: Collection[int] | None) -> Result:
    """Run ``peer`` on the frames ``wanted`` (None: all); the others are only decoded."""
    cpu: list[float | None] = []
    claims: list[Claim] = []
    lap = Lap()
    for index, frame in enumerate(decoded(video)):
        if wanted is not None and index not in wanted:
            cpu.append(None)
            lap.split()
            continue
        answers = peer.identify(frame.to_ndarray(format="bgr24"))
        claims += [Claim(index, box, name) for box, name in answers]
        cpu.append(lap.split())
    return {"cpu": cpu, "claims": [asdict(claim) for claim in claims]}


def run_ours(video: Path, state_dir: Path, *, whole: bool = False) -> Result:
    """Run facesecure, with its stages timed; ``whole``: every search is of the whole frame."""
    from benchmarks.systems.ours import Run

    run = Run(video, state_dir, whole=whole)
    run.go()
    claims = [asdict(claim) for claim in run.claims]
    return {"cpu": run.cpu, "claims": claims, "stages": run.stages, "memory_steps": run.memory}


def main() -> None:
    options = _options()
    core = pin_to_one_core()
    _one_thread_for_opencv()
    enrolment = _enrolment(options.enrolment)
    began = time.monotonic()
    result = _systems(options, enrolment)[options.system]()
    result |= {"wall": time.monotonic() - began, "peak_memory": peak_memory(), "core": core}
    options.out.write_text(json.dumps(result))


def _systems(options: argparse.Namespace, enrolment: Mapping[str, Sequence[Path]]) -> dict[str, Callable[[], Result]]:
    wanted = set(json.loads(options.frames.read_text())) if options.frames else None
    video = options.video
    return {
        "decode": lambda: decode_alone(video),
        "ours": lambda: run_ours(video, options.state_dir),
        "ours_whole": lambda: run_ours(video, options.state_dir, whole=True),
        "face_recognition": lambda: run_peer(video, FaceRecognitionExample(enrolment), wanted),
        "face_recognition_quarter": lambda: run_peer(video, FasterFaceRecognitionExample(enrolment), wanted),
        "pisecurehome": lambda: run_peer(video, PiSecureHome(options.model), wanted),
    }


def _enrolment(path: Path) -> dict[str, list[Path]]:
    return {name: [Path(picture) for picture in pictures] for name, pictures in json.loads(path.read_text()).items()}


def _one_thread_for_opencv() -> None:
    import cv2

    cv2.setNumThreads(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system")
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--enrolment", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--state-dir", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
