"""Edits TFLite files: constants of float16 made float32, and normalisation of the image put in front of the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from facesecure_training.common.flatbuffer import pack_model, parse_model


def with_float32_constants(content: bytes) -> bytes:
    """Return ``content`` with its float16 constants as float32, and without the DEQUANTIZE operations that widen them.

    The runtimes do so at every start, and keep both forms in memory.
    """
    model, schema = parse_model(content)
    graph = model.subgraphs[0]
    dequantize = [
        number for number, code in enumerate(model.operatorCodes) if _kind(code) == schema.BuiltinOperator.DEQUANTIZE
    ]
    widened = [one for one in graph.operators if one.opcodeIndex in dequantize and _is_half(model, one, schema)]
    for operation in widened:
        _widen(model, int(operation.inputs[0]), schema)
    same = {int(operation.outputs[0]): int(operation.inputs[0]) for operation in widened}
    graph.operators = [one for one in graph.operators if one not in widened]
    for operation in graph.operators:
        operation.inputs = [same.get(int(tensor), int(tensor)) for tensor in operation.inputs]
    _drop_unused(graph)
    model.metadata, model.metadataBuffer, model.signatureDefs = [], None, []
    return pack_model(model)


def with_uint8_input(content: bytes, scale: float, offset: float) -> bytes:
    """Return ``content``, a graph of one float32 image, so that it takes uint8 x and computes x * scale + offset."""
    model, schema = parse_model(content)
    graph = model.subgraphs[0]
    wanted = int(graph.inputs[0])
    shape = graph.tensors[wanted].shape
    kinds = schema.TensorType
    image, floats, scaled = (
        _add_tensor(model, name, shape, kind)
        for name, kind in (("image", kinds.UINT8), ("floats", kinds.FLOAT32), ("scaled", kinds.FLOAT32))
    )
    by, plus = (_add_constant(model, name, value, schema) for name, value in (("scale", scale), ("offset", offset)))
    codes = schema.BuiltinOperator
    options = schema.BuiltinOptions
    graph.operators = [
        _operation(model, schema, codes.CAST, (image,), floats, options.CastOptions, _cast(schema)),
        _operation(model, schema, codes.MUL, (floats, by), scaled, options.MulOptions, schema.MulOptionsT()),
        _operation(model, schema, codes.ADD, (scaled, plus), wanted, options.AddOptions, schema.AddOptionsT()),
        *graph.operators,
    ]
    graph.inputs = [image]
    return pack_model(model)


def _kind(code: Any) -> int:
    return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))


def _is_half(model: Any, operation: Any, schema: Any) -> bool:
    tensor = model.subgraphs[0].tensors[operation.inputs[0]]
    data = model.buffers[tensor.buffer].data
    return tensor.type == schema.TensorType.FLOAT16 and data is not None and len(data) > 0


def _widen(model: Any, number: int, schema: Any) -> None:
    tensor = model.subgraphs[0].tensors[number]
    if tensor.type != schema.TensorType.FLOAT16:  # widened already, for another operation
        return
    half = np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(np.float16)
    tensor.type = schema.TensorType.FLOAT32
    tensor.buffer = _add_buffer(model, half.astype(np.float32), schema, instead_of=tensor.buffer)


def _add_buffer(model: Any, values: Any, schema: Any, instead_of: int | None = None) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    used = [tensor.buffer for tensor in model.subgraphs[0].tensors]
    if instead_of is not None and used.count(instead_of) == 1:
        model.buffers[instead_of] = buffer
        return instead_of
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _add_tensor(model: Any, name: str, shape: Any, kind: int, buffer: int = 0) -> int:
    from ai_edge_litert import schema_py_generated as schema

    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [int(side) for side in shape], kind, buffer
    tensor.hasRank = True
    tensors = model.subgraphs[0].tensors
    tensors.append(tensor)
    return len(tensors) - 1


def _add_constant(model: Any, name: str, value: float, schema: Any) -> int:
    buffer = _add_buffer(model, np.array([value], np.float32), schema)
    return _add_tensor(model, name, (1,), schema.TensorType.FLOAT32, buffer)


def _cast(schema: Any) -> Any:
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = schema.TensorType.UINT8, schema.TensorType.FLOAT32
    return options


def _operation(
    model: Any, schema: Any, kind: int, inputs: tuple[int, ...], output: int, options_type: int, options: Any
) -> Any:
    operation = schema.OperatorT()
    operation.opcodeIndex = _code(model, kind, schema)
    operation.inputs, operation.outputs = list(inputs), [output]
    operation.builtinOptionsType, operation.builtinOptions = options_type, options
    return operation


def _code(model: Any, kind: int, schema: Any) -> int:
    """Return the number of the operator code of ``kind``, added if there is none."""
    for number, code in enumerate(model.operatorCodes):
        if _kind(code) == kind:
            return number
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _drop_unused(graph: Any) -> None:
    """Remove the tensors that no operation needs; their numbers change."""
    needed = {int(tensor) for tensor in (*graph.inputs, *graph.outputs)}
    for operation in graph.operators:
        needed.update(int(tensor) for tensor in (*operation.inputs, *operation.outputs) if tensor >= 0)
    kept = sorted(needed)
    new = {old: number for number, old in enumerate(kept)} | {-1: -1}
    graph.tensors = [graph.tensors[number] for number in kept]
    graph.inputs = [new[int(tensor)] for tensor in graph.inputs]
    graph.outputs = [new[int(tensor)] for tensor in graph.outputs]
    for operation in graph.operators:
        operation.inputs = [new[int(tensor)] for tensor in operation.inputs]
        operation.outputs = [new[int(tensor)] for tensor in operation.outputs]
