"""Calculate a household's calibration: the arithmetic behind ``facesecure calibrate``.

Three things determine a person's threshold: how near strangers come to their templates (the impostor model), how near
the other people of the household come (relatives set a lower bound), and how near those came whom the user has marked
as strangers. Estimates from few photos are shrunk towards what was measured on thousands of people, as far as their
number demands.

``expected_similarity`` and ``pairwise_similarity`` predict how similar photos are to a template of several, and
``GenuineTail`` predicts how many of a person's own faces miss a threshold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from facesecure.recognition.calibration import Estimate, Kind, OneMore, PersonCalibration, Rival, Spread, fingerprint
from facesecure.recognition.impostor_model import ImpostorModel
from facesecure.recognition.score_model import ScoreDistribution, ScoreModel
from facesecure.recognition.templates import templates_of

Vectors = NDArray[np.float32]

RIVAL_RATE = 0.01
"""Share of the visits of a relative, or of a marked stranger, that may reach a person's threshold. It need not be as
low as the rate for strangers: the name must also be likelier than the relative's own, or than the marked stranger."""
_CARD_PHOTOS = 5
"""The card's genuine scores are those of a photo against a template of five."""
_PERSON_SHARE = 0.5
"""Share of the variance ``sd_between``^2 that is taken to be due to the person and not to the visit."""
_PRIOR_PHOTOS = 8
"""The usual spread of a rival's scores counts as much as this many photos of the rival."""
_SHARES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999)
_Z95 = NormalDist().inv_cdf(0.975)
_MANY_FACES = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class HouseholdMember:
    """A person enrolled: embeddings of their ``faces`` (n, size) and their ``templates`` (k, size), of length 1.

    ``mistaken`` holds the faces (n, size) of each stranger whom the user has marked as not being this person.
    """

    name: str
    faces: Vectors
    templates: Vectors
    mistaken: Sequence[Vectors] = ()

    def scores_of(self, faces: Vectors) -> Vectors:
        """Return the cosines, (n,), of ``faces`` (n, size) to this person's nearest template."""
        return np.asarray((faces @ self.templates.T).max(axis=1), np.float32)


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Calibrates people for one model, at one rate of strangers accepted (``false_accept``).

    ``strangers`` and ``scores`` belong to the model, ``genuine_quantiles`` are its card's. Example::

        calibrator = Calibrator(impostor_model_of(model), ScoreModel.from_card(model.card), 1e-4)
        calibrator.calibrate(members)["Anna"].threshold
    """

    strangers: ImpostorModel
    scores: ScoreModel
    false_accept: float
    genuine_quantiles: Mapping[str, float] = field(default_factory=dict)

    def calibrate(self, household: Sequence[HouseholdMember]) -> dict[str, PersonCalibration]:
        """Return each person's calibration by name; each gets an equal share of ``false_accept``."""
        share = self.false_accept / max(1, len(household))
        return {member.name: self._person(member, household, share) for member in household}

    def _person(self, member: HouseholdMember, household: Sequence[HouseholdMember], share: float) -> PersonCalibration:
        impostor = self.strangers.against(member.templates)
        level = _Level.of(member, self.scores.genuine)
        rivals = self._rivals(member, impostor, household)
        floor = impostor.score_reached_with(share, 1)
        threshold, raised_by = max([(floor, ""), *((_limit(rival), rival.name) for rival in rivals)])
        people = [rival for rival in rivals if rival.kind == "person"]
        nearest = max(people, key=lambda rival: rival.scores.mean, default=None)
        tail = GenuineTail.of(self.genuine_quantiles, self.scores.genuine)
        return PersonCalibration(
            fingerprint=fingerprint(member.templates),
            faces=len(member.faces),
            genuine=Spread.of(level.scores(self.scores.genuine)),
            impostor=Spread.of(impostor),
            rivals=tuple(rival for rival in rivals if _matters(rival, impostor, share)),
            threshold=threshold,
            raised_by=raised_by or None,
            false_accepts=self._false_accepts(impostor, threshold),
            misses=_misses(tail, threshold, level),
            nearest=nearest.name if nearest else None,
            nearest_score=nearest.scores.mean if nearest else None,
            one_more=OneMore(likeness=level.gain, misses=tail.below(threshold, level.mean + level.gain)),
        )

    def _rivals(
        self, member: HouseholdMember, impostor: ScoreDistribution, household: Sequence[HouseholdMember]
    ) -> list[Rival]:
        relatives = [
            self._rival(other.name, "person", member.scores_of(other.faces), impostor)
            for other in household
            if other is not member
        ]
        marked = [
            self._rival(f"marked stranger {number}", "stranger", member.scores_of(faces), impostor)
            for number, faces in enumerate(member.mistaken, 1)
        ]
        return [*relatives, *marked]

    def _rival(self, name: str, kind: Kind, scores: Vectors, impostor: ScoreDistribution) -> Rival:
        return Rival(name=name, kind=kind, scores=Spread.of(self._fit(scores, impostor)), rate=RIVAL_RATE)

    def _fit(self, scores: Vectors, impostor: ScoreDistribution) -> ScoreDistribution:
        """Return the distribution of the rival's next visit, from their few scores and what is usual for strangers."""
        count, usual = len(scores), impostor.sd_within**2
        spread = float(((scores - scores.mean()) ** 2).sum())
        within = (_PRIOR_PHOTOS * usual + spread) / (_PRIOR_PHOTOS + count - 1)
        visit = (1 - _PERSON_SHARE) * self.scores.genuine.sd_between**2
        prior, seen = impostor.sd_between**2, visit + within / count
        weight = prior / (prior + seen)
        mean = impostor.mean + weight * (float(scores.mean()) - impostor.mean)
        return ScoreDistribution(mean, math.sqrt(prior * (1 - weight) + visit), math.sqrt(within), impostor.mutual)

    def _false_accepts(self, impostor: ScoreDistribution, threshold: float) -> Estimate:
        """Return the rate of strangers above ``threshold``, with an interval for three uncertainties.

        The spread was measured on a limited number of people, this template may be unlike theirs, and this camera's
        images may be of another kind.
        """
        deviation = math.sqrt(impostor.variance(1))
        away = (threshold - impostor.mean) / deviation
        spread = away * math.hypot(self.strangers.error, 1 / math.sqrt(2 * self.strangers.people))
        uncertainty = _Z95 * math.hypot(spread, self.strangers.shift / deviation)
        value, low, high = (NormalDist().cdf(-away - sign * uncertainty) for sign in (0, 1, -1))
        return Estimate(value=value, low=low, high=high)


