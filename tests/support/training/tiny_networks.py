"""Networks of a few layers, for tests that convert and measure real ones."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facesecure.domain import Image

OTHER_PYTHON = Path(__file__).resolve().parents[3] / ".venv-tflite/bin/python"
SIDE = 32


def classifier(classes: int = 3, side: int = SIDE) -> Any:
    """Has a Flatten and a dense layer: the two that exports are refused for."""
    keras, image, x = _body(side)
    x = keras.layers.Flatten()(x)
    return keras.Model(image, keras.layers.Dense(classes, activation="softmax")(x), name="tiny_classifier")


def embedder(unit: bool = True, side: int = SIDE) -> Any:
    keras, image, x = _body(side)
    x = keras.layers.Dense(16)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, keras.layers.UnitNormalization()(x) if unit else x, name="tiny_embedder")


def _body(side: int) -> tuple[Any, Any, Any]:
    from facesecure_training.common.optional_dependencies import tensorflow

    keras = tensorflow().keras
    keras.utils.set_random_seed(3)
    image = keras.Input((side, side, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.Conv2D(8, 3, activation="relu", padding="same")(x)
    x = keras.layers.BatchNormalization()(x)
    return keras, image, keras.layers.MaxPooling2D(4)(x)


def saved(model: Any, path: Path) -> Path:
    """Save ``model`` at ``path``; Keras 3.15 warns of numpy 2 when it reads its own weights."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy keyword")
        model.save(path)
    return path


def crops(folder: Path, count: int = 12, side: int = SIDE) -> Path:
    """``count`` smooth coloured pictures in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(5)
    for number in range(count):
        small = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:03}.png"), cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR))
    return folder


def portrait_crop() -> Image:
    """An aligned face, uint8 RGB (112, 112, 3)."""
    from facesecure_training.export.samples import shipped_faces

    return shipped_faces()[0]
