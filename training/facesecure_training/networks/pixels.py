"""What every network shares: byte images as input, and static shapes for the export."""

from __future__ import annotations

from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow


def image_input(side: int) -> Any:
    """Return a Keras input: uint8 RGB (batch, side, side, 3)."""
    return tensorflow().keras.Input((side, side, 3), dtype="uint8", name="picture")


def zero_to_one(pixels: Any) -> Any:
    """Scale 0..255 to 0..1, as the report's classifier was fed."""
    return tensorflow().keras.layers.Rescaling(1 / 255, name="zero_to_one")(pixels)


def minus_one_to_one(pixels: Any) -> Any:
    """Scale 0..255 to -1..1: zero mean suits a network that pads with zeros."""
    return tensorflow().keras.layers.Rescaling(1 / 127.5, offset=-1, name="minus_one_to_one")(pixels)


def unit_length(vectors: Any, name: str = "embedding") -> Any:
    """Scale vectors (batch, n) to Euclidean length 1, in float32 whatever precision the network computes in."""
    keras = tensorflow().keras
    return keras.layers.UnitNormalization(axis=-1, dtype="float32", name=name)(vectors)


def scaled(filters: int, width: float) -> int:
    """Return ``filters`` times ``width``, rounded to a multiple of 8 (which suits XNNPACK's kernels), at least 8."""
    if width == 1:
        return filters
    return max(8, 8 * round(filters * width / 8))


def require_at_least(given: int, least: int, what: str) -> None:
    """Raise UsageError if ``given`` is below ``least``."""
    if given < least:
        raise UsageError(f"{what} is {given}", f"it must be {least} or more")


def fixed_batch(model: Any, batch: int = 1) -> Any:
    """Return the same network with the same weights for batches of exactly ``batch``.

    Call it before an export: with an open batch some shapes are only known at run time, and then tflite-runtime
    delegates nothing to XNNPACK (85 ms for MobileFaceNet instead of 7). The copy computes in float32, also where
    ``model`` was trained in mixed precision.
    """
    keras = tensorflow().keras
    inputs = keras.tree.map_structure(
        lambda one: keras.Input(batch_shape=(batch, *one.shape[1:]), dtype=one.dtype, name=one.name), model.input
    )
    copy = keras.models.clone_model(model, inputs, clone_function=_in_float32)
    copy.set_weights(model.get_weights())
    return copy


def _in_float32(layer: Any) -> Any:
    config = layer.get_config()
    if "dtype" in config and not isinstance(layer, tensorflow().keras.layers.InputLayer):
        config["dtype"] = "float32"
    return type(layer).from_config(config)
