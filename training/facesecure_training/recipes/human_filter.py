"""``facesecure-train train personhood``: teaches an embedding model's card to tell people from animals and things.

People's faces, as they are and spoilt as a door camera spoils them, against whatever two detectors took for a face on
pictures without people, and against places where they found nothing. Proved on five parts that share no person and no
picture; the weights written are then learnt from all.
"""

from __future__ import annotations

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
from facesecure_training.common.progress import with_progress

FLOOR = -1.0
"""Log-odds demanded, from the trade-off in benchmarks/quality.py: below it lies hardly a face of a person."""
RIDGE = 3e-5
_LOW_BAR = 0.5
_SPOILT_THINGS = 6
_PLACES = 8
_FOLDS = 5
ExampleKind = Literal["person", "spoilt person", "taken for a face", "spoilt thing", "place"]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One crop's embedding; its ``group`` is the person or the picture; ``usable`` if the daemon would use it.

    ``face`` is the detection, where there was one and it was not spoilt, and ``detector`` whose.
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
        return self.kind in ("person", "spoilt person")


@dataclass(frozen=True, slots=True)
class HumanFilterReport:
    """Shares in per cent, each on parts that the weights had not seen."""

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
    """Learn from photos under ``people`` (NAME/*.jpg, at most ``limit``) and pictures in the folders ``things``.

    ``with_people`` names pictures among them that show somebody and are left out. YuNet helps to find things if it was
    pulled into ``state_dir``. Raises ImageError for a picture that cannot be read.
    """
    examples = collect(Collector(ModelEmbedder(model), state_dir), people, things, with_people, limit)
    scores = unseen_scores(examples, weights_without_a_part(examples))
    weights = fit_weights(_points(examples), _truth(examples), RIDGE)
    return weights, report(examples, scores)


def collect(
    collector: Collector, people: Path, things: Sequence[Path], with_people: Iterable[str], limit: int
) -> list[Example]:
    """Everything to learn from and to prove it on."""
    left_out = set(with_people)
    photos = sorted(people.rglob("*.jpg"))
    photos = [photos[int(n * len(photos) / limit)] for n in range(limit)] if len(photos) > limit else photos
    pictures = [p for folder in things for p in sorted(folder.rglob("*.jpg")) if p.name not in left_out]
    examples = [example for photo in with_progress(photos, "people") for example in collector.people(photo)]
    return examples + [
        example for picture in with_progress(pictures, "things") for example in collector.things(picture)
    ]


class Collector:
    """Makes examples of pictures; chances are drawn from each picture's name, so that order does not matter."""

    def __init__(self, embedder: ModelEmbedder, state_dir: Path | None) -> None:
        self._embedder = embedder
        self._detectors: dict[str, Detector] = {"mtcnn": build_detector(_config("mtcnn"))}
        models = state_dir / "models" if state_dir else None
        if models and any(models.glob("face_detection_yunet*.onnx")):
            self._detectors["yunet"] = build_detector(_config("yunet"), models_dir=models)

    def people(self, photo: Path) -> Iterator[Example]:
        """The photo's subject as it is, and spoilt."""
        image = read_photo(photo)
        face = subject(self._detectors["mtcnn"].detect(image), (image.shape[1], image.shape[0]))
        if face is not None and face.confidence >= USABLE_CONFIDENCE["mtcnn"]:
            yield self._example(image, face, "person", photo.parent.name, photo)
            yield self._spoilt(image, face.landmarks, "spoilt person", photo.parent.name, photo, _chance(photo))

    def things(self, picture: Path) -> Iterator[Example]:
        """What is taken for a face, as it is and spoilt; and a few places drawn blindly."""
        image, chance = read_photo(picture), _chance(picture)
        for name, detector in self._detectors.items():
            for face in detector.detect(image):
                yield self._example(image, face, "taken for a face", picture.name, picture, name)
                for _ in range(_SPOILT_THINGS):
                    yield self._spoilt(image, face.landmarks, "spoilt thing", picture.name, picture, chance)
        for _ in range(_PLACES):
            yield self._spoilt(image, _anywhere(image, chance), "place", picture.name, picture, chance)

    def _example(
        self, image: Image, face: Face, kind: ExampleKind, group: str, picture: Path, detector: str = "mtcnn"
    ) -> Example:
        aligned = examine(image, face, QualityConfig())
        return Example(
            self._embedder.embed(aligned.image), kind, group, str(picture), aligned.quality.usable, face, detector
        )

    def _spoilt(
        self,
        image: Image,
        landmarks: Landmarks,
        kind: ExampleKind,
        group: str,
        picture: Path,
        chance: np.random.Generator,
    ) -> Example:
        embedding = self._embedder.embed(corrupted_crop(image, landmarks, chance))
        return Example(embedding, kind, group, str(picture), usable=True)


