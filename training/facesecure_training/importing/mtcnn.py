"""``facesecure-train import mtcnn``: from the PyPI wheel to pnet, rnet and onet in the daemon's form."""

from __future__ import annotations

import hashlib
import logging
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np

from facesecure.domain.errors import ModelError
from facesecure.util.rounding import apart
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import ModelCard, golden_input
from facesecure_training.common import model_bundle
from facesecure_training.export.convert import to_tflite
from facesecure_training.export.quantise import with_int8_kernels
from facesecure_training.importing.joblib_weights import read_weights
from facesecure_training.networks import mtcnn

log = logging.getLogger(__name__)

# sha256 of the three files in mtcnn 1.0.0: with other weights the cards would be wrong.
_KNOWN = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
_ORIGIN = (
    "weights of the PyPI package mtcnn 1.0.0 by Iván de Paz Centeno, rebuilt in Keras by "
    "facesecure-train import mtcnn; the networks are those of Zhang et al. 2016, https://arxiv.org/abs/1604.02878"
)
_DATASET = "WIDER FACE and CelebA, by the paper; the authors trained the weights"
_GET = f"{sys.executable} -m pip download --no-deps mtcnn==1.0.0, then pass the wheel with --from"


@dataclass(frozen=True, slots=True)
class NetworkExport:
    """How one network is exported; ``precision`` is the one that measured best, see the card's notes."""

    architecture: mtcnn.Architecture
    precision: Literal["mixed8", "dynamic8"]
    task: str
    threshold: float
    golden: tuple[int, int, int, int]


NETWORK_EXPORTS = (
    NetworkExport(mtcnn.PNET, "mixed8", "face-proposal", 0.6, (1, 18, 22, 3)),
    NetworkExport(mtcnn.RNET, "dynamic8", "face-refinement", 0.7, (2, 24, 24, 3)),
    NetworkExport(mtcnn.ONET, "dynamic8", "face-landmarks", 0.8, (1, 48, 48, 3)),
)
_PARITY = {"pnet": 0.15, "rnet": 0.05, "onet": 0.05}
"""Largest differences allowed from Keras; probabilities near a half move most."""
_GOLDEN_TOLERANCE = 0.02
_MEANINGS = {
    "probability": "that the window holds a face, 0 to 1",
    "box": "where the face's left, top, right, bottom lie, as shifts of the window's own edges in window sides",
    "landmarks": (
        "x of eye on the left, eye on the right, nose, mouth corner on the left, mouth corner on the right, "
        "then y of the same five; fractions of the window from its left top"
    ),
}
_NOTES = {
    "pnet": (
        "A window of 12x12 every 2 pixels: row i, column j of the output is the window at (2j, 2i) of the input. "
        "mixed8: 3x3 kernels are int8, activations rounded on the run; a third faster on LiteRT than float32, and on "
        "tflite-runtime slower."
    ),
    "rnet": "Judges 24x24 windows, any number at once. dynamic8: int8 kernels, activations rounded on the run.",
    "onet": "Judges 48x48 windows, any number at once. dynamic8: int8 kernels, activations rounded on the run.",
}


def run(wheel: Path | None, folder: Path, other_python: Path | None = None) -> Iterator[ModelCard]:
    """Rebuild, export, check and write the three networks, yielding each card when it is done.

    ``wheel`` is that of mtcnn 1.0.0; None uses the installed package. Raises ModelError if the weights are not those of
    mtcnn 1.0.0, or an exported file deviates from the Keras model.
    """
    packed = {name: _packed(name, wheel) for name in _KNOWN}
    for recipe in NETWORK_EXPORTS:
        name = recipe.architecture.name
        weights = read_weights(packed[name])
        model = mtcnn.build(recipe.architecture, weights, recipe.golden[:3])
        content = _export(model, recipe)
        facts = _facts(recipe, content, model)
        yield model_bundle.write(folder, content, facts, recipe.golden, _GOLDEN_TOLERANCE, other_python)


def _export(model: Any, recipe: NetworkExport) -> bytes:
    if recipe.precision == "mixed8":  # rounding the tiny 1x1 heads as well would cost more than it saves
        return with_int8_kernels(to_tflite(model, "float32"), lambda kernel: kernel[1] == 3)
    return to_tflite(model, recipe.precision)


def _packed(name: str, wheel: Path | None) -> bytes:
    content = _from_wheel(name, wheel) if wheel else _from_installed(name)
    if hashlib.sha256(content).hexdigest() != _KNOWN[name]:
        raise ModelError(f"{name}.lz4 is not the one of mtcnn 1.0.0", _GET)
    return content


def _from_wheel(name: str, wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(f"mtcnn/assets/weights/{name}.lz4")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"cannot read {name}.lz4 from {wheel}: {error}", _GET) from error


def _from_installed(name: str) -> bytes:
    try:
        located = metadata.distribution("mtcnn").locate_file(f"mtcnn/assets/weights/{name}.lz4")
        return Path(str(located)).read_bytes()
    except (metadata.PackageNotFoundError, OSError) as error:
        raise ModelError("the package mtcnn 1.0.0 is not installed", _GET) from error


def _facts(recipe: NetworkExport, content: bytes, model: Any) -> dict[str, Any]:
    architecture = recipe.architecture
    side = None if architecture is mtcnn.PNET else architecture.side
    heads = {head.channels: head.name for head in architecture.heads}
    graph = Interpreter(content)
    return {
        "name": architecture.name,
        "task": recipe.task,
        "input": {"shape": [None, side, side, 3], "dtype": "uint8", "colour": "RGB"},
        "outputs": [
            {
                "name": heads[tensor.shape[-1]],
                "shape": [None, None if side is None else 1, None if side is None else 1, tensor.shape[-1]],
                "meaning": _MEANINGS[heads[tensor.shape[-1]]],
            }
            for tensor in graph.outputs
        ],
        "precision": recipe.precision,
        "origin": _ORIGIN,
        "licence": "MIT",
        "dataset": _DATASET,
        "thresholds": {"probability": recipe.threshold},
        "parity": [_parity(recipe, graph, model)],
        "notes": _NOTES[architecture.name],
    }


def _parity(recipe: NetworkExport, graph: Interpreter, model: Any) -> dict[str, Any]:
    """Return the largest difference of any output from Keras' over 50 images of squares."""
    worst, samples, tolerance = 0.0, 50, _PARITY[recipe.architecture.name]
    for number in range(samples):
        image = golden_input(recipe.golden, 1 + number % 8, f"parity {number}")
        expected = {output.shape[-1]: np.asarray(output) for output in model(image)}
        for found in graph.invoke(image):
            worst = max(worst, float(np.abs(found - expected[found.shape[-1]]).max()))
    if worst > tolerance:
        apart_by, allowed = apart(worst, tolerance, 3, "g")
        raise ModelError(f"{recipe.architecture.name} differs by {apart_by} from Keras; {allowed} is allowed")
    return {
        "reference": "Keras, float32",
        "measure": "largest absolute difference",
        "value": float(f"{worst:.2g}"),
        "tolerance": tolerance,
        "samples": samples,
    }
