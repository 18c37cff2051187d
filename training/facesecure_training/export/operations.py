"""The operations that a TFLite file needs, and those that a runtime or an Edge TPU lacks.

``operations.json`` holds, for each runtime, every built-in operation and the newest version of it that the runtime
supports. It was measured: a small graph with one more operation code in it, for each kind and version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from facesecure.domain.errors import ModelError
from facesecure_training.common.flatbuffer import parse_model

_TPU = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS", "FULLY_CONNECTED",
    "L2_NORMALIZATION", "LOGISTIC", "LSTM", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PACK", "PAD", "PRELU",
    "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SQUARED_DIFFERENCE", "SQUEEZE",
    "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE", "TRANSPOSE_CONV",
}  # fmt: skip
"""https://coral.ai/docs/edgetpu/models-intro/#supported-operations"""
_NO_ACTIVATION = {"AVERAGE_POOL_2D", "MAX_POOL_2D", "CONCATENATION"}
_WHOLE = {"UINT8", "INT8"}
_HELPERS = {"INT32"}  # biases, and the shapes and axes that some operations take


@dataclass(frozen=True, slots=True)
class RequiredOperation:
    """One operation code of a file: FULLY_CONNECTED of version 12; custom operations have version 0."""

    kind: str
    version: int

    def __str__(self) -> str:
        return f"{self.kind} version {self.version}" if self.version else f"the custom operation {self.kind}"


def required_operations(content: bytes) -> list[RequiredOperation]:
    """Return the operations that the TFLite file ``content`` needs. Raises ModelError if it is not one."""
    model, schema = parse_model(content)
    kinds = _names(schema.BuiltinOperator)
    found = [_need(code, kinds, schema.BuiltinOperator.CUSTOM) for code in model.operatorCodes]
    return sorted(set(found), key=str)


def _need(code: Any, kinds: Mapping[int, str], custom: int) -> RequiredOperation:
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    if number == custom:
        return RequiredOperation(
            code.customCode.decode() if isinstance(code.customCode, bytes) else str(code.customCode), 0
        )
    return RequiredOperation(kinds.get(number, f"operation {number}"), int(code.version))


def missing_operations(content: bytes, runtime: str) -> list[RequiredOperation]:
    """Return what ``runtime`` (litert, tflite-runtime), in the release that was measured, cannot run of ``content``."""
    newest = _known()[runtime]["newest"]
    return [one for one in required_operations(content) if not 1 <= one.version <= newest.get(one.kind, 0)]


def require_supported(content: bytes) -> None:
    """Raise ModelError, naming the operations, unless both runtimes on the Pi can run ``content``."""
    for runtime, facts in _known().items():
        missing = missing_operations(content, runtime)
        if missing:
            most = {one.kind: facts["newest"][one.kind] for one in missing if one.kind in facts["newest"]}
            knows = "".join(f"; it supports {kind} up to version {version}" for kind, version in most.items())
            raise ModelError(
                f"{runtime} {facts['release']} cannot run {', '.join(map(str, missing))}{knows}",
                "choose another --form, or build the layer differently: every exported model must run on both runtimes",
            )


def tpu_problems(content: bytes) -> list[str]:
    """Return why the Edge TPU compiler would not map all of ``content``; empty if no reason is known.

    By the published list of operations and its rules: only integers, all sizes fixed, one subgraph. The compiler itself
    checks more (for example whether the sizes fit its memory); only it can confirm.
    """
    model, schema = parse_model(content)
    kinds, types = _names(schema.BuiltinOperator), _names(schema.TensorType)
    problems = [f"{len(model.subgraphs)} subgraphs, not one"] if len(model.subgraphs) > 1 else []
    graph = model.subgraphs[0]
    for number, node in enumerate(graph.operators):
        need = _need(model.operatorCodes[node.opcodeIndex], kinds, schema.BuiltinOperator.CUSTOM)
        where = f"operation {number}, {need.kind}"
        if need.kind not in _TPU:
            problems.append(f"{where}: not on the list")
        tensors = [graph.tensors[index] for index in (*node.inputs, *node.outputs) if index >= 0]
        strange = sorted({types[one.type] for one in tensors} - _WHOLE - _HELPERS)
        if strange:
            problems.append(f"{where}: {', '.join(strange)} is not 8 bits")
        if need.kind in _NO_ACTIVATION and getattr(node.builtinOptions, "fusedActivationFunction", None):
            problems.append(f"{where}: with an activation in it")
        if any(_open(tensor) for tensor in tensors):
            problems.append(f"{where}: a size is only known at run time")
    return problems


def _open(tensor: Any) -> bool:
    return tensor.shapeSignature is not None and any(side < 0 for side in tensor.shapeSignature)


def _names(kinds: Any) -> dict[int, str]:
    return {number: name for name, number in vars(kinds).items() if isinstance(number, int)}


@cache
def _known() -> Mapping[str, Any]:
    text = resources.files("facesecure_training.export").joinpath("operations.json").read_text()
    known: Mapping[str, Any] = json.loads(text)
    return known
