"""Evaluate the quality checks: animals against people, and the effect of light, with the curves behind both.

    python -m benchmarks.quality [--data ../shared/data] [--people 2000] [--out out/quality] [--seed 1]

Writes quality.json, personhood.png and light.png. Every figure on animals is cross-validated in five folds. Images of
pets that also show people (lists/pets-with-people.txt) are counted separately: a stranger is right there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import lamps
from benchmarks.quality_charts import draw_light, draw_personhood
from benchmarks.visits import Door
from facesecure.config import DetectorConfig, QualityConfig
from facesecure.domain import Embedding, Image
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.recognition.human_filter import Doubts, HumanFaceFilter, accept_all
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.templates import template_of
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images import align
from facesecure.vision.images.illumination import brightened
from facesecure.vision.images.quality import examine
from facesecure.vision.inference.model_card import Model, load_model
from facesecure_training.recipes import human_filter
from facesecure_training.recipes.human_filter import Example

Vector = NDArray[np.float64]
WITH_PEOPLE = (Path(__file__).parent / "lists" / "pets-with-people.txt").read_text().split()


def candidates(examples: Sequence[Example], unseen: Vector) -> dict[str, Vector]:
    """Return the candidate scores of every detection, higher for people; NaN where there was no detection."""
    found = [example.face for example in examples]
    people = np.stack([e.embedding for e in examples if e.kind == "person"])[::2].astype(np.float64)
    spread = np.linalg.inv(np.cov(people.T) + 1e-4 * np.eye(people.shape[1]))
    away = np.stack([e.embedding for e in examples]) - people.mean(0)
    return {
        "MTCNN's score": np.array(
            [e.face.confidence if e.face and e.detector == "mtcnn" else np.nan for e in examples]
        ),
        "landmark geometry": np.array([-_misfit(face.landmarks) if face else np.nan for face in found]),
        "distance to people": -np.einsum("ij,jk,ik->i", away, spread, away),
        "logistic regression": unseen,
    }


def _misfit(landmarks: NDArray[np.float32]) -> float:
    """Return the RMS distance of the aligned landmarks from the template, in pixels of the crop."""
    matrix = align.similarity(landmarks)
    moved = landmarks @ matrix[:, :2].T + matrix[:, 2]
    return float(np.sqrt(((moved - align.TEMPLATE) ** 2).sum(1).mean()))


def curves(examples: Sequence[Example], unseen: Vector) -> dict[str, list[tuple[float, float, float]]]:
    """Return (threshold, share of people lost, share of others passed) of each candidate, over usable detections."""
    people = np.array([e.kind == "person" and e.usable for e in examples])
    things = np.array([e.kind == "taken for a face" and e.usable for e in examples])
    found = {}
    for name, scores in candidates(examples, unseen).items():
        seen = things & ~np.isnan(scores)
        bars = np.unique(np.quantile(scores[people], np.r_[0:0.01:41j, 0.01:0.5:50j]))
        found[name] = [
            (float(bar), float((scores[people] < bar).mean()), float((scores[seen] >= bar).mean())) for bar in bars
        ]
    return found


def household(data: Path, embedder: ModelEmbedder, size: int = 4) -> list[tuple[str, Embedding]]:
    """Return templates of some people with five photos."""
    chosen = [folder for folder in sorted((data / "lfw-dev/images").iterdir()) if len(list(folder.glob("*.jpg"))) >= 5]
    collector = human_filter.Collector(embedder, None)
    members = []
    for folder in chosen[:size]:
        photos = sorted(folder.glob("*.jpg"))[:5]
        vectors = [e.embedding for photo in photos for e in collector.people(photo) if e.kind == "person"]
        members.append((folder.name, template_of(np.stack(vectors))))
    return members


def unseen_doubts(weights: Sequence[Vector]) -> Callable[[Path], Doubts]:
    """Return the human-face filter of the fold that was not trained on the image."""
    filters = [HumanFaceFilter(w[:-1].astype(np.float32), float(w[-1]), human_filter.FLOOR) for w in weights]
    return lambda path: filters[human_filter.part_of(path.name)].doubts


def as_visits(data: Path, model: Model, weights: Sequence[Vector]) -> dict[str, Any]:
    """Count strangers and names on all images of pets and scenes, with and without the human-face filter."""
    embedder = ModelEmbedder(model)
    homes = {"no one enrolled": [], "four enrolled": household(data, embedder)}
    found: dict[str, Any] = {}
    for kind in ("mtcnn", "yunet"):
        detector = build_detector(DetectorConfig.model_validate({"kind": kind}), models_dir=data / "models")
        door = Door(detector, kind, embedder, model.sha256, ScoreModel.from_card(model.card))
        for part in ("pets/hard", "pets/easy", "scenes"):
            pictures = sorted((data / "negatives" / part).glob("*.jpg"))
            apart = {
                "no people in it": [p for p in pictures if p.name not in WITH_PEOPLE],
                "people in it": [p for p in pictures if p.name in WITH_PEOPLE],
            }
            for home, members in homes.items():
                for asked, doubts in (("asked", unseen_doubts(weights)), ("not asked", lambda _: accept_all)):
                    for name, some in apart.items():
                        if some:
                            found[f"{kind}, {part}, {name}, {home}, {asked}"] = asdict(
                                door.count(some, members, doubts)
                            )
    return found


def corrections() -> dict[str, lamps.Correction]:
    """Return the corrections of light on an aligned crop that are compared."""
    return {
        "unchanged": lambda crop: crop,
        "gamma, dark faces only": brightened,
        "CLAHE 2, 8x8": _clahe(2, 8),
        "CLAHE 4, 4x4": _clahe(4, 4),
        "stretched": _stretched,
        "local mean": _local,
    }


def _clahe(limit: float, tiles: int) -> lamps.Correction:
    equaliser = cv2.createCLAHE(limit, (tiles, tiles))

    def correct(crop: Image) -> Image:
        planes = cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb)
        planes[..., 0] = equaliser.apply(np.ascontiguousarray(planes[..., 0]))
        return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), np.uint8)

    return correct


def _stretched(crop: Image) -> Image:
    low, high = np.percentile(crop[20:100, 16:96], (1, 99))
    return np.clip((crop - low) * 255 / max(high - low, 1), 0, 255).astype(np.uint8)


def _local(crop: Image) -> Image:
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32) + 4
    gain = (grey[20:100, 16:96].mean() / cv2.GaussianBlur(grey, (0, 0), 20)) ** 0.6
    return np.clip(crop * gain[..., None], 0, 255).astype(np.uint8)


def light(data: Path, model: Model, seed: int) -> dict[str, Any]:
    """Return similarities by the lamp's angle for every correction, and the verdicts on household members."""
    images = lamps.read(data / "lighting")
    crops = [lit.crop() for lit in images]
    graph = model.interpreter()

    def embed(crop: Image) -> Embedding:
        return np.asarray(graph.invoke(crop[None])[0][0], np.float32)

    return {
        "likeness": {
            name: lamps.similarities(images, crops, embed, correct) for name, correct in corrections().items()
        },
        "verdicts": lamps.verdicts(images, ModelEmbedder(model), ScoreModel.from_card(model.card), seed),
    }


