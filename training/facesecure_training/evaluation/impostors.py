"""Measures how strangers' embeddings are distributed for a model, and verifies it on people who were left out.

The impostor model itself, its two layers and its file are the daemon's (``facesecure.recognition.impostor_model``);
here its means and covariances are estimated. Each person counts once, however many photos they have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure.recognition.impostor_model import GaussianImpostors, packed
from facesecure.recognition.templates import template_of
from facesecure.util.files import replace_file
from facesecure.vision.inference.card_fields import StrangerFacts
from facesecure.vision.inference.model_card import Model, ModelCard
from facesecure_training.common import model_bundle
from facesecure_training.common.embeddings import photos_by_person
from facesecure_training.evaluation.photo_embeddings import embed_photos, require_embedder
from facesecure_training.evaluation.setting import Setting

Vectors = NDArray[np.float32]
Matrix = NDArray[np.float64]
ASKED = (1e-2, 1e-3, 1e-4)
TEMPLATE_PHOTOS = 5
MOST_PHOTOS = 20
"""Photos used of one person, so that the few with hundreds do not outweigh the rest."""
_LEAST_PEOPLE, _LEAST_REPEATED = 100, 40
"""Least numbers of people, and of people with a second photo: with fewer, the covariances would be mostly chance."""
_QUANTILES = (5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 0.8, 0.9, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class ImpostorReport:
    """``rates``: share of unseen strangers' photos above the score for the chance in the key.

    ``error`` is the root mean square of log(measured spread / predicted spread) over unseen people's templates, less
    the sampling error (1 / 2n for n strangers); ``shift`` is that of the error of the mean score on a collection that
    the model had not seen at all; ``genuine_quantiles`` are the genuine scores (one photo against a template of five)
    below which each share lies.
    """

    people: int
    faces: int
    rates: Mapping[str, float]
    error: float
    shift: float
    templates: int
    trials: int
    genuine_quantiles: Mapping[str, float]


Collection = Sequence[Vectors]
"""One kind of photos: each person's embeddings, (n, size) of length 1."""


def collection_of(setting: Setting, images: Path) -> Collection:
    """Return the embeddings of each person in the photos under ``images``. Raises UsageError, ImageError."""
    people = photos_by_person(images)
    photos = (photo for found in people.values() for photo in found)
    require_embedder(setting)
    found = embed_photos(photos, setting)
    vectors = [[v for photo in some if (v := found[photo]) is not None] for some in people.values()]
    return [np.stack(some) for some in vectors if some]


def write(model: Model, collections: Sequence[Collection], report: ImpostorReport, dataset: str) -> None:
    """Write the impostor model's file beside ``model``, and then the card that names it.

    In this order: a reader who finds the new file with the old card detects damage, and never trusts wrong figures.
    """
    content = packed(fit(collections))
    path = model.path.with_name(f"{model.card.name}.strangers.npz")
    facts = StrangerFacts(
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        dataset=dataset,
        people=report.people,
        faces=report.faces,
        error=round(report.error, 4),
        shift=round(report.shift, 4),
        rates=dict(report.rates),
    )
    replace_file(path, content)
    fields: dict[str, Any] = {"strangers": facts, "genuine_quantiles": dict(report.genuine_quantiles)}
    model_bundle.save(model.path.parent, ModelCard.model_validate({**model.card.model_dump(), **fields}))


def fit(collections: Sequence[Collection]) -> GaussianImpostors:
    """Fit a mean for each collection, and covariances over all. Raises UsageError if the people are too few.

    The covariance between people is that of their means less what the photos themselves add to it (analysis of
    variance); both are shrunk towards a sphere as far as their number of samples demands.
    """
    kinds = [[found[:MOST_PHOTOS].astype(np.float64) for found in kind if len(found)] for kind in collections]
    some = [found for kind in kinds for found in kind]
    repeated = [found for found in some if len(found) > 1]
    if len(some) < _LEAST_PEOPLE or len(repeated) < _LEAST_REPEATED:
        raise UsageError(
            f"{len(some)} people, {len(repeated)} of them with a second photo, are too few",
            f"use a data set with {_LEAST_PEOPLE} and {_LEAST_REPEATED}",
        )
    within = _scatter([found - found.mean(0) for found in repeated])
    means = [np.stack([found.mean(0) for found in kind]) for kind in kinds]
    noise = float(np.mean([1 / len(found) for found in some])) * within
    between = _positive(_scatter([kind - kind.mean(0) for kind in means]) - noise)
    return GaussianImpostors(np.stack([kind.mean(0) for kind in means]), between, within, len(some))


def _scatter(groups: Sequence[Matrix]) -> Matrix:
    """Return the pooled covariance of groups of deviations (n, size) from their groups' own means."""
    deviations = np.concatenate(groups)
    freedom = len(deviations) - len(groups)
    return _towards_sphere(deviations.T @ deviations / freedom, freedom)


