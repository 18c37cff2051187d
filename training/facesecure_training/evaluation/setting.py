"""What ``facesecure-train evaluate`` measures: the daemon's detector, alignment and a model, on a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from facesecure.domain.errors import UsageError
from facesecure.services.bulk.workforce import ALONE, Workforce
from facesecure.storage.trusted_models import load_model
from facesecure.util.paths import expanded
from facesecure.vision.inference.model_card import Model, ModelCard
from facesecure_training.common import model_bundle
from facesecure_training.common.cropping import CropMaker, Cropper, DetectorKind, PrecroppedPhotos
from facesecure_training.evaluation import scores, verification
from facesecure_training.evaluation.predictors import Network, open_network


@dataclass(frozen=True, slots=True)
class Setting:
    """The model that is evaluated, how faces are found ("none": the photos are crops already), and who does the work.

    Example::

        network = Setting("mobilefacenet", max_side=150).network()
    """

    model: str = "mobilefacenet"
    detector: DetectorKind | Literal["none"] = "mtcnn"
    max_side: int | None = None
    cache: Path | None = None
    state_dir: Path | None = None
    workforce: Workforce = ALONE

    def for_workers(self) -> Setting:
        """Return the setting as a worker needs it, who may stand in another folder and starts no others."""
        paths = {name: path and path.absolute() for name in ("cache", "state_dir") for path in [getattr(self, name)]}
        model = expanded(self.model)
        found = str(model.absolute()) if (model.suffix and model.exists()) or model.is_dir() else self.model
        return replace(self, model=found, workforce=ALONE, **paths)

    def load(self) -> Model:
        """Return the model with its card. Raises ModelError if there is none."""
        return load_model(self.model, self.state_dir)

    def network(self) -> Network:
        """Return the model, or a Keras model, as a network for crops of any size."""
        return open_network(self.model, self.state_dir)

    def cropper(self) -> CropMaker:
        """Return the maker of crops: the daemon's, or none for photos that are crops."""
        return PrecroppedPhotos() if self.detector == "none" else self.detecting()

    @property
    def found_by(self) -> DetectorKind:
        """The detector. Raises UsageError if there is none."""
        if self.detector == "none":
            raise UsageError("--detector none: this needs whole photos", "use one of: mtcnn, haar, yunet")
        return self.detector

    def detecting(self) -> Cropper:
        """Return the daemon's cropper. Raises UsageError if there is no detector."""
        return Cropper(self.found_by, max_side=self.max_side, cache=self.cache, state_dir=self.state_dir)


def write_verification(model: Model, report: verification.VerificationReport, dataset: str, threshold: float) -> None:
    """Write the measured accuracy, and the threshold, to the model's card."""
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
    """Write the score model to the model's card, with the scores' excess kurtosis (0 for a Gaussian)."""
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
    """Return one document: what was evaluated, then the result."""
    return {**describe(setting), **asdict(report)}


def describe(setting: Setting) -> dict[str, Any]:
    """Return what was evaluated, for JSON."""
    model = setting.network().model
    plain = {"model": setting.model, "detector": setting.detector, "max_side": setting.max_side}
    return {**plain, "sha256": model.sha256 if model else None}
