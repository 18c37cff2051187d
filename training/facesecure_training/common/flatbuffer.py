"""Reads a TFLite file as a list of operations with their constants, by the schema that LiteRT ships."""

from __future__ import annotations

import importlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError

_PADDING = {0: "same", 1: "valid"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One node: its kind in the schema's words (CONV_2D), its tensors by number, and its stride and padding, if any."""

    kind: str
    inputs: tuple[int, ...]
    output: int
    stride: int = 1
    padding: str = "same"


@dataclass(frozen=True, slots=True)
class Graph:
    """Operations in execution order, the constant tensors, and the numbers of the input and output tensors.

    Constants stored as float16 are float32 here; the DEQUANTIZE operations that convert them are left out.
    """

    operations: tuple[Operation, ...]
    constants: Mapping[int, NDArray[np.float32]]
    input: int
    output: int


def read_graph(content: bytes) -> Graph:
    """Return the first subgraph of a float TFLite file. Raises ModelError if ``content`` is not one."""
    model, schema = parse_model(content)
    try:
        graph = model.subgraphs[0]
        kinds = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
        operations = [_operation(node, model.operatorCodes, kinds) for node in graph.operators]
        constants = _constants(graph.tensors, model.buffers)
        widened = [one for one in operations if one.kind == "DEQUANTIZE" and one.inputs[0] in constants]
        return Graph(
            tuple(operation for operation in operations if operation not in widened),
            {**constants, **{one.output: constants[one.inputs[0]] for one in widened}},
            int(graph.inputs[0]),
            int(graph.outputs[0]),
        )
    except (struct.error, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"this TFLite file is damaged: {error}", "download it again") from error


def parse_model(content: bytes) -> tuple[Any, Any]:
    """Return the file as the schema's objects, and the schema. Raises ModelError if ``content`` is no TFLite file."""
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != b"TFL3":
        raise ModelError("this is not a TFLite file", "such a file has TFL3 as its fifth to eighth bytes")
    try:
        return schema.ModelT.InitFromPackedBuf(content, 0), schema
    except (struct.error, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"this TFLite file is damaged: {error}", "download it again") from error


def pack_model(model: Any) -> bytes:
    """Return ``model``, the schema's objects, as the bytes of a TFLite file."""
    builder = importlib.import_module("flatbuffers").Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _operation(node: Any, codes: Any, kinds: Mapping[int, str]) -> Operation:
    code = codes[node.opcodeIndex]
    options = node.builtinOptions
    return Operation(
        kinds[max(code.builtinCode, code.deprecatedBuiltinCode)],
        tuple(int(tensor) for tensor in node.inputs),
        int(node.outputs[0]),
        int(getattr(options, "strideH", 1)),
        _PADDING[int(getattr(options, "padding", 0))],
    )


def _constants(tensors: Any, buffers: Any) -> dict[int, NDArray[np.float32]]:
    """Return the float tensors that have data of their own."""
    kinds = {0: np.float32, 1: np.float16}
    found = {}
    for number, tensor in enumerate(tensors):
        data = buffers[tensor.buffer].data
        if data is not None and len(data) and tensor.type in kinds:
            values = np.asarray(data, np.uint8).view(kinds[tensor.type]).astype(np.float32)
            found[number] = values.reshape([int(side) for side in tensor.shape])
    return found


def output_scale(content: bytes) -> tuple[float, int]:
    """Return (scale, zero point) of the first output; (1, 0) if it is float.

    The real value is (stored value - zero point) * scale.
    """
    model, schema = parse_model(content)
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.outputs[0]]
    if tensor.type == schema.TensorType.FLOAT32 or tensor.quantization is None or tensor.quantization.scale is None:
        return 1.0, 0
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
