"""Converts a Keras model to the bytes of a TFLite file."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.interpreter import native_messages_logged
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.export.equalise import equalised
from facesecure_training.export.quantise import with_int8_kernels
from facesecure_training.networks.pixels import fixed_batch

log = logging.getLogger(__name__)

Precision = Literal["float32", "float16", "dynamic8", "mixed8", "int8", "edgetpu"]
Samples = Iterable[NDArray[np.uint8]]
_UNKNOWN = re.compile(r"'(tf\.\w+)' op is neither a custom op nor a flex op|(?:Flex|Custom|TF Select) ops: ([\w, .]+)")


def to_tflite(model: Any, precision: Precision, samples: Samples = ()) -> bytes:
    """Convert ``model``, uint8 RGB in, to a graph for batches of one; weights as ``precision`` says.

    float16 stores the weights at half size and computes in float32. dynamic8 stores the weights as int8 and rounds
    activations at run time; mixed8 does so for convolutions only, except those that see the image itself
    (``quantise``). int8 computes in int8 throughout, takes uint8 and returns float32; edgetpu is the same with uint8
    output. For these two, ``samples``, arrays (1, h, w, 3) of real crops, show the range of every activation.

    If Keras' own conversion fails, a SavedModel is used instead. Raises ModelError, with the operation's name, for what
    TFLite cannot express at all.
    """
    if precision == "mixed8":  # rounding the input of the first convolution gains nothing
        return with_int8_kernels(to_tflite(model, "float32"), lambda kernel: kernel[3] != 3)
    settled = static(model, precision)
    try:
        return _converted(lambda lite: lite.from_keras_model(settled), precision, samples, settled)
    except Exception as error:  # noqa: BLE001 - the converter raises whatever its parts raise
        _refuse_unknown_operations(error)
        log.warning("from_keras_model failed (%s); trying a SavedModel", _first_line(error))
    return _by_saved_model(settled, precision, samples)


def static(model: Any, precision: Precision) -> Any:
    """Return the same network for one image: with an open batch tflite-runtime delegates nothing.

    The two int8 forms get a float32 input, so that scaling is computed in int8 too and no cast remains; the file takes
    uint8 all the same. A network that cannot be cloned is wrapped.
    """
    keras = tensorflow().keras
    try:
        if precision in ("int8", "edgetpu"):
            return _with_float_input(model, _fusible if precision == "edgetpu" else _cloned)
        return fixed_batch(model) if None in model.inputs[0].shape else model
    except (ValueError, TypeError, AttributeError, NotImplementedError, RuntimeError) as error:
        log.debug("not cloned (%s): wrapped", _first_line(error))
    image = keras.Input(batch_shape=(1, *_shape(model)), dtype="uint8", name="picture")
    return keras.Model(image, model(image))


def _with_float_input(model: Any, layer: Callable[[Any], Any]) -> Any:
    image = tensorflow().keras.Input(batch_shape=(1, *_shape(model)), dtype="float32", name="picture")
    return equalised(fixed_batch(model), image, layer)


def _cloned(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _fusible(layer: Any) -> Any:
    """Clone a layer; write unit normalisation in the only way that the converter turns into one L2_NORMALIZATION.

    That is an operation an Edge TPU has.
    """
    tf = tensorflow()
    if not isinstance(layer, tf.keras.layers.UnitNormalization):
        return _cloned(layer)

    class L2(tf.keras.layers.Layer):  # type: ignore[misc,name-defined]
        def call(self, vectors: Any) -> Any:
            return tf.math.l2_normalize(vectors, axis=-1)

    return L2(name=layer.name)


def _shape(model: Any) -> tuple[int, int, int]:
    height, width, channels = model.input_shape[1:]
    return int(height), int(width), int(channels)


def _converted(open_: Callable[[Any], Any], precision: Precision, samples: Samples, model: Any) -> bytes:
    with contextlib.redirect_stdout(io.StringIO()) as chatter, native_messages_logged(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")  # the samples are the statistics
        converter = open_(tensorflow().lite.TFLiteConverter)
        _configure(converter, precision, samples, model)
        content: bytes = converter.convert()
    log.debug("%s", chatter.getvalue())
    return content


def _configure(converter: Any, precision: Precision, samples: Samples, model: Any) -> None:
    tf = tensorflow()
    if precision == "float32":
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "dynamic8":
        # One scale a row of a dense layer needs FULLY_CONNECTED version 12, which tflite-runtime 2.14 does not know.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    if precision in ("int8", "edgetpu"):
        dtype = np.dtype(model.inputs[0].dtype)
        converter.representative_dataset = lambda: ([sample.astype(dtype)] for sample in samples)
        if dtype == np.float32:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = tf.uint8
            converter.inference_output_type = tf.uint8 if precision == "edgetpu" else tf.float32


def _by_saved_model(model: Any, precision: Precision, samples: Samples) -> bytes:
    tf = tensorflow()
    inputs = model.inputs[0]
    with tempfile.TemporaryDirectory() as folder:
        signature = [tf.TensorSpec(inputs.shape, inputs.dtype)]
        try:
            with native_messages_logged():
                model.export(folder, format="tf_saved_model", verbose=False, input_signature=signature)
            return _converted(lambda lite: lite.from_saved_model(folder), precision, samples, model)
        except Exception as error:
            _refuse_unknown_operations(error)
            raise ModelError(
                f"TensorFlow cannot convert this model to {precision}: {_first_line(error)}",
                "neither from Keras nor through a SavedModel; try another --form, or check the layer it names",
            ) from error


def _refuse_unknown_operations(error: Exception) -> None:
    found = sorted({one for match in _UNKNOWN.finditer(str(error)) for one in match.groups() if one})
    if found:
        raise ModelError(
            f"the model uses {', '.join(found)}, which no TFLite runtime on the Pi has",
            "build that layer from operations that TFLite has: the runtimes there have neither Flex nor custom ones",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
