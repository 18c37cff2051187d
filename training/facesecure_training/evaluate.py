"""``facesecure-train evaluate``: what the daemon's own detector, alignment and model reach on a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.domain import Embedding
from facesecure.recognize.embedder import ModelEmbedder
from facesecure.vision.model_card import Model, ModelCard, load_model
from facesecure_training import plots, scores, verification
from facesecure_training.embeddings import Pair, embed_photos, photo_path, photos_by_person, read_pairs
from facesecure_training.exporting import bundle
from facesecure_training.faces import Cropper, DetectorKind


@dataclass(frozen=True, slots=True)
class Setting:
    """What is evaluated: the embedding model, and how faces are found."""

    model: str = "mobilefacenet"
    detector: DetectorKind = "mtcnn"
    max_side: int | None = None
    cache: Path | None = None
    state_dir: Path | None = None

    def load(self) -> Model:
        return load_model(self.model, self.state_dir)

    def cropper(self) -> Cropper:
        return Cropper(self.detector, max_side=self.max_side, cache=self.cache, state_dir=self.state_dir)


def verify_pairs(
    setting: Setting, images: Path, pairs_file: Path, limit: int | None = None, chart: Path | None = None
) -> verification.Report:
    """Ten-fold verification of the pairs in ``pairs_file`` on photos in LFW's layout under ``images``.

    ``chart`` is where a PNG of the scores is put.
    """
    pairs = read_pairs(pairs_file, limit)
    photos = {name: photo_path(images, name) for pair in pairs for name in (pair.first, pair.second)}
    found = embed_photos(photos.values(), setting.cropper(), ModelEmbedder(setting.load()))
    vectors = {name: found[path] for name, path in photos.items()}
    faceless = sum(vector is None for vector in vectors.values())
    values = [_cosine(pair, vectors) for pair in pairs]
    same = [pair.same for pair in pairs]
    report = verification.evaluate(values, same, len(photos), faceless)
    if chart:
        plots.verification(chart, values, same, report.threshold)
    return report


def _cosine(pair: Pair, vectors: Mapping[str, Embedding | None]) -> float | None:
    first, second = vectors[pair.first], vectors[pair.second]
    return None if first is None or second is None else float(first @ second)


def measure_scores(setting: Setting, images: Path) -> scores.ScoreReport:
    """The spread of genuine and of strangers' scores over everybody under ``images``."""
    people = photos_by_person(images)
    found = embed_photos(
        (photo for photos in people.values() for photo in photos), setting.cropper(), ModelEmbedder(setting.load())
    )
    vectors = {name: [v for photo in photos if (v := found[photo]) is not None] for name, photos in people.items()}
    return scores.measure({name: np.stack(some) for name, some in vectors.items() if some})


def write_verification(model: Model, report: verification.Report, dataset: str) -> None:
    """Put the measured accuracy into the model's card."""
    figures = {
        f"{dataset} verification, 10-fold, %": round(report.accuracy, 2),
        f"{dataset} verification, standard deviation over folds, %": round(report.sd, 2),
    }
    _update(
        model,
        {"accuracy": {**model.card.accuracy, **figures}, "thresholds": {"verification": round(report.threshold, 4)}},
    )


def write_scores(model: Model, report: scores.ScoreReport, dataset: str) -> None:
    """Put the score model into the model's card, and how far from Gaussian the scores were (excess kurtosis, 0 is)."""
    figures = {
        f"{dataset} photos accepted by a template of five at {chance} false accepts, %": round(share, 2)
        for chance, share in report.accepted.items()
    }
    figures |= {
        f"{dataset} genuine scores, excess kurtosis": round(report.genuine.kurtosis, 2),
        f"{dataset} impostor scores, excess kurtosis": round(report.impostor.kurtosis, 2),
    }
    _update(model, {**report.as_card(), "accuracy": {**model.card.accuracy, **figures}})


def _update(model: Model, fields: Mapping[str, Any]) -> None:
    card = ModelCard.model_validate({**model.card.model_dump(), **fields})
    bundle.save(model.path.parent, card)


def as_json(setting: Setting, report: verification.Report | scores.ScoreReport) -> dict[str, Any]:
    """One document: what was evaluated, then what came out."""
    asked = {"model": setting.model, "detector": setting.detector, "max_side": setting.max_side}
    return {**asked, "sha256": setting.load().sha256, **asdict(report)}
