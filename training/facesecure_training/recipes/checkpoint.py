"""The complete state of a training, in one file that is written atomically.

What is drawn at random (order, augmentation) depends on the seed and the epoch's number, so that the position is
enough; dropout's generators are among the network's variables.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError
from facesecure_training.common.npz import DAMAGED
from facesecure_training.common.optional_dependencies import tensorflow

_PROGRESS = "progress"
EpochRow = dict[str, float]


@dataclass
class TrainingProgress:
    """Progress of a training: ``epoch`` complete ones, and ``step`` steps of the next with ``losses`` in sum."""

    epoch: int = 0
    step: int = 0
    losses: float = 0.0
    history: list[EpochRow] = field(default_factory=list)
    best: float | None = None
    best_epoch: int = 0
    finished: str = ""
    """Why the training is finished; empty while it is not."""


def numpy(variable: Any) -> NDArray[Any]:
    """Return the value of a Keras variable or a tensor; of a mirrored variable, that of the first device."""
    return np.asarray(tensorflow().convert_to_tensor(getattr(variable, "value", variable)))


def save(path: Path, variables: Sequence[Any], progress: TrainingProgress) -> None:
    """Write the values of ``variables``, and ``progress``, to ``path``, surviving a crash at any time."""
    arrays: dict[str, Any] = {f"v{number:05}": numpy(variable) for number, variable in enumerate(variables)}
    arrays[_PROGRESS] = np.frombuffer(json.dumps(asdict(progress)).encode(), np.uint8)
    beside = path.with_suffix(".writing")
    with beside.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def kept(path: Path) -> str:
    """Return what ``path`` holds, for people: "epoch 3 and 12 steps of epoch 4"; "" if it cannot be read."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            progress = _progress(found)
    except DAMAGED:
        return ""
    steps = f"{progress.step} steps of epoch {progress.epoch + 1}" if progress.step else ""
    epochs = f"{progress.epoch} complete epoch{'s' if progress.epoch > 1 else ''}" if progress.epoch else ""
    return " and ".join(part for part in (epochs, steps) if part)


def _progress(found: Any) -> TrainingProgress:
    return TrainingProgress(**json.loads(found[_PROGRESS].tobytes()))


def _read(path: Path) -> tuple[TrainingProgress, list[NDArray[Any]]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise FacesecureError(f"{path} cannot be read ({error.strerror})", "check its permissions") from None
    try:
        with file, np.load(file, allow_pickle=False) as found:
            return _progress(found), [found[name] for name in sorted(found.files) if name != _PROGRESS]
    except DAMAGED:
        raise FacesecureError(
            f"{path} is damaged", "restore it from a copy, or begin the training again in another --out"
        ) from None


def load(path: Path, variables: Sequence[Any]) -> TrainingProgress:
    """Restore ``variables`` from ``path``, and return the progress.

    Raises FacesecureError if the file cannot be read, is damaged, or is another network's.
    """
    progress, arrays = _read(path)
    if [tuple(variable.shape) for variable in variables] != [array.shape for array in arrays]:
        raise FacesecureError(f"{path} holds another network's weights", "resume with the version that began the run")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return progress
