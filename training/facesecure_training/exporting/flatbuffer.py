"""Reading a TFLite file as a list of operations with their constants, by the schema that LiteRT carries."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.errors import ModelError

_PADDING = {0: "same", 1: "valid"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One node: its kind in the schema's words (CONV_2D), tensor numbers, stride and padding where it has them."""

    kind: str
    inputs: tuple[int, ...]
    output: int
    stride: int = 1
    padding: str = "same"


@dataclass(frozen=True, slots=True)
class Graph:
    """Operations in the order they run, the constants among the tensors, and the tensors that come and go."""

    operations: tuple[Operation, ...]
    constants: Mapping[int, NDArray[np.float32]]
    input: int
    output: int


def read_graph(content: bytes) -> Graph:
    """The first subgraph of a float TFLite file. Raises ModelError if ``content`` is not one."""
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != b"TFL3":
        raise ModelError("this is not a TFLite file", "its fifth to eighth bytes are TFL3")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        graph = model.subgraphs[0]
        kinds = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
        return Graph(
            tuple(_operation(node, model.operatorCodes, kinds) for node in graph.operators),
            _constants(graph.tensors, model.buffers),
            int(graph.inputs[0]),
            int(graph.outputs[0]),
        )
    except (struct.error, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"this TFLite file is damaged: {error}", "fetch it again") from error


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
    """Float tensors that have their own bytes."""
    found = {}
    for number, tensor in enumerate(tensors):
        data = buffers[tensor.buffer].data
        if data is not None and len(data) and tensor.type == 0:
            values = np.asarray(data, np.uint8).view(np.float32)
            found[number] = values.reshape([int(side) for side in tensor.shape])
    return found
