"""The program of the process in which a delegate is tried: it may crash or hang, and the daemon goes on."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.vision.inference.backend import Backend
from facesecure.vision.inference.interpreter import Interpreter


def main(answers: int) -> None:
    """Run each model of the request on standard input once, and write a line about each to the descriptor ``answers``.

    Each line is written at once, so that those before a crash are not lost.
    """
    request = json.load(sys.stdin)
    backend = Backend(request["threads"], Path(request["delegate"]))
    for model in request["models"]:
        os.write(answers, json.dumps(_tried(model, backend)).encode() + b"\n")


def _tried(model: dict[str, Any], backend: Backend) -> dict[str, Any]:
    """Return what the delegate took of ``model``, its outputs for the given input, or why it refuses it."""
    shape = tuple(model["shape"])
    image = np.frombuffer(base64.b64decode(model["input"]), np.dtype(model["dtype"])).reshape(shape)
    graph = Interpreter(base64.b64decode(model["content"]), backend, input_shape=shape)
    outputs = graph.invoke(image)
    taken = graph.accelerated
    return {
        "refusal": graph.refusal,
        "taken": None if taken is None else [taken.nodes, taken.delegated, taken.partitions],
        "outputs": [output.ravel().tolist() for output in outputs],
    }
