"""``facesecure-train evaluate``: what the daemon's own detector, alignment and model reach on a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from facesecure.domain.errors import UsageError
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.vision.inference.model_card import Model, ModelCard, load_model
from facesecure_training.common import model_bundle
from facesecure_training.common.cropping import CropMaker, Cropper, DetectorKind, PrecroppedPhotos
from facesecure_training.common.embeddings import embed_photos, photos_by_person
from facesecure_training.evaluation import scores, verification
from facesecure_training.evaluation.predictors import Network, open_network


@dataclass(frozen=True, slots=True)
class Setting:
    """What is evaluated: the embedding model, and how faces are found; "none": the photos are crops already."""

    model: str = "mobilefacenet"
    detector: DetectorKind | Literal["none"] = "mtcnn"
    max_side: int | None = None
    cache: Path | None = None
    state_dir: Path | None = None

    def load(self) -> Model:
        return load_model(self.model, self.state_dir)

    def network(self) -> Network:
        """The same, or a Keras model; whatever size of crop it takes."""
        return open_network(self.model, self.state_dir)

    def cropper(self) -> CropMaker:
        return PrecroppedPhotos() if self.detector == "none" else self.detecting()

    @property
    def found_by(self) -> DetectorKind:
        """Raises UsageError where no detector is wanted."""
        if self.detector == "none":
            raise UsageError("--detector none: this needs whole photos", "use one of: mtcnn, haar, yunet")
        return self.detector

    def detecting(self) -> Cropper:
        return Cropper(self.found_by, max_side=self.max_side, cache=self.cache, state_dir=self.state_dir)


def measure_scores(setting: Setting, images: Path) -> scores.ScoreReport:
    """The spread of genuine and of strangers' scores over everybody under ``images``."""
    people = photos_by_person(images)
    found = embed_photos(
        (photo for photos in people.values() for photo in photos), setting.cropper(), ModelEmbedder(setting.load())
    )
    vectors = {name: [v for photo in photos if (v := found[photo]) is not None] for name, photos in people.items()}
    return scores.measure({name: np.stack(some) for name, some in vectors.items() if some})


def write_verification(model: Model, report: verification.VerificationReport, dataset: str, threshold: float) -> None:
    """Put the measured accuracy, and the threshold, into the model's card."""
    figures = {
        f"{dataset} verification, 10-fold, %": round(report.accuracy, 2),
        f"{dataset} verification, standard deviation over folds, %": round(report.sd, 2),
    }
    _update(
        model,
        {
            "accuracy": {**model.card.accuracy, **figures},
            "thresholds": {**model.card.thresholds, "verification": round(threshold, 4)},
        },
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
    model_bundle.save(model.path.parent, card)


def as_json(setting: Setting, report: scores.ScoreReport) -> dict[str, Any]:
    """One document: what was evaluated, then what came out."""
    return {**describe(setting), **asdict(report)}


def describe(setting: Setting) -> dict[str, Any]:
    """What was evaluated."""
    model = setting.network().model
    plain = {"model": setting.model, "detector": setting.detector, "max_side": setting.max_side}
    return {**plain, "sha256": model.sha256 if model else None}