@dataclass(frozen=True, slots=True)
class _Level:
    """The mean score of a person against their own templates, its ``uncertainty``, and the gain of one more photo.

    Estimated from the person's own photos, each left out once, and from what is usual.
    """

    mean: float
    uncertainty: float
    gain: float

    @classmethod
    def of(cls, member: HouseholdMember, usual: ScoreDistribution) -> _Level:
        count = max(1, len(member.faces))
        prior = expected_similarity(pairwise_similarity(usual.mean, _CARD_PHOTOS), count)
        person = _PERSON_SHARE * usual.sd_between**2
        visit = usual.sd_between**2 - person
        weight, mean = 0.0, prior
        if count > 1:
            weight = person / (person + visit + usual.sd_within**2 / count)
            own = expected_similarity(pairwise_similarity(_leave_one_out(member.faces), count - 1), count)
            mean = prior + weight * (own - prior)
        gain = expected_similarity(pairwise_similarity(mean, count), count + 1) - mean
        return cls(mean, math.sqrt(person * (1 - weight)), gain)

    def scores(self, usual: ScoreDistribution) -> ScoreDistribution:
        visit = (1 - _PERSON_SHARE) * usual.sd_between**2
        return ScoreDistribution(self.mean, math.sqrt(self.uncertainty**2 + visit), usual.sd_within, usual.mutual)


