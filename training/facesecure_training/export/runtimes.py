"""Runs a file on each TFLite runtime, in a process of its own: outputs, time and delegation.

tflite-runtime crashes beside TensorFlow, and timings beside it would include TensorFlow's threads. Run as a module,
this file is that process: an .npz on stdin (content, images), another on stdout.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import FacesecureError, ModelError
from facesecure.vision.inference.interpreter import RUNTIME_VARIABLE, Delegation, Interpreter

OTHER = "tflite-runtime"
_RUNS, _WHILE, _SECONDS = 40, 0.25, 2.0
"""A time is of so many images at least, for so many seconds at least, unless they take so many seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class RuntimeReading:
    """What one runtime returned: ``outputs`` (n, size), float32, one row per image, and the median time per image."""

    runtime: str
    outputs: NDArray[np.float32]
    milliseconds: float
    delegation: Delegation


def read(content: bytes, images: Image, python: Path | None = None) -> RuntimeReading:
    """Run ``content`` on ``images`` (n, h, w, 3), one by one on one thread, in a new process.

    Uses the runtime of this environment; with ``python``, tflite-runtime in the environment of that interpreter. Raises
    ModelError, with the runtime's message, if it refuses the file; FacesecureError if there is no such runtime.
    """
    sent = io.BytesIO()
    np.savez(sent, content=np.frombuffer(content, np.uint8), images=images)
    environment = {**os.environ, RUNTIME_VARIABLE: OTHER if python else "litert"}
    command = [str(python or sys.executable), "-m", __name__]
    try:
        done = subprocess.run(command, input=sent.getvalue(), env=environment, capture_output=True, check=False)
    except OSError as error:
        raise FacesecureError(f"cannot run {python}: {error.strerror}", "pass --other-python .../bin/python") from error
    if done.returncode:
        raise _failure(done.stderr.decode(errors="replace"), python)
    with np.load(io.BytesIO(done.stdout)) as found:
        counts = Delegation(*(int(count) for count in found["delegation"]))
        return RuntimeReading(str(found["runtime"]), found["outputs"], float(found["milliseconds"]), counts)


def _failure(stderr: str, python: Path | None) -> FacesecureError:
    message = (stderr.strip().splitlines() or ["it ended without a message"])[-1].removeprefix("refused: ")
    if "refused: " in stderr:
        return ModelError(message, "choose another --form; `--form float16` runs everywhere")
    hint = f"install facesecure[tflite-runtime] for {python}" if python else "install facesecure[training]"
    return FacesecureError(f"the runtime could not be run: {message}", hint)


def other_python(given: Path | None) -> Path | None:
    """Return the Python with tflite-runtime: ``given``, or that of .venv-tflite, or None if there is none."""
    usual = Path(".venv-tflite/bin/python")
    return given or (usual.absolute() if usual.exists() else None)


def main() -> None:
    """Run the process: read stdin, invoke the model, write stdout."""
    with np.load(io.BytesIO(sys.stdin.buffer.read())) as sent:
        content, images = sent["content"].tobytes(), sent["images"]
    try:
        graph = Interpreter(content)
    except ModelError as error:
        sys.stderr.write(f"refused: {error.message}\n")
        sys.exit(1)
    rows = [_flat(graph.invoke(image[None])) for image in images]
    answer = io.BytesIO()
    counts = graph.delegation
    np.savez(
        answer,
        runtime=graph.runtime,
        outputs=np.stack(rows),
        milliseconds=_milliseconds(graph, images[:1]),
        delegation=[counts.nodes, counts.delegated, counts.partitions],
    )
    sys.stdout.buffer.write(answer.getvalue())


def _flat(outputs: tuple[NDArray[np.generic], ...]) -> NDArray[np.float32]:
    return np.concatenate([np.asarray(output, np.float32).ravel() for output in outputs])


def _milliseconds(graph: Interpreter, image: Image) -> float:
    """Return the median time of one image; the images before it have warmed the model up."""
    taken: list[float] = []
    while (len(taken) < _RUNS or sum(taken) < _WHILE) and sum(taken) < _SECONDS:
        start = time.perf_counter()
        graph.invoke(image)
        taken.append(time.perf_counter() - start)
    return 1000 * median(taken)


if __name__ == "__main__":
    main()
