"""Compare the face detectors: recall, false detections and time, on the same images in one run, one thread each.

    python -m benchmarks.detectors [--data ../shared/data] [--photos 500] [--seed 1] [--json FILE]

Every detector runs with a low confidence threshold, and its figures are computed for several higher ones: the default
confidence was chosen so. Milliseconds are the thread's CPU time, median of the images.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.detector_images import Sample, Spot, faceless, hard, lighting, portraits, street
from facesecure.config import DetectorConfig
from facesecure.domain import Face
from facesecure.domain.interfaces import Detector
from facesecure.vision.detection.factory import DEFAULT_CONFIDENCE, build_detector

LOW_BAR = 0.5
BARS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
YUNET = "face_detection_yunet_2023mar.onnx"


@dataclass
class Tally:
    """The results of one detector on one set of images."""

    seconds: list[float] = field(default_factory=list)
    found: list[tuple[Sample, list[Face]]] = field(default_factory=list)

    def add(self, sample: Sample, faces: Iterable[Face], seconds: float) -> None:
        blank = Sample(np.empty((0, 0, 3), np.uint8), sample.spots)  # the image itself is not kept
        self.found.append((blank, list(faces)))
        self.seconds.append(seconds)

    def at(self, bar: float) -> dict[str, float]:
        """Return the figures at confidence ``bar``: recall, false detections, the share of images with one, faces."""
        kept = [(sample.spots, [face for face in faces if face.confidence >= bar]) for sample, faces in self.found]
        spots = [(spot, faces) for known, faces in kept for spot in known or ()]
        empty = [faces for known, faces in kept if known == ()]
        figures = {"faces_a_picture": _mean(len(faces) for _, faces in kept)}
        if spots:
            figures["recall"] = _mean(_best(spot, faces) is not None for spot, faces in spots)
        if empty:
            figures["false_faces"] = float(sum(map(len, empty)))
            figures["pictures_with_false_faces"] = _mean(bool(faces) for faces in empty)
        return figures

    def recall_by_size(self, bar: float) -> dict[int, float]:
        by_size: dict[int, list[bool]] = {}
        for sample, faces in self.found:
            for spot in sample.spots or ():
                sure = [face for face in faces if face.confidence >= bar]
                by_size.setdefault(spot.size, []).append(_best(spot, sure) is not None)
        return {size: _mean(hits) for size, hits in sorted(by_size.items())}

    def confidences(self) -> dict[str, float]:
        """Return percentiles of the confidence of the expected faces that were found."""
        hits = [_best(spot, faces) for sample, faces in self.found for spot in sample.spots or ()]
        scores = [face.confidence for face in hits if face is not None]
        return {f"p{p}": round(float(np.percentile(scores, p)), 3) for p in (1, 5, 25, 50)} if scores else {}

    def summary(self, default_bar: float) -> dict[str, Any]:
        return {
            "pictures": len(self.found),
            "milliseconds": float(np.median(self.seconds)) * 1e3,
            "at_default": self.at(default_bar),
            "by_confidence": {str(bar): self.at(bar) for bar in BARS},
            "recall_by_size": {str(size): share for size, share in self.recall_by_size(default_bar).items() if size},
            "confidence": self.confidences(),
        }


def _best(spot: Spot, faces: list[Face]) -> Face | None:
    return max((face for face in faces if spot.holds(face.box)), key=lambda face: face.confidence, default=None)


def _mean(values: Iterable[float]) -> float:
    collected = list(values)
    return sum(collected) / len(collected) if collected else 0.0


def detectors(data: Path, min_face: int) -> dict[str, Detector]:
    """Return all detectors; YuNet only where its file exists."""
    built = {"mtcnn": build_detector(_config("mtcnn", min_face))}
    built["haar"] = build_detector(_config("haar", min_face))
    built["haar-2020"] = build_detector(_config("haar", min_face, preset="pisecurehome"))
    if (data / "models" / YUNET).is_file():
        built["yunet"] = build_detector(_config("yunet", min_face), models_dir=data / "models")
    return built


def _config(kind: str, min_face: int, **rest: Any) -> DetectorConfig:
    return DetectorConfig(kind=kind, min_face=min_face, confidence=LOW_BAR, **rest)


def default_bar(name: str) -> float:
    """Return the default confidence of a detector; the 2020 preset has none."""
    return 0.0 if name == "haar-2020" else DEFAULT_CONFIDENCE[name]


def pictures(data: Path, photos: int, seed: int) -> Iterator[tuple[str, Iterator[Sample]]]:
    yield "lfw", portraits(data, photos, seed)
    yield "lighting", lighting(data)
    yield "hard", hard(data, max(photos // 10, 1), seed)
    yield "scenes", faceless(data / "negatives/scenes")
    yield "pets-hard", faceless(data / "negatives/pets/hard")
    yield "pets-easy", faceless(data / "negatives/pets/easy")
    yield "street", street(data)


def measure(competitors: dict[str, Detector], samples: Iterable[Sample]) -> dict[str, Tally]:
    """Run every detector on each image in turn. The first image of each size warms up and is not timed."""
    tallies = {name: Tally() for name in competitors}
    sizes: set[tuple[int, ...]] = set()
    for sample in samples:
        for name, detector in competitors.items():
            if sample.image.shape not in sizes:
                detector.detect(sample.image)
            began = time.thread_time()
            faces = detector.detect(sample.image)
            tallies[name].add(sample, faces, time.thread_time() - began)
        sizes.add(sample.image.shape)
    return tallies


def report(results: dict[str, dict[str, Any]]) -> str:
    """Return two tables as text: each set at the default confidence, then at each confidence."""
    lines = [f"{'':12}{'':11}{'recall':>8}{'false':>7}{'faces':>8}{'ms':>8}   confidence of true faces"]
    for pictures_name, by_detector in results.items():
        for name, summary in by_detector.items():
            at, spread = summary["at_default"], summary["confidence"]
            lines.append(
                f"{pictures_name:12}{name:11}{_share(at.get('recall')):>8}{_count(at.get('false_faces')):>7}"
                f"{at['faces_a_picture']:8.2f}{summary['milliseconds']:8.1f}   "
                + " ".join(f"{key} {value}" for key, value in spread.items())
            )
    lines += ["", "recall or false faces by confidence" + "".join(f"{bar:8}" for bar in BARS)]
    for pictures_name, by_detector in results.items():
        for name, summary in by_detector.items():
            cells = [_cell(summary["by_confidence"][str(bar)]) for bar in BARS]
            lines.append(f"{pictures_name:12}{name:23}" + "".join(f"{cell:>8}" for cell in cells))
    return "\n".join([*lines, "", "recall in 'hard' by width of the face, pixels", *_sizes(results)])


def _sizes(results: dict[str, dict[str, Any]]) -> list[str]:
    rows = results.get("hard", {}).items()
    return [
        f"{name:12}" + "  ".join(f"{k}: {_share(v)}" for k, v in row["recall_by_size"].items()) for name, row in rows
    ]


def _cell(figures: dict[str, float]) -> str:
    if "recall" in figures:
        return _share(figures["recall"])
    return _count(figures.get("false_faces", figures["faces_a_picture"]))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value * 100:.1f} %"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if value == int(value) else f"{value:.2f}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=shared, help="the research data folder")
    parser.add_argument("--photos", type=int, default=500, help="LFW photos, drawn with --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--min-face", type=int, default=40, help="pixels")
    parser.add_argument("--only", nargs="+", default=None, metavar="SET", help="only these sets of images")
    parser.add_argument("--json", type=Path, default=None, help="write the figures here too")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if not options.data.is_dir():
        raise SystemExit(f"there is no data in {options.data}; name its folder with --data")
    cv2.setNumThreads(1)
    competitors = detectors(options.data, options.min_face)
    results: dict[str, dict[str, Any]] = {}
    for name, samples in pictures(options.data, options.photos, options.seed):
        if options.only is None or name in options.only:
            tallies = measure(competitors, samples)
            results[name] = {kind: tally.summary(default_bar(kind)) for kind, tally in tallies.items()}
    print(report(results))
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
