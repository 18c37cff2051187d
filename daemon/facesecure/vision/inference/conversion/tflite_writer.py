"""Write a TFLite file: a network of the few float operations that small convolutional networks consist of.

Numbers of fields, operations and types are those of TFLite's schema (tensorflow/compiler/mlir/lite/schema/schema.fbs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facesecure.vision.inference.conversion.flatbuffer_writer import Data, Field, Scalar, Table, Vector, flatbuffer

Floats = NDArray[np.float32]
Shape = tuple[int, ...]

_TYPES = {np.dtype(np.float32): 0, np.dtype(np.int32): 2, np.dtype(np.uint8): 3}
_SAME, _VALID = 0, 1
_NO_ACTIVATION, _RELU = 0, 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the network: its number and shape, (1, height, width, channels) for an image."""

    number: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class _Code:
    """An operation of the schema: its number, and that of the table of its options."""

    operation: int
    options: int = 0


_ADD, _CONV, _DEPTHWISE, _FULLY_CONNECTED = _Code(0, 11), _Code(3, 1), _Code(4, 2), _Code(9, 8)
_LOGISTIC, _MUL, _RESHAPE, _SOFTMAX = _Code(14), _Code(18, 21), _Code(22, 17), _Code(25, 9)
_PAD, _MEAN, _CAST, _PRELU = _Code(34, 22), _Code(40, 27), _Code(53, 37), _Code(54)
_LARGEST_OLD_CODE = 127


