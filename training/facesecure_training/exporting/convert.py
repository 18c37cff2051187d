"""From a Keras model of static shapes to the bytes of a TFLite file."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from facesecure.vision.interpreter import native_messages_logged
from facesecure_training.extras import tensorflow

log = logging.getLogger(__name__)

Precision = Literal["float32", "float16", "dynamic8", "int8"]


def to_tflite(model: Any, precision: Precision, samples: Iterable[NDArray[np.uint8]] = ()) -> bytes:
    """Convert ``model``; weights as ``precision`` says.

    float16 stores the weights at half size and computes in float32. dynamic8 stores the weights as int8 and rounds
    activations on the run. int8 computes in int8 throughout; ``samples``, arrays of the model's input shape, tell
    it the range of every activation.
    """
    tf = tensorflow()
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.representative_dataset = lambda: ([sample] for sample in samples)
    with contextlib.redirect_stdout(io.StringIO()) as chatter, native_messages_logged(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")  # the samples are the statistics
        content: bytes = converter.convert()
    log.debug("%s", chatter.getvalue())
    return content
