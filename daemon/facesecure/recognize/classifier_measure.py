"""Measures a classifier as it was exported, through the very code that asks it at the door; training calls this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from facesecure.domain import Image
from facesecure.recognize.classifier import FaceClassifier
from facesecure.recognize.classifier_scores import Outputs, fit
from facesecure.vision.model_card import Model, ModelCard

Crops = Iterable[Image]


def measured(
    model: Model,
    family: Mapping[str, Iterable[Crops]],
    strangers: Iterable[Crops],
    *,
    dataset: str,
    rate: float = 0.01,
) -> ModelCard:
    """The card of ``model`` with what its scores are like, fit for the daemon.

    ``family`` holds of each name its visits (the frames of a video, or a photo alone), ``strangers`` of each person who
    is in no class their pictures; crops as the card says they are cut, and none that it learnt from. At ``rate`` of the
    strangers' faces the threshold is put. Raises ModelError or UsageError (``classifier_scores.fit``).
    """
    classifier = FaceClassifier(model, unmeasured=True)
    own = {name: _outputs(classifier, visits) for name, visits in family.items()}
    unseen = _outputs(classifier, strangers)
    found = fit(classifier.facts, classifier.labels, own, unseen, dataset=dataset, rate=rate)
    thresholds = {**model.card.thresholds, **found.thresholds}
    return model.card.model_copy(update={"classifier": found.facts, "thresholds": thresholds})


def _outputs(classifier: FaceClassifier, groups: Iterable[Crops]) -> list[Outputs]:
    """Of each group, outputs (n, classes); groups without a picture are left out."""
    found = [[classifier.classify(crop) for crop in group] for group in groups]
    return [np.stack(some) for some in found if some]
