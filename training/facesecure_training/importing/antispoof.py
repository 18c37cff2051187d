"""``facesecure-train import antispoof``: the cards of the two networks that tell a face from a picture of one.

The daemon converts the published weights itself when they are pulled (``vision.inference.conversion``), so that it
needs neither PyTorch nor ONNX; its package holds the cards only. This writes what it will make of them, and compares
that with the published network.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.conversion import minifasnet
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import ModelCard, Parity, golden_input
from facesecure.vision.inference.model_registry import GROUPS, remote_file
from facesecure_training.common import model_bundle

_TOLERANCE = 0.002
"""Largest deviation of a probability of the golden output: XNNPACK rounds differently from machine to machine."""
_SAMPLES = 50
_PARITY = 0.05
"""Largest difference of a probability from the published network, which rounds its activations to 8 bits."""
_TOGETHER = "Judges only together with {}."
_FACTS: dict[str, dict[str, Any]] = {
    "antispoof-minivision": {
        "outputs": [
            {
                "name": "probabilities",
                "shape": [1, 3],
                "meaning": "a picture of one kind, a live face, a picture of another kind",
            }
        ],
        "origin": "minivision-ai/Silent-Face-Anti-Spoofing, resources/anti_spoof_models/2.7_80x80_MiniFASNetV2.pth, "
        "converted by facesecure",
        "dataset": "the publisher's own images of faces and of pictures of faces, not published",
        "notes": "Sees 2.7 times the box of the face. Its batch normalisations and the order of its colours are part "
        f"of the convolutions. {_TOGETHER.format('antispoof-celeba')}",
    },
    "antispoof-celeba": {
        "outputs": [{"name": "probabilities", "shape": [1, 2], "meaning": "a live face, a picture of one"}],
        "origin": "facenox/face-antispoof-onnx (first johnraivenolazo's), models/best_model_quantized.onnx, converted "
        "by facesecure",
        "dataset": "CelebA-Spoof (non-commercial research use)",
        "accuracy": {"celeba_spoof_accuracy": 0.978, "celeba_spoof_roc_auc": 0.9978},
        "notes": "Sees 1.5 times the longer side of the face. Its 8-bit weights are widened to floats. The accuracy is "
        f"the publisher's own figure. {_TOGETHER.format('antispoof-minivision')}",
    },
}


def run(published: Path, into: Path) -> ModelCard:
    """Convert the ``published`` file, and write the model and its card to ``into``; return the card.

    Raises ModelError if it is neither of the two files, or the result differs too much from the published network.
    """
    content = published.read_bytes()
    name = _name_of(hashlib.sha256(content).hexdigest(), published)
    model = (minifasnet.from_onnx if published.suffix == ".onnx" else minifasnet.from_torch)(content)
    card = _card(name, model, _parity(content, model) if published.suffix == ".onnx" else ())
    model_bundle.save(into, card, model)
    return card


def _name_of(sha256: str, published: Path) -> str:
    known = {remote_file(name).sha256: name for name in GROUPS["antispoof"]}
    if sha256 not in known:
        files = " or ".join(remote_file(name).url for name in known.values())
        raise ModelError(f"{published} is neither of the published files: its SHA-256 is {sha256}", f"download {files}")
    return known[sha256]


def _card(name: str, model: bytes, parity: tuple[Parity, ...]) -> ModelCard:
    graph = Interpreter(model)
    shape = tuple(graph.inputs[0].shape)
    (found,) = graph.invoke(model_bundle.golden_squares(shape))  # type: ignore[arg-type]
    return ModelCard.model_validate(
        {
            "name": name,
            "file": f"{name}.tflite",
            "sha256": hashlib.sha256(model).hexdigest(),
            "size": len(model),
            "task": "face-antispoof",
            "input": {"shape": shape},
            "precision": "float32",
            "licence": "Apache-2.0",
            **_FACTS[name],
            "parity": parity,
            "delegation": {graph.runtime: asdict(graph.delegation)},
            "golden": {
                "shape": shape,
                "block": max(4, shape[1] // 8),
                "seed": "facesecure",
                "outputs": [[float(f"{value:.6g}") for value in found.ravel()]],
                "tolerance": _TOLERANCE,
            },
        }
    )


def _parity(published: bytes, model: bytes) -> tuple[Parity, ...]:
    """Compare with ONNX Runtime on smooth images, if it is installed. Raises ModelError if they differ too much."""
    if find_spec("onnxruntime") is None:
        return ()
    import onnxruntime

    session = onnxruntime.InferenceSession(published, providers=["CPUExecutionProvider"])
    graph = Interpreter(model)
    shape: Any = graph.inputs[0].shape
    worst = 0.0
    for seed in range(_SAMPLES):
        image = cv2.resize(golden_input((1, 8, 8, 3), 1, str(seed))[0], shape[1:3], interpolation=cv2.INTER_CUBIC)[None]
        (logits,) = session.run(None, {"input": image.transpose(0, 3, 1, 2).astype(np.float32) / 255})
        wanted = np.exp(logits - logits.max())
        (found,) = graph.invoke(image)
        worst = max(worst, float(np.abs(found - wanted / wanted.sum()).max()))
    if worst > _PARITY:
        raise ModelError(f"a probability differs by {worst:.3f} from ONNX Runtime's", "this is a bug; please report it")
    measure = "largest difference of a probability"
    return (
        Parity(reference="ONNX Runtime", measure=measure, value=round(worst, 4), tolerance=_PARITY, samples=_SAMPLES),
    )
