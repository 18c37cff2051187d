"""Compare a face with the earlier faces of one visit, by the same model of scores by which people are named."""

from __future__ import annotations

import numpy as np

from facesecure.domain import AlignedFace, Recognition
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.score_model import ScoreModel


def log_likelihood_of_same(
    scores: ScoreModel | None, earlier: Evidence, face: AlignedFace, recognition: Recognition
) -> float | None:
    """Return log p(face | the same person) / p(face | another person), in nats; None if they cannot be compared.

    The face is compared with the mean of the earlier ones, as with a person's template. What makes either unclear
    lowers the similarity that is expected of the same person. Faces of one visit share light and camera and are more
    alike than the model says: it errs towards another person where a face is only half alike.
    """
    mean = earlier.mean_face
    if scores is None or mean is None or recognition.embedding is None or mean.shape != recognition.embedding.shape:
        return None
    clarity = earlier.faces.clarity * face.quality.clarity
    return scores.log_likelihood_ratio(float(np.dot(mean, recognition.embedding)), 1.0, clarity)