def _towards_sphere(covariance: Matrix, samples: int) -> Matrix:
    """Shrink by Rao-Blackwellised Ledoit-Wolf (Chen, Wiesel, Eldar and Hero, 2010), eq. 17."""
    size = len(covariance)
    square, trace = float((covariance**2).sum()), float(np.trace(covariance))
    least = (samples - 2) / samples * square + trace**2
    share = min(1.0, least / ((samples + 2) * (square - trace**2 / size)))
    return (1 - share) * covariance + share * trace / size * np.eye(size)


def _positive(covariance: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.maximum(values, 1e-6)) @ vectors.T, np.float64)


def measure(collections: Sequence[Collection], seed: int = 0) -> ImpostorReport:
    """Measure how well a model fitted to half of each collection's people predicts the other half, both ways."""
    random = np.random.default_rng(seed)
    halves = [_halves(kind, random) for kind in collections]
    trials = []
    for one, other in ((0, 1), (1, 0)):
        model = fit([half[one] for half in halves])
        trials += [_try(model, half[other], seed) for half in halves]
    reached = [chances for chances, _ in trials]
    errors = np.concatenate([error for _, error in trials])
    everyone = [found for kind in collections for found in kind]
    return ImpostorReport(
        people=len(everyone),
        faces=sum(min(len(found), MOST_PHOTOS) for found in everyone),
        rates=_rates(reached),
        error=float(np.sqrt(max(errors.mean(), 0.0))),
        shift=_shift(collections),
        templates=len(errors),
        trials=sum(chances.size for chances in reached),
        genuine_quantiles=_genuine_quantiles(everyone, seed),
    )


def check(collections: Sequence[Collection], others: Collection, seed: int = 0) -> Mapping[str, float]:
    """Return the rates of a model fitted to all of ``collections`` on people of another data set."""
    return _rates([_try(fit(collections), others, seed)[0]])


def _shift(collections: Sequence[Collection]) -> float:
    """Return the mean error of strangers' scores on a collection that was left out; 0 if there is only one."""
    if len(collections) < 2:
        return 0.0
    shifts = []
    for left_out, kind in enumerate(collections):
        model = fit([other for number, other in enumerate(collections) if number != left_out])
        mean = np.stack([found.mean(0) for found in kind]).mean(0)
        templates = np.stack([template_of(found[:TEMPLATE_PHOTOS]) for found in kind if len(found) >= TEMPLATE_PHOTOS])
        shifts.append(float((templates @ mean - (templates @ model.means.T).max(axis=1)).mean()))
    return float(np.sqrt(np.mean(np.square(shifts))))


def _halves(kind: Collection, random: np.random.Generator) -> list[Collection]:
    return [[kind[number] for number in half] for half in np.array_split(random.permutation(len(kind)), 2)]


def _rates(reached: Sequence[Matrix]) -> dict[str, float]:
    together = np.concatenate([chances.ravel() for chances in reached])
    return {f"{asked:g}": float(f"{(together <= asked).mean():.3g}") for asked in ASKED}


def _try(model: GaussianImpostors, people: Sequence[Vectors], seed: int) -> tuple[Matrix, Matrix]:
    """Compare one photo of each person with the template of each other person who has enough photos.

    Returns the chance that the model gives to that score or more, (templates, strangers); and each template's squared
    log error of the spread.
    """
    random = np.random.default_rng(seed)
    shuffled = [random.permutation(found) for found in people]
    probes = np.stack([found[-1] for found in shuffled])
    chances, errors = [], []
    for number, found in enumerate(shuffled):
        if len(found) < TEMPLATE_PHOTOS:
            continue
        template = template_of(found[:TEMPLATE_PHOTOS])
        expected = model.against(template[None])
        scores = np.delete(probes, number, axis=0) @ template
        chances.append([expected.chance_of_reaching(float(score), 1) for score in scores])
        miss = np.log(scores.std() / np.sqrt(expected.variance(1)))
        errors.append(miss**2 - 1 / (2 * len(scores)))
    if not chances:
        raise UsageError(f"no person has {TEMPLATE_PHOTOS} photos", "use a data set in which some people have")
    return np.array(chances), np.array(errors)


def _genuine_quantiles(people: Sequence[Vectors], seed: int) -> dict[str, float]:
    random = np.random.default_rng(seed)
    families = [random.permutation(found) for found in people if len(found) > TEMPLATE_PHOTOS]
    scores = [
        found[TEMPLATE_PHOTOS : TEMPLATE_PHOTOS + MOST_PHOTOS] @ template_of(found[:TEMPLATE_PHOTOS])
        for found in families
    ]
    together = np.concatenate(scores) if scores else np.empty(0)
    usable = [share for share in _QUANTILES if share * len(together) >= 1]
    return {f"{share:g}": round(float(np.quantile(together, share)), 4) for share in usable}