def part_of(group: str) -> int:
    """Which of the parts a person or a picture belongs to."""
    return zlib.crc32(group.encode()) % _FOLDS


def weights_without_a_part(examples: Sequence[Example]) -> list[NDArray[np.float64]]:
    """For each part the weights learnt from all the others."""
    points, truth = _points(examples), _truth(examples)
    part = np.array([part_of(example.group) for example in examples])
    return [fit_weights(points[part != fold], truth[part != fold], RIDGE) for fold in range(_FOLDS)]


def unseen_scores(examples: Sequence[Example], weights: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Each example's log-odds by the ``weights`` learnt without its person or picture."""
    part = np.array([part_of(example.group) for example in examples])
    points = _points(examples)
    return np.array([log_odds(point, weights[fold]) for point, fold in zip(points, part, strict=True)])


def report(examples: Sequence[Example], scores: NDArray[np.float64]) -> HumanFilterReport:
    def passed(kind: ExampleKind) -> float:
        found = [s >= FLOOR for e, s in zip(examples, scores, strict=True) if e.kind == kind and e.usable]
        return 100 * float(np.mean(found)) if found else 0.0

    counts = {kind: sum(e.kind == kind and e.usable for e in examples) for kind in ("person", "taken for a face")}
    return HumanFilterReport(
        people_lost=100 - passed("person"),
        spoilt_people_lost=100 - passed("spoilt person"),
        things_passed=passed("taken for a face"),
        spoilt_things_passed=passed("spoilt thing"),
        places_passed=passed("place"),
        people=counts["person"],
        things=counts["taken for a face"],
    )


def write(model: Model, weights: NDArray[np.float64], found: HumanFilterReport, dataset: str) -> None:
    """Put the weights and the figures into the model's card."""
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
    card = load_model(model.path).card  # as it is now: learning took minutes
    fields: dict[str, Any] = {"personhood": facts, "accuracy": {**card.accuracy, **figures}}
    model_bundle.save(model.path.parent, ModelCard.model_validate({**card.model_dump(), **fields}))


def _points(examples: Sequence[Example]) -> NDArray[np.float64]:
    return np.stack([example.embedding for example in examples]).astype(np.float64)


def _truth(examples: Sequence[Example]) -> NDArray[np.bool_]:
    return np.array([example.person for example in examples])


def _config(kind: str) -> DetectorConfig:
    return DetectorConfig.model_validate({"kind": kind, "confidence": _LOW_BAR})


def _chance(picture: Path) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(picture.name.encode()))


def _anywhere(image: Image, chance: np.random.Generator) -> Landmarks:
    """Where a face's landmarks would be, somewhere in ``image``, upright within a fifth of a right angle or so."""
    height, width = image.shape[:2]
    size = chance.uniform(0.15, 0.9) * min(height, width)
    middle = chance.uniform((size / 2, size / 2), (width - size / 2, height - size / 2))
    angle = chance.normal(0, 0.3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((align.TEMPLATE - align.SIZE / 2) * (size / align.SIZE) @ turn.T + middle, np.float32)


Matrix = NDArray[np.float64]
_STEPS = 40
_SMALL = 1e-5


def fit_weights(points: Matrix, truth: NDArray[np.bool_], ridge: float) -> Matrix:
    """Weights (n + 1,), the bias last, for ``points`` (k, n); both classes together weigh one half each.

    ``ridge`` is the penalty on half the weights' squares; the bias is free.
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
    """(k,) for ``points`` (k, n)."""
    return np.asarray(points @ weights[:-1] + weights[-1], np.float64)
