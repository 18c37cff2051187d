"""The distribution of cosines: one photo against a person's templates, for that person and for strangers.

The daemon adds up scores over a visit and needs to know how far to trust them (``recognition.score_model``). So each
kind of score is split in two by a one-way analysis of variance: ``sd_between`` is what all photos of one person (or of
one stranger against one person) share, ``sd_within`` what changes from photo to photo.

The templates are those that enrolment makes of five photos. Photos of LFW were taken on different days, so
``sd_within`` is that of independent photos, not of neighbouring frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure.recognition.templates import templates_of

Vectors = NDArray[np.float32]
TEMPLATE_PHOTOS = 5
MOST_PROBES = 20
"""Photos used of one person, so that the few with hundreds do not outweigh the rest."""
QUANTILES = (1e-3, 1e-4, 1e-5)


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and both standard deviations of scores, and how many groups and scores they were computed from."""

    mean: float
    sd_between: float
    sd_within: float
    groups: int
    scores: int
    kurtosis: float

    def as_card(self) -> dict[str, float]:
        """Return the fields of a model card."""
        return {key: round(getattr(self, key), 4) for key in ("mean", "sd_between", "sd_within")}


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """``impostor_quantiles`` are the scores that a stranger's single photo passes with the chance in the key.

    ``accepted`` is the share of genuine single photos, in percent, above each of them; ``mutual`` the mean cosine of
    two photos of one person.
    """

    genuine: Spread
    impostor: Spread
    mutual: float
    impostor_quantiles: Mapping[str, float]
    accepted: Mapping[str, float]

    def as_card(self) -> dict[str, Any]:
        """Return the fields of a model card."""
        return {
            "score_model": {
                "genuine": self.genuine.as_card(),
                "impostor": self.impostor.as_card(),
                "mutual": round(self.mutual, 3),
            },
            "impostor_quantiles": {key: round(value, 4) for key, value in self.impostor_quantiles.items()},
        }


def measure(people: Mapping[str, Vectors], seed: int = 0) -> ScoreReport:
    """Measure scores; ``people`` holds each person's embeddings (n, size), of length 1.

    People with at least seven photos are enrolled with five; the others with at least two are the strangers. Raises
    UsageError if there are fewer than ten of either.
    """
    random = np.random.default_rng(seed)
    families = {name: random.permutation(found) for name, found in people.items() if len(found) > TEMPLATE_PHOTOS + 1}
    strangers = [found[:MOST_PROBES] for name, found in people.items() if name not in families and len(found) > 1]
    if min(len(families), len(strangers)) < 10:
        raise UsageError(
            f"{len(families)} people with seven photos and {len(strangers)} others with two are too few",
            "use a data set with at least ten of each",
        )
    templates = [_templates(found[:TEMPLATE_PHOTOS]) for found in families.values()]
    genuine = [
        _scores(found[TEMPLATE_PHOTOS : TEMPLATE_PHOTOS + MOST_PROBES], own)
        for found, own in zip(families.values(), templates, strict=True)
    ]
    impostor = [_scores(found, own) for found in strangers for own in templates]
    return _report(genuine, impostor, mutual([found[:MOST_PROBES] for found in families.values()]))


def mutual(people: Sequence[Vectors]) -> float:
    """Return the mean cosine of two different photos of one person; people with two photos or more weigh the same."""
    sums = [(found.sum(0) ** 2).sum() for found in people]
    shares = [(square - len(one)) / (len(one) * (len(one) - 1)) for square, one in zip(sums, people, strict=True)]
    return float(np.mean(shares))


def _templates(embeddings: Vectors) -> Vectors:
    """Return the templates (k, size) that enrolment makes of ``embeddings`` (n, size)."""
    return np.stack([one.direction for one in templates_of(embeddings)])


def _scores(probes: Vectors, templates: Vectors) -> Vectors:
    """Return the daemon's score of each of ``probes`` (n, size): the cosine to the nearest template."""
    return np.asarray((probes @ templates.T).max(axis=1), np.float32)


def _report(genuine: Sequence[Vectors], impostor: Sequence[Vectors], alike: float) -> ScoreReport:
    strangers, family = np.concatenate(impostor), np.concatenate(genuine)
    quantiles = {f"{chance:g}": float(np.quantile(strangers, 1 - chance)) for chance in QUANTILES}
    accepted = {key: 100 * float((family > limit).mean()) for key, limit in quantiles.items()}
    return ScoreReport(spread(genuine), spread(impostor), alike, quantiles, accepted)


def spread(groups: Sequence[NDArray[np.floating[Any]]]) -> Spread:
    """Fit one-way random effects by analysis of variance, for groups of unequal size.

    (Searle et al., "Variance Components", 1992, ch. 3.) ``kurtosis`` is the excess over a Gaussian's, of all scores
    together.
    """
    sizes = np.array([len(group) for group in groups])
    scores = np.concatenate(groups).astype(np.float64)
    means = np.array([group.mean() for group in groups], np.float64)
    total, count = int(sizes.sum()), len(groups)
    within = sum(float(((group - mean) ** 2).sum()) for group, mean in zip(groups, means, strict=True)) / (
        total - count
    )
    between = float((sizes * (means - scores.mean()) ** 2).sum()) / (count - 1)
    typical = (total - (sizes**2).sum() / total) / (count - 1)
    shared = max((between - within) / typical, 1e-6)
    centred = scores - scores.mean()
    kurtosis = float((centred**4).mean() / (centred**2).mean() ** 2 - 3)
    return Spread(float(means.mean()), float(np.sqrt(shared)), float(np.sqrt(within)), count, total, kurtosis)
