"""Write FlatBuffers (https://flatbuffers.dev/internals): tables, vectors and strings, as TFLite files consist of.

The bytes depend on nothing but the values, so that a file can be pinned by its hash.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_OFFSET = 4
_DATA_ALIGNMENT = 16
"""TFLite maps weights where they lie, and demands this of them."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number in a table; ``form`` is its ``struct`` code: "b", "B", "i", "I" or "f"."""

    form: str
    value: float

    @property
    def content(self) -> bytes:
        """The number's bytes, little-endian."""
        return struct.pack(f"<{self.form}", self.value)


@dataclass(frozen=True, slots=True)
class Vector:
    """Numbers of one form in a row."""

    form: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Data:
    """A vector of bytes, aligned as weights must be."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its fields by the number that the schema gives them; fields left out have their default."""

    fields: Mapping[int, Field]


Field = Scalar | Vector | Data | str | Table | Sequence[Table]


def flatbuffer(root: Table, identifier: bytes) -> bytes:
    """Return the file whose root table is ``root``; ``identifier`` are the four bytes that name the schema.

    Example::

        flatbuffer(Table({0: Scalar("I", 3)}), b"TFL3")
    """
    writer = _Writer(identifier)
    writer.put(root, at=0)
    return bytes(writer.content)


class _Writer:
    """Appends each value behind the reference to it, since references lead forwards only."""

    def __init__(self, identifier: bytes) -> None:
        self.content = bytearray(b"\0" * _OFFSET + identifier)

    def put(self, value: Field, at: int) -> None:
        """Append ``value`` and what it refers to; the reference to it is at the offset ``at``."""
        if isinstance(value, Table):
            self._table(value, at)
        elif isinstance(value, str):
            encoded = value.encode()
            self._row(at, len(encoded), encoded + b"\0", _OFFSET)
        elif isinstance(value, Data):
            self._row(at, len(value.content), value.content, _DATA_ALIGNMENT)
        elif isinstance(value, Vector):
            packed = struct.pack(f"<{len(value.values)}{value.form}", *value.values)
            self._row(at, len(value.values), packed, _OFFSET)
        elif not isinstance(value, Scalar):
            self._tables(value, at)

    def _tables(self, tables: Sequence[Table], at: int) -> None:
        start = self._row(at, len(tables), b"\0" * _OFFSET * len(tables), _OFFSET)
        for index, table in enumerate(tables):
            self.put(table, start + _OFFSET * index)

    def _table(self, table: Table, at: int) -> None:
        """Append the table's vtable, then its fields, then what they refer to."""
        offsets, inline = _laid_out(table)
        vtable = struct.pack(f"<HH{len(offsets)}H", 4 + 2 * len(offsets), len(inline), *offsets)
        self._align(_OFFSET, ahead=len(vtable))
        begin = len(self.content)
        start = begin + len(vtable)
        struct.pack_into("<i", inline, 0, start - begin)
        self._point(at, start)
        self.content += vtable + inline
        for number, value in sorted(table.fields.items()):
            self.put(value, start + offsets[number])

    def _row(self, at: int, count: int, content: bytes, alignment: int) -> int:
        """Append a vector's length and content; return where the content begins."""
        self._align(alignment, ahead=_OFFSET)
        self._point(at, len(self.content))
        self.content += struct.pack("<I", count)
        start = len(self.content)
        self.content += content
        return start

    def _point(self, at: int, target: int) -> None:
        struct.pack_into("<I", self.content, at, target - at)

    def _align(self, alignment: int, ahead: int) -> None:
        """Pad so that what comes ``ahead`` bytes later is aligned."""
        self.content += b"\0" * (-(len(self.content) + ahead) % alignment)


def _laid_out(table: Table) -> tuple[list[int], bytearray]:
    """Return the offset of each field within the table (0: absent), and the table with its numbers in place."""
    offsets, inline = [0] * (max(table.fields, default=-1) + 1), bytearray(_OFFSET)
    for number, value in sorted(table.fields.items()):
        content = value.content if isinstance(value, Scalar) else b"\0" * _OFFSET
        inline += b"\0" * (-len(inline) % len(content))
        offsets[number] = len(inline)
        inline += content
    return offsets, inline + b"\0" * (-len(inline) % _OFFSET)