@dataclass(slots=True)
class TfliteWriter:
    """Builds a network operation by operation; each method adds one and returns its output.

    Kernels are (out, in, height, width), depthwise ones (channels, 1, height, width), as PyTorch and ONNX have them.
    Example::

        network = TfliteWriter("tiny")
        image = network.image(80)
        content = network.finish(network.softmax(network.dense(network.flat(image), weights, bias)))
    """

    name: str
    _tensors: list[Table] = field(default_factory=list)
    _buffers: list[Table] = field(default_factory=lambda: [Table({})])
    _operators: list[Table] = field(default_factory=list)
    _codes: list[_Code] = field(default_factory=list)

    def image(self, side: int) -> Tensor:
        """Return the input, uint8 RGB (1, side, side, 3), as float32."""
        taken = self._tensor((1, side, side, 3), np.dtype(np.uint8))
        fields: dict[int, Field] = {0: Scalar("b", 3), 1: Scalar("b", 0)}
        return self._operation(_CAST, [taken], taken.shape, fields)

    def convolution(self, x: Tensor, kernel: Floats, bias: Floats, stride: int = 1, *, relu: bool = False) -> Tensor:
        """Convolve, padded by half the kernel's size on each side as PyTorch does with padding=1 for 3x3."""
        x = self._padded(x, kernel.shape[2] // 2, stride)
        shape = self._convolved(x, kernel.shape, stride, kernel.shape[0])
        constants = [self._constant(kernel.transpose(0, 2, 3, 1)), self._constant(bias)]
        return self._operation(_CONV, [x, *constants], shape, _strides(kernel.shape, stride, relu=relu))

    def depthwise(self, x: Tensor, kernel: Floats, bias: Floats, stride: int = 1, *, padded: bool = True) -> Tensor:
        """Convolve each channel by itself; not ``padded`` gives the inner part only."""
        if padded:
            x = self._padded(x, kernel.shape[2] // 2, stride)
        shape = self._convolved(x, kernel.shape, stride, kernel.shape[0], padded=padded)
        constants = [self._constant(kernel.transpose(1, 2, 3, 0)), self._constant(bias)]
        options = _strides(kernel.shape, stride, depthwise=True, padded=padded)
        return self._operation(_DEPTHWISE, [x, *constants], shape, options)

    def prelu(self, x: Tensor, slopes: Floats) -> Tensor:
        """Apply a parametric ReLU with one slope for each channel."""
        return self._operation(_PRELU, [x, self._constant(slopes.reshape(1, 1, -1))], x.shape)

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """Add two tensors of one shape."""
        return self._operation(_ADD, [x, y], x.shape, {0: Scalar("b", _NO_ACTIVATION)})

    def scaled(self, x: Tensor, factors: Tensor) -> Tensor:
        """Multiply each channel of ``x`` by its factor, (1, 1, 1, channels)."""
        return self._operation(_MUL, [x, factors], x.shape, {0: Scalar("b", _NO_ACTIVATION)})

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of each channel, (1, 1, 1, channels)."""
        axes = self._constant(np.array([1, 2], np.int32))
        return self._operation(_MEAN, [x, axes], (1, 1, 1, x.shape[-1]), {0: Scalar("b", 1)})

    def sigmoid(self, x: Tensor) -> Tensor:
        """Apply the logistic function."""
        return self._operation(_LOGISTIC, [x], x.shape)

    def flat(self, x: Tensor) -> Tensor:
        """Return ``x`` as one row, (1, n)."""
        shape = (1, int(np.prod(x.shape)))
        return self._operation(_RESHAPE, [x, self._constant(np.array(shape, np.int32))], shape, {0: Vector("i", shape)})

    def dense(self, x: Tensor, weights: Floats, bias: Floats) -> Tensor:
        """Multiply by ``weights`` (out, in), and add ``bias``."""
        constants = [self._constant(weights), self._constant(bias)]
        options: dict[int, Field] = {0: Scalar("b", _NO_ACTIVATION)}
        return self._operation(_FULLY_CONNECTED, [x, *constants], (1, weights.shape[0]), options)

    def softmax(self, x: Tensor) -> Tensor:
        """Return probabilities that add up to 1."""
        return self._operation(_SOFTMAX, [x], x.shape, {0: Scalar("f", 1.0)})

    def finish(self, output: Tensor) -> bytes:
        """Return the file of the network that computes ``output``."""
        subgraph = Table(
            {
                0: self._tensors,
                1: Vector("i", [0]),
                2: Vector("i", [output.number]),
                3: self._operators,
                4: self.name,
            }
        )
        codes = [
            Table(
                {
                    0: Scalar("b", min(one.operation, _LARGEST_OLD_CODE)),
                    2: Scalar("i", 1),
                    3: Scalar("i", one.operation),
                }
            )
            for one in self._codes
        ]
        model = Table({0: Scalar("I", 3), 1: codes, 2: [subgraph], 3: self.name, 4: self._buffers})
        return flatbuffer(model, b"TFL3")

    def _padded(self, x: Tensor, margin: int, stride: int) -> Tensor:
        """Return ``x`` with zeros around it, where TFLite's own padding would differ: it pads the far sides first."""
        if margin == 0 or stride == 1:
            return x
        margins = self._constant(np.array([[0, 0], [margin, margin], [margin, margin], [0, 0]], np.int32))
        _, height, width, channels = x.shape
        return self._operation(_PAD, [x, margins], (1, height + 2 * margin, width + 2 * margin, channels), {})

    def _convolved(self, x: Tensor, kernel: Shape, stride: int, channels: int, *, padded: bool = True) -> Shape:
        cut = 0 if padded and stride == 1 else kernel[2] - 1
        return (1, (x.shape[1] - cut - 1) // stride + 1, (x.shape[2] - cut - 1) // stride + 1, channels)

    def _constant(self, values: NDArray[np.float32] | NDArray[np.int32]) -> Tensor:
        content = np.ascontiguousarray(values)
        little = content.astype(content.dtype.newbyteorder("<"))
        self._buffers.append(Table({0: Data(little.tobytes())}))
        return self._tensor(content.shape, content.dtype, len(self._buffers) - 1)

    def _tensor(self, shape: Shape, dtype: np.dtype[np.generic], buffer: int = 0) -> Tensor:
        number = len(self._tensors)
        fields: dict[int, Field] = {0: Vector("i", shape), 1: Scalar("b", _TYPES[dtype]), 2: Scalar("I", buffer)}
        self._tensors.append(Table({**fields, 3: f"t{number}"}))
        return Tensor(number, shape)

    def _operation(
        self, code: _Code, inputs: Sequence[Tensor], shape: Shape, options: dict[int, Field] | None = None
    ) -> Tensor:
        if code not in self._codes:
            self._codes.append(code)
        output = self._tensor(shape, np.dtype(np.float32))
        fields: dict[int, Field] = {
            0: Scalar("I", self._codes.index(code)),
            1: Vector("i", [one.number for one in inputs]),
            2: Vector("i", [output.number]),
        }
        if options is not None:
            fields |= {3: Scalar("B", code.options), 4: Table(options)}
        self._operators.append(Table(fields))
        return output


def _strides(
    kernel: Shape, stride: int, *, relu: bool = False, depthwise: bool = False, padded: bool = True
) -> dict[int, Field]:
    """Return the options of a convolution, whose input is padded already where the stride is not 1."""
    padding = _SAME if padded and stride == 1 and kernel[2] > 1 else _VALID
    fields: dict[int, Field] = {0: Scalar("b", padding), 1: Scalar("i", stride), 2: Scalar("i", stride)}
    activation = _RELU if relu else _NO_ACTIVATION
    if depthwise:
        return {**fields, 3: Scalar("i", 1), 4: Scalar("b", activation), 5: Scalar("i", 1), 6: Scalar("i", 1)}
    return {**fields, 3: Scalar("b", activation), 4: Scalar("i", 1), 5: Scalar("i", 1)}
