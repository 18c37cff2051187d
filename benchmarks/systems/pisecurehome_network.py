"""Build PiSecureHome's network with random weights as float TFLite: 217 MB, for the benchmark's cache only.

    python -m benchmarks.systems.pisecurehome_network OUT.tflite

3x3 convolutions ("same", ReLU) of 32 | 64 x 2 | 128 x 3 | 256 x 3 filters with 2x2 pooling after each group, dense
1024, 1024 and 2, on 224x224 RGB. Needs TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PARAMETERS = 54_333_570
_GROUPS = ((32,), (64, 64), (128, 128, 128), (256, 256, 256))


def network() -> Any:
    """Return the Keras model. Raises ValueError if its size differs from the reported one."""
    from keras import Sequential, layers

    model = Sequential([layers.Input((224, 224, 3), batch_size=1)])
    for group in _GROUPS:
        for filters in group:
            model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Reshape((14 * 14 * 256,)))
    for width in (1024, 1024):
        model.add(layers.Dense(width, activation="relu"))
    model.add(layers.Dense(2, activation="softmax"))
    if model.count_params() != PARAMETERS:
        raise ValueError(f"{model.count_params()} parameters, not {PARAMETERS}")
    return model


def export(path: Path) -> None:
    """Write the network; the file appears complete or not at all."""
    import tensorflow as tf

    packed = tf.lite.TFLiteConverter.from_keras_model(network()).convert()
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(packed)
    unfinished.rename(path)


if __name__ == "__main__":
    export(Path(sys.argv[1]))
