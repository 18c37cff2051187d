"""Write MiniFASNetV2 and MiniFASNetV2SE as TFLite files, from published weights.

The network is that of https://github.com/minivision-ai/Silent-Face-Anti-Spoofing (src/model_lib/MiniFASNet.py). Its
batch normalisations become part of the convolutions, and the order and scale of the colours part of the first one:
the file takes uint8 RGB and gives probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.conversion.onnx_weights import Constant, OnnxGraph, read_graph
from facesecure.vision.inference.conversion.tflite_writer import Floats, Tensor, TfliteWriter
from facesecure.vision.inference.conversion.torch_weights import read_tensors

_EPSILON = 1e-5
"""That of PyTorch's batch normalisation."""
_BLOCKS = (("conv_23", 0), ("conv_3", 4), ("conv_34", 0), ("conv_4", 6), ("conv_45", 0), ("conv_5", 2))
"""The stages between the first and the last convolutions: those without blocks halve the image."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution or dense layer with its batch normalisation: ``kernel`` and ``bias``, float32."""

    kernel: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class MiniFasNetWeights:
    """The layers by their path in the network (conv_3.model.0.conv), and the slopes of its PReLUs by the same path."""

    layers: Mapping[str, Layer]
    slopes: Mapping[str, Floats]


def from_torch(content: bytes) -> bytes:
    """Return the TFLite file of ``2.7_80x80_MiniFASNetV2.pth``: (1, 80, 80, 3) to fake, live, fake.

    Raises ModelError if ``content`` is anything else.
    """
    tensors = {name.removeprefix("module."): values for name, values in read_tensors(content).items()}
    with _explained():
        return network("minifasnet-v2", 80, _of_torch(tensors))


def from_onnx(content: bytes) -> bytes:
    """Return the TFLite file of face-antispoof-onnx's quantised model: (1, 128, 128, 3) to live, fake.

    Its weights are 8-bit integers; here they are the floats that these stand for. Raises ModelError if ``content`` is
    anything else.
    """
    graph = read_graph(content)
    with _explained():
        return network("minifasnet-v2-se", 128, _of_onnx(graph))


@contextmanager
def _explained() -> Iterator[None]:
    """Raise a ModelError for weights that do not fit the network."""
    try:
        yield
    except (LookupError, ValueError, TypeError) as error:
        raise ModelError(f"these are not the weights of this network: {error}", "download the file again") from error


def network(name: str, side: int, weights: MiniFasNetWeights) -> bytes:
    """Return the TFLite file of the network with ``weights`` for images of ``side`` pixels."""
    writer = _NetworkWriter(TfliteWriter(name), weights)
    return writer.written(side)


@dataclass(frozen=True, slots=True)
class _NetworkWriter:
    """Follows the network from the image to its probabilities."""

    out: TfliteWriter
    weights: MiniFasNetWeights

    def written(self, side: int) -> bytes:
        x = self._convolution(self.out.image(side), "conv1", stride=2)
        x = self._depthwise(x, "conv2_dw")
        for stage, blocks in _BLOCKS:
            x = self._halved(x, stage) if blocks == 0 else self._residuals(x, stage, blocks)
        x = self._convolution(x, "conv_6_sep")
        last = self.weights.layers["conv_6_dw"]
        x = self.out.depthwise(x, last.kernel, last.bias, padded=False)
        for dense in ("linear", "logits"):
            layer = self.weights.layers[dense]
            x = self.out.dense(self.out.flat(x) if dense == "linear" else x, layer.kernel, layer.bias)
        return self.out.finish(self.out.softmax(x))

    def _convolution(self, x: Tensor, path: str, stride: int = 1) -> Tensor:
        layer = self.weights.layers[path]
        return self.out.prelu(self.out.convolution(x, layer.kernel, layer.bias, stride), self.weights.slopes[path])

    def _depthwise(self, x: Tensor, path: str, stride: int = 1) -> Tensor:
        layer = self.weights.layers[path]
        return self.out.prelu(self.out.depthwise(x, layer.kernel, layer.bias, stride), self.weights.slopes[path])

    def _halved(self, x: Tensor, path: str) -> Tensor:
        return self._bottleneck(x, path, stride=2)

    def _bottleneck(self, x: Tensor, path: str, stride: int = 1) -> Tensor:
        x = self._depthwise(self._convolution(x, f"{path}.conv"), f"{path}.conv_dw", stride)
        projected = self.weights.layers[f"{path}.project"]
        return self.out.convolution(x, projected.kernel, projected.bias)

    def _residuals(self, x: Tensor, stage: str, blocks: int) -> Tensor:
        for block in range(blocks):
            path = f"{stage}.model.{block}"
            x = self.out.add(x, self._attended(self._bottleneck(x, path), f"{path}.se_module"))
        return x

    def _attended(self, x: Tensor, path: str) -> Tensor:
        """Weigh the channels of ``x`` by their means (squeeze and excitation), where the network does."""
        squeeze, excite = self.weights.layers.get(f"{path}.fc1"), self.weights.layers.get(f"{path}.fc2")
        if squeeze is None or excite is None:
            return x
        small = self.out.convolution(self.out.mean(x), squeeze.kernel, squeeze.bias, relu=True)
        return self.out.scaled(x, self.out.sigmoid(self.out.convolution(small, excite.kernel, excite.bias)))


