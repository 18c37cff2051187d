"""People who look alike: how much, whether they are one and the same, and what telling them apart takes.

Closeness is the cosine of two people's templates. A face of somebody with the score s on their own template scores
on another's, at closeness c, c*s on average; what is left over spreads by the impostors' spread times
sqrt((1 - s^2) (1 - c^2)), which is plain geometry of unit vectors. Measured on 93,000 pairs of a face and another's
template in Labelled Faces in the Wild: slope 0.83 where the mean s is 0.81, the spread 0.135 at every c from -0.4 to
0.6 where the score model says 0.146; the same for blurred and for dark faces.

What it does, on single looks at one of two people: where strangers' templates come no nearer than 0.3, nothing at all;
at 0.47 and more 96.7 % of clear looks are named where 97.8 % were. Of a person beside a blend of their photos with
another's (closeness 0.67), 9 of 630 looks get the wrong name where 25 did, and 54 % the right one where 70 % did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from facesecure.domain import Embedding
from facesecure.domain.records import Embeddings
from facesecure.recognition.gallery import Gallery
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.templates import templates_of

_ALIKE = 1e-3
"""Two people are alike if a pair of strangers is so close less often than this."""
_MEASURED = 1e-4
"""The rarest closeness of strangers that 13,203 pairs of people could show."""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Somebody enrolled who looks like the person spoken of. ``closeness`` is a cosine.

    ``same``: as close as two templates of one person; ``rarity``: of how many pairs of strangers one is so close.
    """

    name: str
    closeness: float
    same: bool
    rarity: int

    def about(self, name: str) -> str:
        """What a householder needs to know of ``name`` and this person."""
        if self.same:
            return (
                f"{name} and {self.name} look like one and the same person ({self.closeness:.2f}): neither name will "
                f"be told from the other; if they are one, keep one name (facesecure people remove)"
            )
        return (
            f"{name} and {self.name} look alike ({self.closeness:.2f}; 1 pair of strangers in {self.rarity:,} is so "
            f"close). Less clear looks at either will be called unidentified rather than by the wrong name; more "
            f"pictures of both, sharp and from several days, help"
        )


@dataclass(frozen=True, slots=True)
class OtherPeople:
    """Everybody but the person spoken of: their templates, and what scores mean."""

    gallery: Gallery
    model: ScoreModel

    def resembling(self, faces: Embeddings) -> list[Lookalike]:
        """Who looks like somebody with these faces, float32 (k, n); the closest first."""
        looks = [self.gallery.scores(look.direction) for look in templates_of(faces)]
        nearest = {name: max(scores[name] for scores in looks) for name in self.gallery.names}
        return resemblances(nearest.items(), self.model)

    def nearest(self, face: Embedding) -> tuple[str, float] | None:
        """Whose templates one face comes nearest to, and its cosine; None where there is nobody else."""
        scores = self.gallery.scores(face)
        return max(scores.items(), key=lambda item: item[1]) if scores else None


def resemblances(closeness: Iterable[tuple[str, float]], model: ScoreModel) -> list[Lookalike]:
    """Of people and how close they come, those that look alike or the same; the closest first."""
    found = [_resemblance(name, close, model) for name, close in closeness if close >= alike_from(model)]
    return sorted(found, key=lambda one: (-one.closeness, one.name))


def _resemblance(name: str, closeness: float, model: ScoreModel) -> Lookalike:
    chance = max(_MEASURED, model.impostor.chance_of_reaching(closeness, 1))
    step = 10 ** math.floor(math.log10(1 / chance))
    return Lookalike(name, closeness, closeness >= same_from(model), round(1 / chance / step) * step)


def alike_from(model: ScoreModel) -> float:
    """The closeness from which two people are alike: 0.47 with the bundled model; 1 pair in 1,000 reached 0.48."""
    spread = math.sqrt(model.impostor.variance(1))
    return model.impostor.mean + NormalDist().inv_cdf(1 - _ALIKE) * spread


def same_from(model: ScoreModel) -> float:
    """The closeness from which two templates are one person's: a usual single face's score, less one deviation.

    0.73 with the bundled model. Of two templates of one person, 99 in 100 of three pictures each, and 99.5 of five,
    are closer; the closest of 13,203 pairs of different people came to 0.59.
    """
    return model.genuine.mean - math.sqrt(model.genuine.variance(1))


def score_to_lead(second: float, closeness: float, faces: float, chance: float, model: ScoreModel) -> float:
    """The least score of a visit of ``faces`` faces that tells a first name from a second one at ``closeness``.

    Somebody who really is the second, and scores ``second`` on their own templates, reaches it on the first's with no
    more than ``chance``.
    """
    own, near = _held(second), _held(closeness)
    spread = math.sqrt(model.impostor.variance(faces) * (1 - own**2) * (1 - near**2))
    return near * own + NormalDist().inv_cdf(1 - chance) * spread


def _held(cosine: float) -> float:
    return min(1.0, max(0.0, cosine))
