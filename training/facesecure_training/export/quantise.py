"""Mixed precision by hand: int8 weights for selected convolutions of a float TFLite file, the rest unchanged.

The converter's own dynamic-range mode also rounds depthwise kernels, which XNNPACK then does not delegate: the graph
falls into seventeen partitions. A float convolution with an int8 kernel, one scale per output channel, is delegated:
XNNPACK rounds the activations of each image to 8 bits at run time and accumulates in int32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure_training.common.flatbuffer import pack_model, parse_model

Choice = Callable[[tuple[int, ...]], bool]
"""Says from the kernel's shape (out, height, width, in) whether to make it int8."""


def with_int8_kernels(content: bytes, choose: Choice | None = None) -> bytes:
    """Return ``content``, a float32 TFLite file, with int8 kernels in its CONV_2D operations: all, or those chosen."""
    model, schema = parse_model(content)
    graph = model.subgraphs[0]
    for operation in graph.operators:
        code = model.operatorCodes[operation.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.CONV_2D:
            continue
        kernel = graph.tensors[operation.inputs[1]]
        is_float = kernel.type == schema.TensorType.FLOAT32
        if is_float and (choose is None or choose(tuple(int(side) for side in kernel.shape))):
            _make_int8(model, kernel, schema)
    return pack_model(model)


def _make_int8(model: Any, tensor: Any, schema: Any) -> None:
    data = np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(np.float32).reshape(tensor.shape)
    scale, rounded = rounded_per_channel(data)
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = scale
    tensor.quantization.zeroPoint = np.zeros(len(scale), np.int64)
    tensor.quantization.quantizedDimension = 0
    model.buffers[tensor.buffer].data = np.frombuffer(rounded.tobytes(), np.uint8)


def rounded_per_channel(kernel: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return (scale of each output channel, kernel / scale as int8); symmetric, so that zero stays zero."""
    largest = np.abs(kernel).reshape(len(kernel), -1).max(1)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    steps = np.rint(kernel / scale.reshape(-1, *[1] * (kernel.ndim - 1)))
    return scale, np.clip(steps, -127, 127).astype(np.int8)
