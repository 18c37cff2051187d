"""Fits the constants of ``vision.images.quality.clarity``: the share of its similarity that a degraded face keeps.

Photos of people with many are corrupted in rising strength. A face's similarity is its cosine to a template made of the
same person's other photos; what it keeps is that, above strangers' mean, over what the untouched photo had. The form is
a product of three saturating terms (sharpness, distance between the eyes, contrast), fitted by Gauss-Newton with
Levenberg's damping (Levenberg, 1944) to the logarithms of the constants, so that all stay positive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.templates import template_of
from facesecure.vision.images.quality import clarity
from facesecure_training.common.corruptions import clarity_corruptions
from facesecure_training.common.embeddings import photos_by_person
from facesecure_training.evaluation.observations import FaceObservation, FaceObservations, observe
from facesecure_training.evaluation.setting import Setting

Floats = NDArray[np.float64]
CONSTANTS = ("scale", "sharpness half", "sharpness steepness", "eyes half", "eyes steepness", "contrast half",
             "contrast steepness")  # fmt: skip
IN_CODE = (1.15, 0.0327, 0.803, 5.03, 6.75, 2.22, 1.013)
"""The constants of ``vision.images.quality.clarity``; a test keeps the two equal."""
_LEAST = np.log([0.9, 1e-4, 0.3, 1.0, 0.3, 0.1, 0.3])
_MOST = np.log([1.15, 1.0, 5.0, 30.0, 8.0, 60.0, 8.0])
"""Where a measure hardly varies, its half and the scale could grow together without bound; so they are limited."""
LEAST_PHOTOS = 9
_TEMPLATE = 6
_PROBES = 3
_EDGES = (0.0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0001)


@dataclass(frozen=True, slots=True)
class ClarityBin:
    """Faces of similar predicted clarity: prediction and share kept, on average."""

    faces: int
    predicted: float
    kept: float
    sd: float


@dataclass(frozen=True, slots=True)
class CorruptionFit:
    """Prediction and share kept, on average, of one corruption."""

    kind: str
    faces: int
    predicted: float
    kept: float


@dataclass(frozen=True, slots=True)
class QualityReport:
    """``fitted`` and ``in_code``: the constants; ``error_*``: root mean square of prediction less truth.

    Bins, kinds and ``rank_correlation`` (Spearman's) are of the constants in the code.
    """

    people: int
    faces: int
    fitted: Mapping[str, float]
    in_code: Mapping[str, float]
    error_fitted: float
    error_in_code: float
    rank_correlation: float
    bins: Sequence[ClarityBin]
    kinds: Sequence[CorruptionFit]

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class QualitySample:
    """Sharpness, eye distance and contrast (n, 3), the share of similarity kept (n,), and each one's corruption."""

    measures: Floats
    kept: Floats
    kinds: NDArray[np.str_]


def measure(setting: Setting, images: Path, people: int, seed: int) -> QualityReport:
    """Corrupt, observe, fit and compare. Raises UsageError if fewer than ten people have nine photos."""
    chosen = _chosen(images, people, seed)
    probes = [photo for photos in chosen.values() for photo in photos[_TEMPLATE:]]
    plain = observe([photo for photos in chosen.values() for photo in photos], setting)
    corrupted = {name: observe(probes, setting, name, corruption) for name, corruption in clarity_corruptions().items()}
    mean = ScoreModel.from_card(setting.load().card).impostor.mean
    return report(_sample(chosen, plain, corrupted, mean), len(chosen))


def _chosen(images: Path, people: int, seed: int) -> dict[str, list[Path]]:
    able = {name: photos for name, photos in photos_by_person(images).items() if len(photos) >= LEAST_PHOTOS}
    if len(able) < 10:
        raise UsageError(f"{len(able)} people have {LEAST_PHOTOS} photos", "at least ten are needed")
    random = np.random.default_rng(seed)
    names = [str(name) for name in random.permutation(sorted(able))[:people]]
    return {
        name: [able[name][int(i)] for i in random.permutation(len(able[name]))[: _TEMPLATE + _PROBES]] for name in names
    }


def _sample(
    chosen: Mapping[str, Sequence[Path]],
    plain: FaceObservations,
    corrupted: Mapping[str, FaceObservations],
    mean: float,
) -> QualitySample:
    rows = []
    for photos in chosen.values():
        known = [observation.embedding for photo in photos[:_TEMPLATE] if (observation := plain[photo])]
        if len(known) < 2:
            continue
        template = template_of(np.stack(known))
        for photo in photos[_TEMPLATE:]:
            before = plain[photo]
            if before is None or float(template @ before.embedding) < 3 * mean + 0.3:
                continue  # another person of that name: what is kept cannot be measured
            whole = float(template @ before.embedding) - mean
            rows += [
                (_measures(observation), (float(template @ observation.embedding) - mean) / whole, kind)
                for kind, observations in corrupted.items()
                if (observation := observations[photo]) is not None
            ]
    measures, kept, kinds = zip(*rows, strict=True)
    return QualitySample(np.array(measures), np.array(kept), np.array(kinds))


def _measures(observation: FaceObservation) -> tuple[float, float, float]:
    return observation.quality.sharpness, observation.quality.eye_distance, observation.quality.contrast


def report(sample: QualitySample, people: int) -> QualityReport:
    """Fit the constants, and compare the code's own function with the truth."""
    fitted = fit(sample)
    predicted = np.array([clarity(*row) for row in sample.measures])
    return QualityReport(
        people=people,
        faces=len(sample.kept),
        fitted=dict(zip(CONSTANTS, (round(float(value), 4) for value in fitted), strict=True)),
        in_code=dict(zip(CONSTANTS, IN_CODE, strict=True)),
        error_fitted=_error(np.minimum(1, product(fitted, sample.measures)), sample.kept),
        error_in_code=_error(predicted, sample.kept),
        rank_correlation=rank_correlation(predicted, sample.kept),
        bins=_bins(predicted, sample.kept),
        kinds=_kinds(predicted, sample),
    )


def product(constants: Sequence[float] | Floats, measures: Floats) -> Floats:
    """Return scale / (1 + (half / measure) ** steepness), the product over three measures (n, 3); may exceed 1."""
    scale, halves, steepness = constants[0], np.array(constants[1::2]), np.array(constants[2::2])
    terms = 1 / (1 + (halves / np.maximum(measures, 1e-6)) ** steepness)
    return np.asarray(scale * terms.prod(axis=1), np.float64)


def fit(
    sample: QualitySample, start: Sequence[float] = (1.1, 0.05, 1.0, 6.0, 4.0, 4.0, 1.5), rounds: int = 200
) -> Floats:
    """Return the constants of least squared error; outliers count for less (Huber's weights at 0.2).

    Steps are limited to the allowed range of the constants.
    """
    point, damping = np.log(np.array(start)), 1e-2
    loss = _loss(point, sample)
    for _ in range(rounds):
        residual, slopes = _linear(point, sample)
        weights = np.minimum(1, 0.2 / np.maximum(np.abs(residual), 1e-9))
        normal = slopes.T @ (weights[:, None] * slopes)
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-9), slopes.T @ (weights * residual))
        there = np.clip(point - step, _LEAST, _MOST)
        tried = _loss(there, sample)
        if tried < loss:
            done = loss - tried < 1e-10
            point, loss, damping = there, tried, damping / 3
            if done:
                break
        else:
            damping *= 4
    return np.asarray(np.exp(point), np.float64)