def milliseconds(data: Path, rounds: int = 300) -> dict[str, float]:
    """Return the median CPU time of this thread for one face of a 1280x720 frame."""
    photo = next((data / "lfw-dev/images").rglob("*.jpg"))
    image = np.asarray(cv2.resize(cv2.imread(str(photo)), (1280, 720)), np.uint8)
    face = lamps.face_around((align.TEMPLATE * 2 + 300).astype(np.float32))
    human_faces = HumanFaceFilter.from_card(load_model("mobilefacenet").card)
    embedding = np.ones(192, np.float32) / np.sqrt(192)
    crop = examine(image, face, QualityConfig()).image
    dark = (crop // 6).astype(np.uint8)
    steps: dict[str, Callable[[], object]] = {
        "examine": lambda: examine(image, face, QualityConfig()),
        "brightened": lambda: brightened(dark),
        "doubts": lambda: human_faces and human_faces.doubts(embedding),
    }
    return {name: _median(step, rounds) for name, step in steps.items()}


def _median(step: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.thread_time()
        step()
        times.append(time.thread_time() - began)
    return float(np.median(times)) * 1e3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=shared, help="the research data folder")
    parser.add_argument("--people", type=int, default=2000, help="LFW photos, evenly spread")
    parser.add_argument("--out", type=Path, default=Path("out/quality"), help="folder for the figures and charts")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if not options.data.is_dir():
        raise SystemExit(f"there is no data in {options.data}; name its folder with --data")
    cv2.setNumThreads(1)
    model = load_model("mobilefacenet")
    collector = human_filter.Collector(ModelEmbedder(model), options.data)
    things = [options.data / "negatives/pets", options.data / "negatives/scenes"]
    examples = human_filter.collect(collector, options.data / "lfw-dev/images", things, WITH_PEOPLE, options.people)
    weights = human_filter.weights_without_a_part(examples)
    unseen = human_filter.unseen_scores(examples, weights)
    found = {
        "personhood": asdict(human_filter.report(examples, unseen)),
        "curves": curves(examples, unseen),
        "visits": as_visits(options.data, model, weights),
        "light": light(options.data, model, options.seed),
        "milliseconds": milliseconds(options.data),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "quality.json").write_text(json.dumps(found, indent=2))
    draw_personhood(options.out / "personhood.png", found["curves"])
    draw_light(options.out / "light.png", found["light"])
    print(json.dumps({key: value for key, value in found.items() if key != "curves"}, indent=2))


if __name__ == "__main__":
    main()
