"""Verification of pairs by any embedder, with everything that the HTML page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.domain import Image
from facesecure.domain.errors import UsageError
from facesecure_training.common.cropping import CropMaker
from facesecure_training.common.embeddings import NamedPair, photo_path, read_pairs
from facesecure_training.evaluation import robustness as comparison
from facesecure_training.evaluation import verification
from facesecure_training.evaluation.kept_apart import refuse_shared
from facesecure_training.evaluation.photo_embeddings import embed_photos
from facesecure_training.evaluation.rates import Rates, rates, threshold_at
from facesecure_training.evaluation.robustness import (
    Measure,
    PairStep,
    ThresholdFigures,
    measure_of,
    similarity,
    to_measure,
)
from facesecure_training.evaluation.setting import Setting


@dataclass(frozen=True, slots=True)
class VerificationRequest:
    """What is measured.

    ``pairs`` of photos under ``images``, ``limit`` of them evenly spaced. ``validation`` pairs, of photos under
    ``validation_images`` (or ``images``), choose a threshold: by the fewest errors, or for a false accept rate ``far``.
    ``rule`` is one more threshold to measure, a cosine or a distance. ``robustness``: on that many pairs, 0 for none.
    """

    images: Path
    pairs: Path
    limit: int | None = None
    validation: Path | None = None
    validation_images: Path | None = None
    far: float | None = None
    rule: float | None = None
    robustness: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class VerificationResult:
    """``report`` is that of the ten folds; ``chosen`` the threshold by validation pairs, ``fixed`` the one given.

    Thresholds are in the measure's own sign. ``scores`` are higher for more similar faces.
    """

    report: verification.VerificationReport
    measure: Measure
    rates: Rates
    chosen: ThresholdFigures | None
    fixed: ThresholdFigures | None
    robustness: Mapping[str, Sequence[PairStep]]
    scores: Sequence[float | None]
    same: Sequence[bool]
    sample: Image | None

    @property
    def threshold(self) -> float:
        """The threshold for the card: by validation pairs if there are any, else the folds' mean."""
        return self.chosen.threshold if self.chosen else self.report.threshold

    def as_json(self) -> dict[str, Any]:
        """Return the result for JSON."""
        rules = {"chosen": self.chosen, "rule": self.fixed}
        return {
            **self.report.as_json(),
            "measure": self.measure,
            **{name: asdict(one) for name, one in rules.items() if one is not None},
            "rates": asdict(self.rates),
            "robustness": {kind: [asdict(one) for one in some] for kind, some in self.robustness.items()},
        }


def verify(setting: Setting, asked: VerificationRequest) -> VerificationResult:
    """Measure verification. Raises UsageError for pairs that do not fit, ImageError if a photo is missing."""
    if asked.far is not None and asked.validation is None:
        raise UsageError("--far chooses a threshold, and needs pairs to choose it on", "pass them with --validation")
    network, cropper = setting.network(), setting.cropper()
    pairs = read_pairs(asked.pairs, asked.limit)
    scores, measure, faceless, photos = _scored(pairs, asked.images, setting)
    same = [pair.same for pair in pairs]
    report = verification.evaluate(scores, same, photos, faceless)
    chosen = _chosen(asked, setting, measure, scores, same)
    limit = to_measure(measure, chosen.threshold) if chosen else report.threshold
    some = _some_crops(pairs, asked, cropper) if asked.robustness else []
    return VerificationResult(
        report=replace(report, threshold=to_measure(measure, report.threshold)),
        measure=measure,
        rates=_worded(measure, rates(_of(scores, same, truth=True), _of(scores, same, truth=False))),
        chosen=chosen,
        fixed=None if asked.rule is None else comparison.threshold_figures(measure, asked.rule, scores, same),
        robustness=comparison.robustness(network, measure, limit, some) if some else {},
        scores=scores,
        same=same,
        sample=some[0][1] if some else None,
    )


def _scored(pairs: Sequence[NamedPair], images: Path, setting: Setting) -> tuple[list[float | None], Measure, int, int]:
    """Return (scores, how they were made, photos without a face, photos)."""
    photos = {name: photo_path(images, name) for pair in pairs for name in (pair.first, pair.second)}
    found = embed_photos(photos.values(), setting)
    vectors = {name: found[path] for name, path in photos.items()}
    measure = measure_of(list(vectors.values()))
    scores = []
    for pair in pairs:
        first, second = vectors[pair.first], vectors[pair.second]
        scores.append(None if first is None or second is None else similarity(measure, first, second))
    return scores, measure, sum(vector is None for vector in vectors.values()), len(photos)


def _chosen(
    asked: VerificationRequest, setting: Setting, measure: Measure, scores: Sequence[float | None],
    same: Sequence[bool],
) -> ThresholdFigures | None:  # fmt: skip
    """Choose a threshold on the validation pairs and measure it on the others.

    Raises UsageError if a photo or a person is in both.
    """
    if asked.validation is None:
        return None
    pairs = read_pairs(asked.validation)
    there = asked.validation_images or asked.images
    refuse_shared(read_pairs(asked.pairs), asked.images, pairs, there)
    found, _, _, _ = _scored(pairs, there, setting)
    truth = [pair.same for pair in pairs]
    if asked.far is not None:
        limit = threshold_at(np.array(_of(found, truth, truth=False)), asked.far)
    else:
        values = np.array([np.nan if score is None else score for score in found])
        limit = verification.best_threshold(values, np.array(truth))
    return comparison.threshold_figures(measure, to_measure(measure, limit), scores, same)


def _of(scores: Sequence[float | None], same: Sequence[bool], *, truth: bool) -> list[float]:
    """Return the scores of one kind of pair; -inf, which no threshold accepts, for a pair without a face."""
    return [-np.inf if score is None else score for score, one in zip(scores, same, strict=True) if one is truth]


def _worded(measure: Measure, found: Rates) -> Rates:
    """Return the rates with thresholds in the measure's own sign."""
    if measure == "cosine":
        return found
    return replace(
        found,
        eer_threshold=-found.eer_threshold,
        accepted=tuple(replace(one, threshold=-one.threshold) for one in found.accepted),
        curve=replace(found.curve, thresholds=tuple(-one for one in found.curve.thresholds)),
    )


def _some_crops(
    pairs: Sequence[NamedPair], asked: VerificationRequest, cropper: CropMaker
) -> list[tuple[Image, Image, bool]]:
    """Return crops of pairs, evenly spaced over both kinds."""
    kinds = [[pair for pair in pairs if pair.same is truth] for truth in (True, False)]
    chosen = [one for some in kinds for one in some[:: max(1, 2 * len(some) // asked.robustness)]]
    crops = [
        (
            cropper.crop(photo_path(asked.images, one.first)),
            cropper.crop(photo_path(asked.images, one.second)),
            one.same,
        )
        for one in chosen
    ]
    return [(first, second, same) for first, second, same in crops if first is not None and second is not None]
