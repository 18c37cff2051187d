"""Compare a face with the earlier faces of one visit, by the same model of scores by which people are named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facesecure.domain import AlignedFace, Recognition
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.score_model import ScoreModel

_LIKE_OTHERS = 0.05
"""Share of pairs of different people that are more alike than those that count as unlike."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """``ratio``: log p(face | the same person) / p(face | another person), in nats.

    ``unlike``: whether the two are no more alike than different people usually are.
    """

    ratio: float
    unlike: bool


def likeness(
    scores: ScoreModel | None, earlier: Evidence, face: AlignedFace, recognition: Recognition
) -> Likeness | None:
    """Return how alike ``face`` is to the earlier faces of a visit; None if they cannot be compared.

    The face is compared with the mean of the earlier ones, as with a person's template. What makes either unclear
    lowers the similarity that is expected of the same person. Faces of one visit share light and camera and are more
    alike than the model says: it errs towards another person where a face is only half alike.
    """
    mean = earlier.mean_face
    if scores is None or mean is None or recognition.embedding is None or mean.shape != recognition.embedding.shape:
        return None
    clarity = earlier.faces.clarity * face.quality.clarity
    score = float(np.dot(mean, recognition.embedding))
    unlike = score <= scores.impostor.score_reached_with(_LIKE_OTHERS, 1.0)
    return Likeness(scores.log_likelihood_ratio(score, 1.0, clarity), unlike)