def _of_torch(tensors: Mapping[str, Floats]) -> MiniFasNetWeights:
    """Take over the layers of minivision's network, which sees BGR from 0 to 255."""
    paths = [name.removesuffix(".conv.weight") for name in tensors if name.endswith(".conv.weight")]
    layers = {path: _normalised(tensors, f"{path}.conv.weight", f"{path}.bn") for path in paths}
    first = layers["conv1"]
    layers["conv1"] = Layer(np.ascontiguousarray(first.kernel[:, ::-1]), first.bias)
    layers["linear"] = _normalised(tensors, "linear.weight", "bn")
    classes = tensors["prob.weight"]
    layers["logits"] = Layer(classes, np.zeros(len(classes), np.float32))
    ending = ".prelu.weight"
    return MiniFasNetWeights(layers, {n.removesuffix(ending): tensors[n] for n in tensors if n.endswith(ending)})


def _normalised(tensors: Mapping[str, Floats], kernel: str, norm: str) -> Layer:
    statistics = [tensors[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    return _with_norm(tensors[kernel], *statistics)


def _with_norm(kernel: Floats, gain: Floats, shift: Floats, mean: Floats, variance: Floats) -> Layer:
    """Return a layer without bias together with the batch normalisation behind it."""
    wide: list[NDArray[np.float64]] = [np.asarray(one, np.float64) for one in (kernel, gain, shift, mean, variance)]
    factor = wide[1] / np.sqrt(wide[4] + _EPSILON)
    scaled = wide[0] * factor.reshape(-1, *(1,) * (kernel.ndim - 1))
    return Layer(scaled.astype(np.float32), (wide[2] - wide[3] * factor).astype(np.float32))


def _of_onnx(graph: OnnxGraph) -> MiniFasNetWeights:
    """Take over the layers of face-antispoof-onnx, which sees RGB from 0 to 1; its convolutions are normalised."""
    layers, slopes = dict[str, Layer](), dict[str, Floats]()
    biases = {_path(node.outputs[0]): node.inputs[0] for node in graph.nodes if node.kind == "Reshape"}
    for node in graph.nodes:
        path = _path(node.outputs[0])
        if node.kind == "ConvInteger":
            layers[path] = Layer(_widened(graph, node.inputs[1]), _floats(graph.constants[biases[path]]))
        elif node.kind == "PRelu":
            slopes[path] = _floats(graph.constants[node.inputs[1]]).reshape(-1)
        elif node.kind == "MatMulInteger":
            kernel = np.ascontiguousarray(_widened(graph, node.inputs[1]).T)
            layers["linear" if len(kernel) > 2 else "logits"] = Layer(kernel, np.zeros(len(kernel), np.float32))
    first = layers["conv1"]
    layers["conv1"] = Layer((first.kernel.astype(np.float64) / 255.0).astype(np.float32), first.bias)
    norm = [_floats(graph.constants[f"model.bn.{part}"]) for part in ("weight", "bias", "running_mean", "running_var")]
    layers["linear"] = _with_norm(layers["linear"].kernel, *norm)
    return MiniFasNetWeights(layers, slopes)


def _path(output: str) -> str:
    """Return a layer's path: conv_3.model.0.conv for /conv_3/model/model.0/conv/conv/Conv_output_0..."""
    parts = [part.removeprefix("model.") for part in output.strip("/").split("/")[:-1]]
    return ".".join(parts[:-1] if parts and parts[-1] in ("conv", "prelu") else parts)


def _widened(graph: OnnxGraph, name: str) -> Floats:
    """Return the floats that a constant of 8-bit integers stands for."""
    base = name.removesuffix("_quantized")
    scale, zero = (graph.constants[f"{base}_{part}"] for part in ("scale", "zero_point"))
    whole = graph.constants[name].astype(np.float64) - zero.astype(np.float64)
    return (whole * scale.astype(np.float64)).astype(np.float32)


def _floats(values: Constant) -> Floats:
    return np.asarray(values, np.float32)
