"""The folder of a training.

It holds::

    config.json    every setting, the seed, the classes and the versions it ran with
    batch.png      a batch as the network sees it
    state.npz      the state to resume from
    best.keras     the best network so far, by validation
    curves.csv     one line per epoch
    curves.png     the same as a chart
    events/        the same for TensorBoard
"""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure.util.installing import found
from facesecure_training.common.optional_dependencies import pyplot, tensorflow
from facesecure_training.recipes.checkpoint import EpochRow
from facesecure_training.recipes.settings import TrainingSettings, read_config


class Stored(Protocol):
    """Settings that config.json keeps."""

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON stores them."""


class RunFolder:
    """The folder of one training; its files are replaced atomically, so that a reader never sees half of one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.state = path / "state.npz"
        self.best = path / "best.keras"
        self.batch = path / "batch.png"
        self.curves = path / "curves.csv"
        self.chart = path / "curves.png"
        self.events = path / "events"

    @property
    def used(self) -> bool:
        """Whether it holds a run."""
        return self.config.exists()

    def refuse_if_used(self) -> None:
        """Raise UsageError if the folder holds a run."""
        if self.used:
            raise UsageError(f"{self.path} already holds a run", "add --resume to continue it, or choose another --out")

    def begin(self, kind: str, settings: Stored, facts: Mapping[str, Any]) -> None:
        """Create the folder with its config.json. Raises UsageError if it holds a run, or cannot be created."""
        self.refuse_if_used()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make {self.path}: {error.strerror}", "choose another --out") from None
        document = {"kind": kind, "settings": settings.to_json(), **facts, "versions": _versions()}
        self._write(self.config, json.dumps(document, indent=2).encode())

    def read_config(self) -> dict[str, Any]:
        """Return the content of config.json. Raises UsageError if there is no run, FacesecureError if it is damaged."""
        if not self.used:
            raise UsageError(f"there is no run in {self.path} to resume", "omit --resume to begin one")
        return read_config(self.config)

    def read_settings(self, kind: str, settings: type[TrainingSettings]) -> TrainingSettings:
        """Return the settings the run began with. Raises UsageError if there is no run, or one of another kind."""
        document = self.read_config()
        if document.get("kind") != kind:
            raise UsageError(f"the run in {self.path} trains {document.get('kind')}", f"train {document.get('kind')}")
        return settings.from_json(document["settings"])

    def save_batch(self, images: NDArray[np.uint8]) -> None:
        """Write a sheet of ``images``, uint8 RGB (n, h, w, 3), as batch.png."""
        _, encoded = cv2.imencode(".png", image_sheet(images)[:, :, ::-1])
        self._write(self.batch, encoded.tobytes())

    def save_best(self, network: Any) -> None:
        """Write ``network`` as best.keras."""
        beside = self.path / "best.writing.keras"
        network.save(beside)
        beside.replace(self.best)

    def save_curves(self, history: Sequence[EpochRow]) -> None:
        """Write curves.csv and, where matplotlib is installed, curves.png."""
        if not history:
            return
        text = io.StringIO()
        table = csv.DictWriter(text, list(history[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(history)
        self._write(self.curves, text.getvalue().encode())
        if found("matplotlib"):
            _chart(self.chart, history)

    def _write(self, path: Path, content: bytes) -> None:
        beside = path.with_suffix(".writing")
        beside.write_bytes(content)
        beside.replace(path)


def image_sheet(images: NDArray[np.uint8], most: int = 32) -> NDArray[np.uint8]:
    """Return up to ``most`` of ``images`` (n, h, w, 3) side by side, at most eight per row."""
    some = images[:most]
    across = min(8, len(some))
    rows = -(-len(some) // across)
    height, width = some.shape[1:3]
    canvas = np.full((rows * height, across * width, 3), 255, np.uint8)
    for number, picture in enumerate(some):
        top, left = number // across * height, number % across * width
        canvas[top : top + height, left : left + width] = picture
    return canvas


class TensorBoardEvents:
    """Writes figures and images for TensorBoard, which need not be installed."""

    def __init__(self, folder: Path) -> None:
        self._writer = tensorflow().summary.create_file_writer(str(folder))

    def numbers(self, row: EpochRow, epoch: int) -> None:
        """Write the figures of an epoch."""
        tf = tensorflow()
        with self._writer.as_default(step=epoch):
            for name, value in row.items():
                tf.summary.write(name, tf.constant(value, tf.float32), metadata=_kind("scalars"))
        self._writer.flush()

    def picture(self, name: str, image: NDArray[np.uint8]) -> None:
        """Write ``image``, uint8 RGB (h, w, 3)."""
        tf = tensorflow()
        height, width = image.shape[:2]
        with self._writer.as_default(step=0):
            parts = [str(width), str(height), tf.io.encode_png(image)]
            tf.summary.write(name, tf.stack([tf.convert_to_tensor(part) for part in parts]), metadata=_kind("images"))

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def _kind(plugin: str) -> Any:
    from tensorflow.core.framework.summary_pb2 import SummaryMetadata

    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin))


def _versions() -> dict[str, str]:
    tf = tensorflow()
    return {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": tf.keras.__version__}


def _chart(path: Path, history: Sequence[EpochRow]) -> None:
    """Draw losses on the left, and what is measured in validation on the right."""
    plots = pyplot()
    losses = [name for name in history[0] if name.endswith("loss")]
    others = [name for name in history[0] if name.startswith("val_") and name not in losses]
    figure, places = plots.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for axes, names in zip(places, (losses, others), strict=True):
        for name in names:
            axes.plot([row["epoch"] for row in history], [row[name] for row in history], label=name)
        axes.set(xlabel="epoch")
        axes.grid(alpha=0.3)
        if names:
            axes.legend()
    beside = path.with_suffix(".writing.png")
    figure.savefig(beside, dpi=100)
    plots.close(figure)
    beside.replace(path)
