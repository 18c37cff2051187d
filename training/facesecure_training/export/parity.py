"""How closely an exported file reproduces the Keras model it was made of, and how closely it must."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError
from facesecure.util.rounding import apart
from facesecure_training.export.convert import Precision

Outputs = NDArray[np.float32]
OutputKind = Literal["classification", "direction", "point"]

MEASURES: Mapping[OutputKind, str] = {
    "classification": "largest difference of a probability",
    "direction": "least cosine",
    "point": "largest error, of the mean distance between two pictures",
}
# Of a head on the bundled embedder in mixed8, 0.06 was measured on 200 faces, of which 99 % kept their likeliest class;
# the daemon's threshold is chosen on the file itself, after this.
_REQUIRED: Mapping[OutputKind, Mapping[Precision, float]] = {
    "classification": {
        "float32": 1e-4,
        "float16": 0.005,
        "dynamic8": 0.05,
        "mixed8": 0.1,
        "int8": 0.15,
        "edgetpu": 0.15,
    },
    "direction": {
        "float32": 0.99999,
        "float16": 0.9999,
        "dynamic8": 0.99,
        "mixed8": 0.99,
        "int8": 0.95,
        "edgetpu": 0.95,
    },
    "point": {"float32": 1e-3, "float16": 0.01, "dynamic8": 0.1, "mixed8": 0.1, "int8": 0.25, "edgetpu": 0.25},
}


@dataclass(frozen=True, slots=True)
class Proof:
    """The worst of ``samples`` images, by the kind's measure; ``tolerance`` is what is required."""

    kind: OutputKind
    value: float
    tolerance: float
    samples: int

    @property
    def holds(self) -> bool:
        """Whether the value is within the tolerance."""
        return self.value >= self.tolerance if self.kind == "direction" else self.value <= self.tolerance

    def as_card(self, reference: str) -> dict[str, Any]:
        """Return the fields of a model card, compared with ``reference``."""
        return {
            "reference": reference,
            "measure": MEASURES[self.kind],
            "value": float(f"{self.value:.6f}"),
            "tolerance": self.tolerance,
            "samples": self.samples,
        }


def output_kind(outputs: Outputs, classes: bool) -> OutputKind:
    """Return the kind of a network's outputs (n, size).

    With ``classes`` they are probabilities; vectors that all have length 1 are directions; others are points.
    """
    if classes:
        return "classification"
    lengths = np.linalg.norm(outputs.astype(np.float64), axis=1)
    return "direction" if bool(np.all(np.abs(lengths - 1) < 1e-3)) else "point"


def prove(
    kind: OutputKind, precision: Precision, keras: Outputs, found: Outputs, tolerance: float | None = None
) -> Proof:
    """Compare outputs (n, size), row by row; ``tolerance`` replaces the form's own if given."""
    required = _REQUIRED[kind][precision] if tolerance is None else tolerance
    return Proof(kind, _worst(kind, keras.astype(np.float64), found.astype(np.float64)), required, len(keras))


def require(proof: Proof, where: str) -> None:
    """Raise ModelError unless the proof holds."""
    if not proof.holds:
        found, required = apart(proof.value, proof.tolerance, 4, "g")
        raise ModelError(
            f"{where} deviates from Keras: {MEASURES[proof.kind]} is {found}, {required} is required",
            "use a form with more bits, or accept it with --tolerance after evaluating that file",
        )


def _worst(kind: OutputKind, keras: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    if kind == "classification":
        return float(np.abs(keras - found).max())
    if kind == "direction":
        lengths = np.linalg.norm(keras, axis=1) * np.linalg.norm(found, axis=1)
        return float(((keras * found).sum(1) / np.maximum(lengths, 1e-12)).min())
    return float(np.linalg.norm(keras - found, axis=1).max() / max(_mean_distance(keras), 1e-12))


def _mean_distance(points: NDArray[np.float64]) -> float:
    """Return the mean distance between two rows: the scale on which an error matters."""
    count = len(points)
    if count < 2:
        return float(np.linalg.norm(points))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    return float(distances.sum() / (count * (count - 1)))
