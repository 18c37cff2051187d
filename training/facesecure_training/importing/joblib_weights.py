"""Reads weights written by joblib (mtcnn 1.0.0's LZ4 files), without joblib and without trusting the pickle.

joblib's format is a pickle in which every array is a small wrapper object followed, in the same stream, by a padding
byte count, the padding, and the raw array (joblib 1.4, numpy_pickle.py). Only what such a list of arrays needs is
allowed; a pickle that asks for anything else is refused.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError
from facesecure_training.common.optional_dependencies import lz4_frame

_HARMLESS = {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype}


class _ArrayWrapper:
    """Replaces joblib.numpy_pickle.NumpyArrayWrapper; the unpickler sets its attributes."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: str

    def read(self, stream: io.BytesIO) -> NDArray[Any]:
        if getattr(self, "numpy_array_alignment_bytes", None) is not None:
            stream.seek(stream.read(1)[0], io.SEEK_CUR)
        count = int(np.prod(self.shape, dtype=np.int64))
        flat = np.frombuffer(stream.read(count * self.dtype.itemsize), self.dtype, count)
        return flat.reshape(self.shape, order="F" if self.order == "F" else "C").copy()


class _Unpickler(pickle._Unpickler):  # the pure Python one: only there can BUILD be overridden
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self._stream = stream

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("joblib.numpy_pickle", "NumpyArrayWrapper"):
            return _ArrayWrapper
        if (module, name) not in _HARMLESS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _HARMLESS[module, name]

    def load_build(self) -> None:
        super().load_build()  # type: ignore[misc]
        if isinstance(self.stack[-1], _ArrayWrapper):  # type: ignore[attr-defined]
            self.stack.append(self.stack.pop().read(self._stream))  # type: ignore[attr-defined]

    dispatch[pickle.BUILD[0]] = load_build


def read_weights(packed: bytes) -> list[NDArray[np.float32]]:
    """Return the arrays of an LZ4-compressed joblib file, in order. Raises ModelError for any other content."""
    try:
        arrays = _Unpickler(io.BytesIO(lz4_frame().decompress(packed))).load()
        return [np.asarray(array, np.float32) for array in arrays]
    except (
        pickle.UnpicklingError,
        RuntimeError,
        ValueError,
        TypeError,
        EOFError,
        LookupError,
        AttributeError,
    ) as error:
        raise ModelError(f"these are not joblib weights: {error}", "use the file from mtcnn 1.0.0") from error
