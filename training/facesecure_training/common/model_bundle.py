"""Writes a model as the daemon reads it: NAME.tflite and its card NAME.json, with golden output and node counts."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError
from facesecure.util.files import replace_file
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import ModelCard, golden_input, load_model
from facesecure_training.common.disk_errors import writing

_COUNT = (
    "import sys, json, dataclasses; from facesecure.vision.inference.interpreter import Interpreter; "
    "print(json.dumps(dataclasses.asdict(Interpreter(sys.stdin.buffer.read()).delegation)))"
)
_GOLDEN_SEED = "facesecure"


def write(
    folder: Path,
    content: bytes,
    facts: Mapping[str, Any],
    golden_shape: tuple[int, int, int, int],
    golden_tolerance: float,
    other_python: Path | None = None,
    *,
    every: int = 1,
) -> ModelCard:
    """Write the model and its card to ``folder``, and read them back with the daemon's own loader.

    ``facts`` are the card's fields that are not computed here; the delegation is computed only if it is missing there.
    ``other_python`` is the interpreter of an environment with tflite-runtime, to count what XNNPACK delegates there.
    ``every``: of the golden output only each number that is a multiple of it is kept.
    """
    name = facts["name"]
    graph = Interpreter(content, input_shape=golden_shape)
    outputs = graph.invoke(golden_squares(golden_shape))
    digest = hashlib.sha256(content).hexdigest()
    card = ModelCard.model_validate(
        {
            "delegation": _delegation(content, other_python) if "delegation" not in facts else {},
            **facts,
            **_measured(folder / f"{name}.json", digest),
            "file": f"{name}.tflite",
            "sha256": digest,
            "size": len(content),
            "golden": {
                "shape": golden_shape,
                "block": _block(golden_shape),
                "seed": _GOLDEN_SEED,
                "outputs": [[float(f"{value:.6g}") for value in output.ravel()[::every]] for output in outputs],
                "tolerance": golden_tolerance,
                **({"every": every} if every > 1 else {}),
            },
        }
    )
    save(folder, card, content)
    load_model(folder / card.file).verify()
    return card


def golden_squares(shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Return the golden input of a model with input ``shape``."""
    return golden_input(shape, _block(shape), _GOLDEN_SEED)


def _block(shape: tuple[int, int, int, int]) -> int:
    return max(4, shape[1] // 8)


def _measured(card: Path, digest: str) -> dict[str, Any]:
    """Return what `evaluate --write-card` measured of the same bytes before; nothing if the bytes differ."""
    old = json.loads(card.read_text()) if card.exists() else {}
    fields = (
        "accuracy",
        "score_model",
        "impostor_quantiles",
        "genuine_quantiles",
        "strangers",
        "thresholds",
        "personhood",
        "classifier",
    )
    return {key: old[key] for key in fields if key in old} if old.get("sha256") == digest else {}


def save(folder: Path, card: ModelCard, content: bytes | None = None) -> None:
    """Write ``card``, and the model's bytes if given, each atomically. Raises FacesecureError if they cannot be."""
    document = card.model_dump(mode="json", exclude_none=True)
    with writing(folder / card.file):
        folder.mkdir(parents=True, exist_ok=True)
        if content is not None:
            replace_file(folder / card.file, content)
        replace_file((folder / card.file).with_suffix(".json"), (_compact(document) + "\n").encode())


def _compact(document: dict[str, Any]) -> str:
    """Format a card with one line per field: a golden output of 192 numbers should not take 192 lines."""
    filled = {key: value for key, value in document.items() if value not in ({}, [], "")}
    fields = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in filled.items())
    return "{\n" + ",\n".join(fields) + "\n}"


def _delegation(content: bytes, other_python: Path | None) -> dict[str, Any]:
    graph = Interpreter(content)
    counts: dict[str, Any] = {graph.runtime: asdict(graph.delegation)}
    if other_python:
        environment = {**os.environ, "FACESECURE_RUNTIME": "tflite-runtime"}
        found = subprocess.run(
            [other_python, "-c", _COUNT], input=content, env=environment, capture_output=True, check=False
        )
        if found.returncode:
            last = found.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise FacesecureError(
                f"counting on tflite-runtime failed: {' '.join(last)}",
                f"install facesecure[tflite-runtime] for {other_python}",
            )
        counts["tflite-runtime"] = json.loads(found.stdout)
    return counts
