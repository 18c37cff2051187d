"""A classifier of 2 KB: a red face is Anna's, a green one Tom's, any other is unknown.

``PYTHONPATH=tests python -m support.training.colour_classifier`` makes the two files again, with the [training] extra.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from facesecure.domain import Image
from facesecure.vision.images.align import ALIGNMENT, CROP
from facesecure.vision.inference.model_card import ModelCard

FOLDER = Path(__file__).with_name("models")
LABELS = ("Anna", "Tom", "unknown")
SIZES = {"colour-aligned": 112, "colour-loose": 64}
NARROW = {"mean": -0.5, "sd_between": 0.05, "sd_within": 0.05}
SURE = {"genuine": {"mean": 0.4, "sd_between": 0.05, "sd_within": 0.05}, "impostor": NARROW}
WIDE = {"genuine": SURE["genuine"], "impostor": {"mean": -0.2, "sd_between": 0.3, "sd_within": 0.2}}


def coloured(red: int, green: int, blue: int, size: int = 112) -> Image:
    """A face of one colour."""
    import numpy as np

    return np.full((size, size, 3), (red, green, blue), np.uint8)


RED, GREEN, BLUE = coloured(200, 40, 40), coloured(40, 200, 40), coloured(40, 40, 200)


def classifier_in(
    folder: Path, *, loose: bool = False, classifier: dict[str, Any] | None = None, **fields: Any
) -> Path:
    """Put the classifier into ``folder`` with a card; what is given replaces its fields. Returns the .tflite's path."""
    name = "colour-loose" if loose else "colour-aligned"
    content = (FOLDER / f"{name}.tflite").read_bytes()
    crop = {"version": CROP, "margin": 0.25, "detector": "mtcnn"} if loose else None
    facts = {
        "unknown": ["unknown"],
        "crop": crop,
        "scores": {"Anna": SURE, "Tom": SURE},
        "strangers": 100,
        "faces": 300,
        "dataset": "colours",
        **(classifier or {}),
    }
    card = {
        "name": "colours",
        "file": "colours.tflite",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "task": "face-classification",
        "input": {"shape": [1, SIZES[name], SIZES[name], 3]},
        "outputs": [{"name": "probabilities", "shape": [1, 3], "meaning": "of each label"}],
        "precision": "float32",
        "origin": "tests",
        "licence": "Apache-2.0",
        "dataset": "none",
        "alignment": None if loose else ALIGNMENT,
        "labels": LABELS,
        "thresholds": {"unknown": 0.1},
        "classifier": facts,
        **fields,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "colours.tflite").write_bytes(content)
    (folder / "colours.json").write_text(ModelCard.model_validate(card).model_dump_json(exclude_none=True))
    return folder / "colours.tflite"


def _network(size: int) -> Any:
    """Mean colour, then one dense layer whose weights say the above."""
    import numpy as np

    from facesecure_training.common.optional_dependencies import tensorflow

    keras = tensorflow().keras
    picture = keras.Input(batch_shape=(1, size, size, 3), dtype="uint8")
    mean = keras.layers.AveragePooling2D(size)(keras.layers.Rescaling(1 / 255)(picture))
    dense = keras.layers.Dense(3, activation="softmax")
    model = keras.Model(picture, dense(keras.layers.Reshape((3,))(mean)))
    weights = np.array([[16, -16, 0], [-16, 16, 0], [-8, -8, 16]], np.float32)
    dense.set_weights([weights, np.zeros(3, np.float32)])
    return model


def make() -> None:
    """Write the two files."""
    from facesecure_training.export.convert import to_tflite

    for name, size in SIZES.items():
        (FOLDER / f"{name}.tflite").write_bytes(to_tflite(_network(size), "float32"))


if __name__ == "__main__":
    make()
