"""``facesecure-train train personhood``: trains the filter that rejects faces of animals and things.

People's faces, unchanged and corrupted as by a door camera, are trained against what two detectors took for a face in
images without people, and against places where they found nothing. Verified on five parts that share no person and no
image; the weights that are written are then trained on all.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from facesecure.config import DetectorConfig, QualityConfig
from facesecure.domain import Face, Image, Landmarks
from facesecure.domain.interfaces import Detector
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.vision.detection.factory import USABLE_CONFIDENCE, build_detector
from facesecure.vision.images import align
from facesecure.vision.images.photos import read_photo
from facesecure.vision.images.quality import examine
from facesecure.vision.inference.model_card import Model, ModelCard, load_model
from facesecure_training.common import model_bundle
from facesecure_training.common.corruptions import corrupted_crop
from facesecure_training.common.cropping import subject
from facesecure_training.common.photos import photos_below
from facesecure_training.common.progress import with_progress

FLOOR = -1.0
"""Log-odds required, from the trade-off in benchmarks/quality.py: hardly any face of a person is below."""
RIDGE = 3e-5
_LOW_BAR = 0.5
_CORRUPTED_THINGS = 6
_PLACES = 8
_FOLDS = 5
ExampleKind = Literal["person", "corrupted person", "taken for a face", "corrupted thing", "place"]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One crop's embedding; ``group`` is the person or the image; ``usable`` if the daemon would use it.

    ``face`` is the detection, if there was one and the crop is not corrupted, and ``detector`` the detector that made
    it.
    """

    embedding: NDArray[np.float32]
    kind: ExampleKind
    group: str
    picture: str
    usable: bool
    face: Face | None = None
    detector: str | None = None

    @property
    def person(self) -> bool:
        """Whether it shows a person."""
        return self.kind in ("person", "corrupted person")


@dataclass(frozen=True, slots=True)
class HumanFilterReport:
    """Rates in percent, each on parts that the weights were not trained on."""

    people_lost: float
    spoilt_people_lost: float
    things_passed: float
    spoilt_things_passed: float
    places_passed: float
    people: int
    things: int


def run(
    model: Model, people: Path, things: Sequence[Path], with_people: Iterable[str], limit: int, state_dir: Path | None
) -> tuple[NDArray[np.float64], HumanFilterReport]:
    """Train on photos under ``people`` (NAME/1.jpg, at most ``limit``) and images in the folders ``things``.

    ``with_people`` names images among them that show a person and are left out. YuNet is used as a second detector if
    it was downloaded to ``state_dir``. Raises ImageError for an image that cannot be read.
    """
    examples = collect(Collector(ModelEmbedder(model), state_dir), people, things, with_people, limit)
    scores = unseen_scores(examples, weights_without_a_part(examples))
    weights = fit_weights(_points(examples), _truth(examples), RIDGE)
    return weights, report(examples, scores)


def collect(
    collector: Collector, people: Path, things: Sequence[Path], with_people: Iterable[str], limit: int
) -> list[Example]:
    """Return all examples, for training and for verification."""
    left_out = set(with_people)
    photos = photos_below(people)
    photos = [photos[int(n * len(photos) / limit)] for n in range(limit)] if len(photos) > limit else photos
    pictures = [p for folder in things for p in photos_below(folder) if p.name not in left_out]
    examples = [example for photo in with_progress(photos, "people") for example in collector.people(photo)]
    return examples + [
        example for picture in with_progress(pictures, "things") for example in collector.things(picture)
    ]


class Collector:
    """Makes examples from images; random numbers are seeded by each image's name, so that order does not matter."""

    def __init__(self, embedder: ModelEmbedder, state_dir: Path | None) -> None:
        self._embedder = embedder
        self._detectors: dict[str, Detector] = {"mtcnn": build_detector(_config("mtcnn"))}
        models = state_dir / "models" if state_dir else None
        if models and any(models.glob("face_detection_yunet*.onnx")):
            self._detectors["yunet"] = build_detector(_config("yunet"), models_dir=models)

    def people(self, photo: Path) -> Iterator[Example]:
        """Yield the photo's main face, unchanged and corrupted."""
        image = read_photo(photo)
        face = subject(self._detectors["mtcnn"].detect(image), (image.shape[1], image.shape[0]))
        if face is not None and face.confidence >= USABLE_CONFIDENCE["mtcnn"]:
            yield self._example(image, face, "person", photo.parent.name, photo)
            yield self._corrupted(image, face.landmarks, "corrupted person", photo.parent.name, photo, _random(photo))

    def things(self, picture: Path) -> Iterator[Example]:
        """Yield what is taken for a face, unchanged and corrupted, and a few random places."""
        image, random = read_photo(picture), _random(picture)
        for name, detector in self._detectors.items():
            for face in detector.detect(image):
                yield self._example(image, face, "taken for a face", picture.name, picture, name)
                for _ in range(_CORRUPTED_THINGS):
                    yield self._corrupted(image, face.landmarks, "corrupted thing", picture.name, picture, random)
        for _ in range(_PLACES):
            yield self._corrupted(image, _anywhere(image, random), "place", picture.name, picture, random)

    def _example(
        self, image: Image, face: Face, kind: ExampleKind, group: str, picture: Path, detector: str = "mtcnn"
    ) -> Example:
        aligned = examine(image, face, QualityConfig())
        return Example(
            self._embedder.embed(aligned.image), kind, group, str(picture), aligned.quality.usable, face, detector
        )

    def _corrupted(
        self,
        image: Image,
        landmarks: Landmarks,
        kind: ExampleKind,
        group: str,
        picture: Path,
        random: np.random.Generator,
    ) -> Example:
        embedding = self._embedder.embed(corrupted_crop(image, landmarks, random))
        return Example(embedding, kind, group, str(picture), usable=True)


