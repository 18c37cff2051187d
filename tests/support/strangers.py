"""People drawn from a known distribution of embeddings, so that what is asked can be compared with what is got."""

from __future__ import annotations

import numpy as np

from facesecure.recognition.calibration import Calibration
from facesecure.recognition.calibrator import Calibrator, HouseholdMember, total
from facesecure.recognition.impostor_model import GaussianImpostors
from facesecure.recognition.score_model import ScoreDistribution, ScoreModel
from facesecure.recognition.templates import template_of
from support.builders import NOON

SIZE = 32
_SPREAD = np.linspace(1.6, 0.4, SIZE)
MODEL = GaussianImpostors(
    means=np.eye(SIZE)[:1] * 0.1,
    between=np.diag(_SPREAD) * 0.7 / SIZE,
    within=np.eye(SIZE) * 0.25 / SIZE,
    people=5000,
    error=0.02,
    shift=0.02,
)
"""Strangers are commonest along the first axis and rarest along the last."""
GENUINE = ScoreDistribution(0.83, 0.04, 0.085)
SCORES = ScoreModel(GENUINE, ScoreDistribution(0.02, 0.15, 0.09))


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def towards(axis: int) -> np.ndarray:
    """float32 (1, SIZE): the template that lies on an axis."""
    return np.eye(SIZE, dtype=np.float32)[axis][None]


def visits(count: int, faces: int = 1, seed: int = 0) -> np.ndarray:
    """Embeddings (count, faces, SIZE) of strangers, as the model says."""
    random = np.random.default_rng(seed)
    who = MODEL.means[0] + random.standard_normal((count, 1, SIZE)) * np.sqrt(np.diag(MODEL.between))
    return np.asarray(who + random.standard_normal((count, faces, SIZE)) * np.sqrt(0.25 / SIZE))


def member(name: str, like: np.ndarray, faces: int = 5, noise: float = 0.55, seed: int = 0) -> HouseholdMember:
    """Somebody with pictures scattered around ``like`` (SIZE,)."""
    random = np.random.default_rng(seed)
    found = unit(unit(like) + noise * random.standard_normal((faces, SIZE)) / np.sqrt(SIZE))
    return HouseholdMember(name, found, template_of(found)[None])


def calibrator(false_accept: float = 1e-3) -> Calibrator:
    return Calibrator(MODEL, SCORES, false_accept)


def calibrated_household(
    *members: HouseholdMember, false_accept: float = 1e-3, model_sha256: str = "a" * 64
) -> Calibration:
    """What ``facesecure calibrate`` would keep of them."""
    people = calibrator(false_accept).calibrate(members)
    return Calibration(
        model_sha256=model_sha256,
        people_revision=1,
        made_at=NOON,
        false_accept=false_accept,
        strangers_marked=0,
        false_accepts=total([person.false_accepts for person in people.values()]),
        people=people,
    )
