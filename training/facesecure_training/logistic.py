"""Logistic regression with a ridge, by Newton's method; a few hundred weights need nothing bigger."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_STEPS = 40
_SMALL = 1e-5


def fit(points: Matrix, truth: NDArray[np.bool_], ridge: float) -> Matrix:
    """Weights (n + 1,), the bias last, for ``points`` (k, n); both classes together weigh one half each.

    ``ridge`` is the penalty on half the weights' squares; the bias is free.
    """
    rows = np.hstack([points, np.ones((len(points), 1))])
    share = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
    penalty = np.diag([ridge] * points.shape[1] + [0.0])
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (share * (chance - truth)) + penalty @ weights
        bend = (rows * (share * chance * (1 - chance))[:, None]).T @ rows + penalty
        step = np.linalg.solve(bend + 1e-12 * np.eye(len(bend)), slope)
        weights -= step
        if np.abs(step).max() < _SMALL * np.abs(weights).max():
            break
    return weights


def log_odds(points: Matrix, weights: Matrix) -> Matrix:
    """(k,) for ``points`` (k, n)."""
    return np.asarray(points @ weights[:-1] + weights[-1], np.float64)
