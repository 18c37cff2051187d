"""Works out what recognition may expect of one household: the arithmetic behind ``facesecure calibrate``.

Three things decide a person's threshold: how near strangers come to their templates (the stranger model), how near
the others of the household come (relatives set a floor), and how near those came whom the user marked as strangers.
What is seen on few pictures is drawn towards what was measured on thousands of people, as far as its number demands.
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
_CARD_PICTURES = 5
"""The card's genuine scores are those of a photo against a template of five."""
_PERSON_SHARE = 0.5
"""Of what visits of one person share (``sd_between``), the part taken to be the person's and not the visit's."""
_PRIOR_PICTURES = 8
"""The spread of a rival's scores is trusted as if so many pictures had shown the usual spread before."""
RIVAL_RATE = 0.01
"""Share of the visits of a relative, or of a marked stranger, that may reach a person's threshold. It need not be as
rare as strangers are asked to be: the name must also be likelier than the relative's own, or than the mark."""
_SURE = NormalDist().inv_cdf(0.975)
_MANY = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class HouseholdMember:
    """Somebody enrolled: embeddings of their ``faces`` (n, size) and their ``templates`` (k, size), of length 1.

    ``mistaken`` holds the faces (n, size) of each stranger whom the user said they are not.
    """

    name: str
    faces: Vectors
    templates: Vectors
    mistaken: Sequence[Vectors] = ()

    def scores_of(self, faces: Vectors) -> Vectors:
        """Cosines of ``faces`` (n, size) to the nearest template, (n,)."""
        return np.asarray((faces @ self.templates.T).max(axis=1), np.float32)


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Works for one model: its ``strangers``, its ``scores``, and the quantiles of its genuine scores (its card's)."""

    strangers: ImpostorModel
    scores: ScoreModel
    false_accept: float
    genuine_quantiles: Mapping[str, float] = field(default_factory=dict)

    def calibrate(self, household: Sequence[HouseholdMember]) -> dict[str, PersonCalibration]:
        """Everybody's calibration by name; each gets an equal share of ``false_accept``, so that the sum keeps it."""
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
        misses = GenuineTail.of(self.genuine_quantiles, self.scores.genuine)
        return PersonCalibration(
            fingerprint=fingerprint(member.templates),
            faces=len(member.faces),
            genuine=Spread.of(level.scores(self.scores.genuine)),
            impostor=Spread.of(impostor),
            rivals=tuple(rival for rival in rivals if _matters(rival, impostor, share)),
            threshold=threshold,
            raised_by=raised_by or None,
            false_accepts=self._false_accepts(impostor, threshold),
            misses=_misses(misses, threshold, level),
            nearest=nearest.name if nearest else None,
            nearest_score=nearest.scores.mean if nearest else None,
            one_more=OneMore(likeness=level.gain, misses=misses.below(threshold, level.mean + level.gain)),
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
        """Where the rival's next visit will score, from few scores of theirs and what is usual of anybody."""
        count, usual = len(scores), impostor.sd_within**2
        spread = float(((scores - scores.mean()) ** 2).sum())
        within = (_PRIOR_PICTURES * usual + spread) / (_PRIOR_PICTURES + count - 1)
        visit = (1 - _PERSON_SHARE) * self.scores.genuine.sd_between**2
        prior, seen = impostor.sd_between**2, visit + within / count
        weight = prior / (prior + seen)
        mean = impostor.mean + weight * (float(scores.mean()) - impostor.mean)
        return ScoreDistribution(mean, math.sqrt(prior * (1 - weight) + visit), math.sqrt(within), impostor.mutual)

    def _false_accepts(self, impostor: ScoreDistribution, threshold: float) -> Estimate:
        """The interval knows three doubts.

        The spread was measured on so many people; this template may be unlike theirs; this camera's pictures may be of
        a kind of their own.
        """
        deviation = math.sqrt(impostor.variance(1))
        away = (threshold - impostor.mean) / deviation
        spread = away * math.hypot(self.strangers.error, 1 / math.sqrt(2 * self.strangers.people))
        doubt = _SURE * math.hypot(spread, self.strangers.shift / deviation)
        value, low, high = (NormalDist().cdf(-away - sign * doubt) for sign in (0, 1, -1))
        return Estimate(value=value, low=low, high=high)


@dataclass(frozen=True, slots=True)
class _Level:
    """How high one person scores on average: from their own pictures, each left out once, and everybody's."""

    mean: float
    doubt: float
    gain: float

    @classmethod
    def of(cls, member: HouseholdMember, usual: ScoreDistribution) -> _Level:
        count = max(1, len(member.faces))
        prior = expected_similarity(pairwise_similarity(usual.mean, _CARD_PICTURES), count)
        person = _PERSON_SHARE * usual.sd_between**2
        visit = usual.sd_between**2 - person
        weight, mean = 0.0, prior
        if count > 1:
            weight = person / (person + visit + usual.sd_within**2 / count)
            own = expected_similarity(pairwise_similarity(_left_out(member.faces), count - 1), count)
            mean = prior + weight * (own - prior)
        gain = expected_similarity(pairwise_similarity(mean, count), count + 1) - mean
        return cls(mean, math.sqrt(person * (1 - weight)), gain)

    def scores(self, usual: ScoreDistribution) -> ScoreDistribution:
        visit = (1 - _PERSON_SHARE) * usual.sd_between**2
        return ScoreDistribution(self.mean, math.sqrt(self.doubt**2 + visit), usual.sd_within, usual.mutual)


def _left_out(faces: Vectors) -> float:
    """The mean cosine of each face to the nearest template that the others make."""
    return float(np.mean([_nearest(np.delete(faces, number, axis=0), face) for number, face in enumerate(faces)]))


def _nearest(others: Vectors, face: Vectors) -> float:
    return max(float(look.direction @ face) for look in templates_of(others))


def _misses(tail: GenuineTail, threshold: float, level: _Level) -> Estimate:
    value, low, high = (tail.below(threshold, level.mean + sign * _SURE * level.doubt) for sign in (0, 1, -1))
    return Estimate(value=value, low=low, high=high)


def _limit(rival: Rival) -> float:
    return rival.scores.scores().score_reached_with(rival.rate, 1)


def _matters(rival: Rival, impostor: ScoreDistribution, share: float) -> bool:
    """Whether the rival demands more than strangers do, for one face or for many."""
    scores = rival.scores.scores()
    return any(
        scores.score_reached_with(rival.rate, faces) > impostor.score_reached_with(share, faces) for faces in (1, _MANY)
    )


def total(estimates: Sequence[Estimate]) -> Estimate:
    """The chance of any of these, at most: their doubts are the same ones, so that they add up too."""
    value, low, high = (
        min(1.0, math.fsum(getattr(one, part) for one in estimates)) for part in ("value", "low", "high")
    )
    return Estimate(value=value, low=low, high=high)


_SHARES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999)


def expected_similarity(pairwise: float, pictures: float) -> float:
    """The expected cosine of a new picture to a template of ``pictures``, where two single pictures have ``pairwise``.

    The sum of n unit vectors with mutual cosines r has the squared length n + n(n - 1)r, and a new one has the dot
    product n r with it. On LFW, r = 0.735: foretold 0.80, 0.826, 0.841 for 3, 5, 10 photos; found 0.81, 0.825, 0.836.
    """
    return pairwise / math.sqrt(pairwise + (1 - pairwise) / pictures)


def pairwise_similarity(likeness: float, pictures: float) -> float:
    """The cosine of two single pictures that makes ``expected_likeness`` what it is (0 to 1)."""
    square = max(likeness, 1e-3) ** 2
    half = square * (1 - 1 / pictures) / 2
    return min(1.0, half + math.sqrt(half**2 + square / pictures))


@dataclass(frozen=True, slots=True)
class GenuineTail:
    """Measured quantiles of genuine scores. Their lower tail is heavier than a Gaussian's: sunglasses, odd pictures.

    ``scores`` rise with ``normal``, the standard normal quantiles of their shares; ``mean`` is the mean of all.
    """

    scores: tuple[float, ...]
    normal: tuple[float, ...]
    mean: float

    @classmethod
    def of(cls, quantiles: Mapping[str, float], usual: ScoreDistribution) -> GenuineTail:
        """From a card's ``genuine_quantiles`` (share: score); where there are none, as ``usual`` has them."""
        deviation = math.sqrt(usual.variance(1))
        found = {float(share): score for share, score in quantiles.items()} or {
            share: usual.mean + NormalDist().inv_cdf(share) * deviation for share in _SHARES
        }
        shares = sorted(found)
        return cls(
            tuple(found[share] for share in shares), tuple(NormalDist().inv_cdf(share) for share in shares), usual.mean
        )

    def below(self, threshold: float, mean: float) -> float:
        """The share of single clear faces that miss ``threshold``, of a person whose scores have this ``mean``.

        Beyond the shares that were measured it stays at the last of them.
        """
        return NormalDist().cdf(float(np.interp(threshold - mean + self.mean, self.scores, self.normal)))
