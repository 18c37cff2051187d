"""Read the operations and constants of an ONNX file, without ONNX: the few parts of the format that weights need.

ONNX files are Protocol Buffers (https://protobuf.dev/programming-guides/encoding, onnx/onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError

Constant = NDArray[Any]

_TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
}
_GRAPH, _NODE, _CONSTANT = 7, 1, 5
_MOST_BITS = 63


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One operation: its kind (Conv), and the names of what it takes and gives."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """The operations in order, and the constants by name."""

    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, Constant]


def read_graph(content: bytes) -> OnnxGraph:
    """Return the graph of an ONNX file. Raises ModelError if ``content`` is not one."""
    try:
        (graph,) = (value for number, value in _fields(content) if number == _GRAPH and isinstance(value, bytes))
        parts = [(number, value) for number, value in _fields(graph) if isinstance(value, bytes)]
        nodes = tuple(_node(value) for number, value in parts if number == _NODE)
        return OnnxGraph(nodes, dict(_constant(value) for number, value in parts if number == _CONSTANT))
    except (ValueError, TypeError, LookupError) as error:
        raise ModelError(f"this is not an ONNX file: {error}", "download the file again") from error


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and value of each field of a message."""
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        form, length = key & 7, 0
        if form == 0:
            value, at = _number(message, at)
            yield key >> 3, value
            continue
        if form == 2:
            length, at = _number(message, at)
        elif form in (1, 5):
            length = 8 if form == 1 else 4
        else:
            raise ValueError(f"a field of form {form}")
        if at + length > len(message):
            raise ValueError("it is cut off")
        yield key >> 3, message[at : at + length]
        at += length


def _number(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift <= _MOST_BITS:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("a number is too long")


def _node(message: bytes) -> OnnxNode:
    texts: dict[int, list[str]] = {1: [], 2: [], 4: []}
    for number, value in _fields(message):
        if number in texts and isinstance(value, bytes):
            texts[number].append(value.decode())
    return OnnxNode(texts[4][0], tuple(texts[1]), tuple(texts[2]))


def _constant(message: bytes) -> tuple[str, Constant]:
    """Return the name and values of a constant: raw bytes, or in lists of floats or of small integers."""
    sides, name, raw, kind = list[int](), "", b"", 0
    for number, value in _fields(message):
        match number, value:
            case 1, int():
                sides.append(value)
            case 2, int():
                kind = value
            case ((4 | 9), bytes()):
                raw += value
            case ((5 | 7), int()):
                raw += _packed(value, kind)
            case ((5 | 7), bytes()):
                raw += b"".join(_packed(one, kind) for one in _numbers(value))
            case 8, bytes():
                name = value.decode()
    return name, np.frombuffer(raw, _TYPES[kind]).reshape(sides)


def _numbers(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _number(packed, at)
        yield value


def _packed(value: int, kind: int) -> bytes:
    """Return an integer, negative ones as 64 bits hold them, as one element of a constant."""
    signed = value - (1 << 64) if value >= 1 << 63 else value
    return bytes(np.array([signed], np.int64).astype(_TYPES[kind]).tobytes())
