"""Read the tensors of a file that PyTorch before 1.6 saved, without PyTorch and without trusting the pickles in it.

Such a file is four pickles in a row (a magic number, the protocol, facts of the machine, and the tensors, which refer
to their storages by key), a pickled list of the keys, and each storage: its length in 64 bits, and its elements. Only
what a dictionary of tensors needs is allowed; a pickle that asks for anything else is refused.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MOST_ELEMENTS = 1 << 24


@dataclass(frozen=True, slots=True)
class _Storage:
    """A storage that a tensor refers to: its key, and the type of its elements."""

    key: str
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor: where it lies in its storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]


_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Unpickler(pickle.Unpickler):
    """Reads what refers to tensors, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _view
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, *_ = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"it refers to {kind!r}")
        return _Storage(str(key), dtype)


def _view(storage: Any, offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any) -> _View:
    """Take the place of ``torch._utils._rebuild_tensor_v2``, for contiguous tensors."""
    sides = tuple(int(side) for side in shape)
    expected = tuple(int(np.prod(sides[index + 1 :], dtype=np.int64)) for index in range(len(sides)))
    if not isinstance(storage, _Storage) or tuple(strides) != expected or offset < 0 or min(sides, default=1) < 0:
        raise pickle.UnpicklingError("a tensor is not contiguous")
    return _View(storage, int(offset), sides)


def read_tensors(content: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the float tensors by name. Raises ModelError if ``content`` is anything else than a file of tensors."""
    try:
        return _tensors(content)
    except (
        pickle.UnpicklingError,
        struct.error,
        ValueError,
        TypeError,
        EOFError,
        LookupError,
        AttributeError,
    ) as error:
        raise ModelError(f"these are not PyTorch's weights: {error}", "download the file again") from error


def _tensors(content: bytes) -> dict[str, NDArray[np.float32]]:
    stream = io.BytesIO(content)
    if (_Unpickler(stream).load(), _Unpickler(stream).load()) != (_MAGIC, _PROTOCOL):
        raise ValueError("the file does not begin as such a file does")
    _Unpickler(stream).load()
    named = {str(name): view for name, view in _Unpickler(stream).load().items() if isinstance(view, _View)}
    types = {view.storage.key: view.storage.dtype for view in named.values()}
    storages = {key: _storage(stream, types[key]) for key in map(str, _Unpickler(stream).load())}
    return {
        name: _cut(storages[view.storage.key], view)
        for name, view in named.items()
        if view.storage.dtype == _STORAGES["FloatStorage"]
    }


def _storage(stream: io.BytesIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = struct.unpack("<q", stream.read(8))
    if not 0 <= count <= _MOST_ELEMENTS:
        raise ValueError(f"a storage of {count} elements")
    return np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)


def _cut(storage: NDArray[Any], view: _View) -> NDArray[np.float32]:
    size = int(np.prod(view.shape, dtype=np.int64))
    return np.asarray(storage[view.offset : view.offset + size].reshape(view.shape), np.float32)