def _leave_one_out(faces: Vectors) -> float:
    """Return the mean cosine of each face to the nearest template made of the others."""
    return float(np.mean([_nearest(np.delete(faces, number, axis=0), face) for number, face in enumerate(faces)]))


def _nearest(others: Vectors, face: Vectors) -> float:
    return max(float(template.direction @ face) for template in templates_of(others))


def _misses(tail: GenuineTail, threshold: float, level: _Level) -> Estimate:
    value, low, high = (tail.below(threshold, level.mean + sign * _Z95 * level.uncertainty) for sign in (0, 1, -1))
    return Estimate(value=value, low=low, high=high)


def _limit(rival: Rival) -> float:
    return rival.scores.scores().score_reached_with(rival.rate, 1)


def _matters(rival: Rival, impostor: ScoreDistribution, share: float) -> bool:
    """Return whether the rival demands a higher score than strangers do, for one face or for many."""
    scores = rival.scores.scores()
    return any(
        scores.score_reached_with(rival.rate, faces) > impostor.score_reached_with(share, faces)
        for faces in (1, _MANY_FACES)
    )


def total(estimates: Sequence[Estimate]) -> Estimate:
    """Return an upper bound on the probability of any of ``estimates``; the bounds add up, having common causes."""
    value, low, high = (
        min(1.0, math.fsum(getattr(one, part) for one in estimates)) for part in ("value", "low", "high")
    )
    return Estimate(value=value, low=low, high=high)


def expected_similarity(pairwise: float, photos: float) -> float:
    """Return the expected cosine of a new photo to a template of ``photos``, given the cosine of two single photos.

    The sum of n unit vectors with mutual cosines r has the squared length n + n(n - 1)r, and its dot product with a new
    one is n r. On LFW, with r = 0.735, this predicts 0.80, 0.826, 0.841 for 3, 5, 10 photos; measured were 0.81, 0.825,
    0.836.
    """
    return pairwise / math.sqrt(pairwise + (1 - pairwise) / photos)


def pairwise_similarity(similarity: float, photos: float) -> float:
    """Return the cosine of two single photos (0 to 1) for which ``expected_similarity`` is ``similarity``."""
    square = max(similarity, 1e-3) ** 2
    half = square * (1 - 1 / photos) / 2
    return min(1.0, half + math.sqrt(half**2 + square / photos))


@dataclass(frozen=True, slots=True)
class GenuineTail:
    """Measured quantiles of genuine scores, whose lower tail is heavier than a Gaussian's (sunglasses, odd poses).

    ``scores`` increase with ``normal``, the standard normal quantiles of their shares; ``mean`` is the mean of all.
    Example::

        GenuineTail.of(card.genuine_quantiles, scores.genuine).below(threshold=0.45, mean=0.8)
    """

    scores: tuple[float, ...]
    normal: tuple[float, ...]
    mean: float

    @classmethod
    def of(cls, quantiles: Mapping[str, float], usual: ScoreDistribution) -> GenuineTail:
        """Make one of a card's ``genuine_quantiles`` (score by share); without any, of the Gaussian ``usual``."""
        deviation = math.sqrt(usual.variance(1))
        found = {float(share): score for share, score in quantiles.items()} or {
            share: usual.mean + NormalDist().inv_cdf(share) * deviation for share in _SHARES
        }
        shares = sorted(found)
        return cls(
            tuple(found[share] for share in shares), tuple(NormalDist().inv_cdf(share) for share in shares), usual.mean
        )

    def below(self, threshold: float, mean: float) -> float:
        """Return the share of single clear faces below ``threshold``, of a person whose scores have this ``mean``.

        Beyond the measured shares it stays at the last of them.
        """
        return NormalDist().cdf(float(np.interp(threshold - mean + self.mean, self.scores, self.normal)))