def part_of(group: str) -> int:
    """Return the part that a person or an image belongs to."""
    return zlib.crc32(os.fsencode(group)) % _FOLDS


def weights_without_a_part(examples: Sequence[Example]) -> list[NDArray[np.float64]]:
    """Return, for each part, the weights trained on all other parts."""
    points, truth = _points(examples), _truth(examples)
    part = np.array([part_of(example.group) for example in examples])
    return [fit_weights(points[part != fold], truth[part != fold], RIDGE) for fold in range(_FOLDS)]


def unseen_scores(examples: Sequence[Example], weights: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return each example's log-odds by the ``weights`` trained without its person or image."""
    part = np.array([part_of(example.group) for example in examples])
    points = _points(examples)
    return np.array([log_odds(point, weights[fold]) for point, fold in zip(points, part, strict=True)])


def report(examples: Sequence[Example], scores: NDArray[np.float64]) -> HumanFilterReport:
    """Return the rates that ``scores`` give on usable examples."""

    def passed(kind: ExampleKind) -> float:
        found = [s >= FLOOR for e, s in zip(examples, scores, strict=True) if e.kind == kind and e.usable]
        return 100 * float(np.mean(found)) if found else 0.0

    counts = {kind: sum(e.kind == kind and e.usable for e in examples) for kind in ("person", "taken for a face")}
    return HumanFilterReport(
        people_lost=100 - passed("person"),
        spoilt_people_lost=100 - passed("corrupted person"),
        things_passed=passed("taken for a face"),
        spoilt_things_passed=passed("corrupted thing"),
        places_passed=passed("place"),
        people=counts["person"],
        things=counts["taken for a face"],
    )


def write(model: Model, weights: NDArray[np.float64], found: HumanFilterReport, dataset: str) -> None:
    """Write the weights and the figures to the model's card."""
    facts = {
        "weights": [float(f"{weight:.5g}") for weight in weights[:-1]],
        "bias": round(float(weights[-1]), 4),
        "floor": FLOOR,
        "dataset": dataset,
    }
    figures = {
        "people's faces taken for something else, %": round(found.people_lost, 2),
        "animals and things taken for people, of those a detector takes for faces, %": round(found.things_passed, 2),
    }
    card = load_model(model.path).card  # the current card: training took minutes
    fields: dict[str, Any] = {"personhood": facts, "accuracy": {**card.accuracy, **figures}}
    model_bundle.save(model.path.parent, ModelCard.model_validate({**card.model_dump(), **fields}))


def _points(examples: Sequence[Example]) -> NDArray[np.float64]:
    return np.stack([example.embedding for example in examples]).astype(np.float64)


def _truth(examples: Sequence[Example]) -> NDArray[np.bool_]:
    return np.array([example.person for example in examples])


def _config(kind: str) -> DetectorConfig:
    return DetectorConfig.model_validate({"kind": kind, "confidence": _LOW_BAR})


def _random(picture: Path) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(os.fsencode(picture.name)))


def _anywhere(image: Image, random: np.random.Generator) -> Landmarks:
    """Return the landmarks of a face at a random place in ``image``, tilted by 0.3 radians (standard deviation)."""
    height, width = image.shape[:2]
    size = random.uniform(0.15, 0.9) * min(height, width)
    middle = random.uniform((size / 2, size / 2), (width - size / 2, height - size / 2))
    angle = random.normal(0, 0.3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((align.TEMPLATE - align.SIZE / 2) * (size / align.SIZE) @ turn.T + middle, np.float32)


Matrix = NDArray[np.float64]
_STEPS = 40
_SMALL = 1e-5


def fit_weights(points: Matrix, truth: NDArray[np.bool_], ridge: float) -> Matrix:
    """Return logistic regression weights (n + 1,), the bias last, for ``points`` (k, n).

    Both classes together weigh one half each. ``ridge`` is the penalty on half the weights' squares; the bias is not
    penalised.
    """
    rows = np.hstack([points, np.ones((len(points), 1))])
    share = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
    penalty = np.diag([ridge] * points.shape[1] + [0.0])
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (share * (chance - truth)) + penalty @ weights
        bend = (rows * (share * chance * (1 - chance))[:, None]).T @ rows + penalty
        step = np.linalg.solve(bend + 1e-12 * np.eye(len(bend)), slope)
        weights -= step
        if np.abs(step).max() < _SMALL * np.abs(weights).max():
            break
    return weights


def log_odds(points: Matrix, weights: Matrix) -> Matrix:
    """Return the log-odds (k,) of ``points`` (k, n)."""
    return np.asarray(points @ weights[:-1] + weights[-1], np.float64)
