"""Model the distribution of scores, of a person against their own templates and of other people.

Frames of one visit are not independent: a person who looks a little like Tom does so in every frame. Each score is
therefore modelled in two layers, score = mean + (this visit) + (this frame), with Gaussian spreads ``sd_between`` and
``sd_within``. The mean over n independent frames then has the variance sd_between^2 + sd_within^2 / n, so that no
number of frames makes it certain. (A one-way random effects model; for the likelihood ratio of such scores see for
instance Brümmer and du Preez, "Application-independent evaluation of speaker detection", 2006.)

Where scores are cosines, a visit is compared by the direction of the mean of its faces. The mean of n unit vectors with
mutual cosines r has the squared length r + (1 - r) / n; all of the above is divided by its length. The benefit is that
a visit of dissimilar faces, with a short mean, counts as much as one of similar faces: of simulated visits of 5 to 10
degraded photos 99.9 % are named where the mean score names 99.5 % (1 stranger in 1,000 accepted), and 99.6 % where it
names 97.4 % (none of 10,000).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.model_card import ModelCard

_BLUR_SPREAD = 0.25
"""Spread that unclear faces add to the genuine scores, as a share of the distance between the two means, over the
square root of the missing clarity; measured on the same photos as ``vision.images.quality.clarity``."""
_MIN_CLARITY = 0.05
_MIN_MUTUAL = 0.01


@dataclass(frozen=True, slots=True)
class ScoreDistribution:
    """The scores of one kind of pair: ``mean`` and spreads for single faces, in the recogniser's own unit.

    ``mutual``: the mean cosine, above 0 and at most 1, of two independent faces of one visit, where a visit is scored
    by its mean direction; 1 where scores are simply averaged. Example::

        impostors = ScoreDistribution(mean=0.02, sd_between=0.12, sd_within=0.05)
        impostors.chance_of_reaching(0.6, faces=4)
    """

    mean: float
    sd_between: float
    sd_within: float
    mutual: float = 1.0

    def __post_init__(self) -> None:
        if self.sd_between < 0 or self.sd_within <= 0:
            raise ValueError("spreads must be positive")
        if not 0 < self.mutual <= 1:
            raise ValueError("mutual must be above 0 and at most 1")

    def length(self, faces: float) -> float:
        """Return the expected length of the mean of ``faces`` (at least 1) unit vectors."""
        return math.sqrt(self.mutual + (1 - self.mutual) / max(1.0, faces))

    def centre(self, faces: float) -> float:
        """Return the expected score of a visit of ``faces`` faces."""
        return self.mean / self.length(faces)

    def variance(self, faces: float) -> float:
        """Return the variance of the score of a visit of ``faces`` (> 0) independent faces."""
        return (self.sd_between**2 + self.sd_within**2 / faces) / self.length(faces) ** 2

    def chance_of_reaching(self, score: float, faces: float) -> float:
        """Return the probability that a visit of ``faces`` faces scores ``score`` or higher."""
        return 0.5 * math.erfc((score - self.centre(faces)) / math.sqrt(2 * self.variance(faces)))

    def score_reached_with(self, chance: float, faces: float) -> float:
        """Return the score that a visit reaches with probability ``chance`` (0 to 1): inverse of chance_of_reaching."""
        return self.centre(faces) + NormalDist().inv_cdf(1 - chance) * math.sqrt(self.variance(faces))

    def log_density(self, score: float, faces: float) -> float:
        """Return the natural logarithm of the density at ``score``, for a visit of ``faces`` faces."""
        variance = self.variance(faces)
        return -0.5 * ((score - self.centre(faces)) ** 2 / variance + math.log(2 * math.pi * variance))


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """The scores of a person against their own templates (``genuine``) and of other people (``impostor``).

    Example::

        ScoreModel.from_card(model.card).log_likelihood_ratio(0.55, faces=3)
    """

    genuine: ScoreDistribution
    impostor: ScoreDistribution

    @classmethod
    def from_card(cls, card: ModelCard) -> ScoreModel:
        """Return the distributions measured for the model with ``card``. Raises ModelError if none were."""
        measured = card.score_model
        if measured is None:
            raise ModelError(
                f"the card of {card.name} does not say how its scores are distributed",
                "measure them with: facesecure-train evaluate scores",
            )
        spreads = (measured.genuine, measured.impostor)
        return cls(*(ScoreDistribution(s.mean, s.sd_between, s.sd_within, measured.mutual) for s in spreads))

    def __post_init__(self) -> None:
        if self.genuine.mean <= self.impostor.mean:
            raise ValueError("genuine scores must be higher than impostor scores on average")

    def log_likelihood_ratio(self, score: float, faces: float, clarity: float = 1.0) -> float:
        """Return log p(score | that person) / p(score | another person), in nats, of a visit of ``faces`` faces.

        ``clarity`` (0 to 1) is the share of similarity that the faces keep: an unclear face is expected to be less
        similar to its own person, by a less certain amount, and so is weak evidence either way. The result never falls
        as the score rises: the ratio of two Gaussians of different widths would turn back outside the two means, so the
        score is clipped to them.
        """
        genuine = self._degraded(clarity)
        clipped = min(max(score, self.impostor.centre(faces)), max(genuine.centre(faces), self.impostor.centre(faces)))
        return genuine.log_density(clipped, faces) - self.impostor.log_density(clipped, faces)

    def _degraded(self, clarity: float) -> ScoreDistribution:
        """Return the genuine scores of faces with this ``clarity``; what degrades them lasts the whole visit."""
        reach = self.genuine.mean - self.impostor.mean
        blur = _BLUR_SPREAD * reach * math.sqrt(1 - clarity)
        between = math.hypot(self.genuine.sd_between, blur)
        mean = self.impostor.mean + max(clarity, _MIN_CLARITY) * reach
        return ScoreDistribution(mean, between, self.genuine.sd_within, self._mutual(clarity))

    def _mutual(self, clarity: float) -> float:
        """Return the mutual cosine of unclear faces, which was measured to be proportional to their clarity."""
        return self.genuine.mutual if self.genuine.mutual == 1 else max(_MIN_MUTUAL, clarity * self.genuine.mutual)