def _linear(point: Floats, sample: QualitySample) -> tuple[Floats, Floats]:
    """Return residuals (n,) and their slopes (n, 7), by finite differences."""
    base = product(np.exp(point), sample.measures)
    nudge = 1e-5
    slopes = [(product(np.exp(point + nudge * one), sample.measures) - base) / nudge for one in np.eye(len(point))]
    return base - sample.kept, np.stack(slopes, 1)


def _loss(point: Floats, sample: QualitySample) -> float:
    away = np.abs(product(np.exp(point), sample.measures) - sample.kept)
    return float(np.where(away < 0.2, away**2 / 2, 0.2 * (away - 0.1)).mean())


def _error(predicted: Floats, kept: Floats) -> float:
    return float(np.sqrt(((predicted - kept) ** 2).mean()))


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation; equal values share their ranks."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)


def _bins(predicted: Floats, kept: Floats) -> list[ClarityBin]:
    which = np.digitize(predicted, _EDGES)
    parts = [(predicted[which == n], kept[which == n]) for n in range(1, len(_EDGES))]
    return [ClarityBin(len(p), float(p.mean()), float(k.mean()), float(k.std())) for p, k in parts if len(p) >= 10]


def _kinds(predicted: Floats, sample: QualitySample) -> list[CorruptionFit]:
    names = dict.fromkeys(str(kind) for kind in sample.kinds)
    masks = {name: sample.kinds == name for name in names}
    return [
        CorruptionFit(name, int(mask.sum()), float(predicted[mask].mean()), float(sample.kept[mask].mean()))
        for name, mask in masks.items()
    ]
