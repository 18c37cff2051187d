"""Weights out of joblib's pickles, and nothing else out of them."""

import io
import os
import pickle
import sys
import types

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure_training.importing.joblib_weights import read_weights

lz4_frame = pytest.importorskip("lz4.frame", reason="needs the [training] extra")


class NumpyArrayWrapper:
    """joblib's, as far as it is pickled."""

    def __init__(self, array: np.ndarray, aligned: bool) -> None:
        self.subclass, self.shape, self.order, self.dtype = np.ndarray, array.shape, "C", array.dtype
        self.allow_mmap = False
        if aligned:
            self.numpy_array_alignment_bytes = 16


class Pickler(pickle._Pickler):
    """Writes the wrapper and, right behind it, the array's bytes, as joblib does."""

    def __init__(self, file: io.BytesIO, aligned: bool) -> None:
        super().__init__(file, protocol=4)
        self.file, self.aligned = file, aligned

    def save(self, obj, *more):
        super().save(NumpyArrayWrapper(obj, self.aligned) if isinstance(obj, np.ndarray) else obj, *more)
        if isinstance(obj, np.ndarray):
            self.framer.commit_frame(force=True)
            padding = -(self.file.tell() + 1) % 16 if self.aligned else 0
            self.file.write((bytes([padding]) + b"\xff" * padding if self.aligned else b"") + obj.tobytes())


@pytest.fixture(autouse=True)
def joblib(monkeypatch):
    """So that the wrapper is pickled under joblib's name."""
    module = types.ModuleType("joblib.numpy_pickle")
    module.NumpyArrayWrapper = NumpyArrayWrapper
    monkeypatch.setattr(NumpyArrayWrapper, "__module__", "joblib.numpy_pickle")
    monkeypatch.setitem(sys.modules, "joblib", types.ModuleType("joblib"))
    monkeypatch.setitem(sys.modules, "joblib.numpy_pickle", module)


def packed(arrays: list, aligned: bool = True) -> bytes:
    file = io.BytesIO()
    Pickler(file, aligned).dump(arrays)
    return lz4_frame.compress(file.getvalue())


@pytest.mark.parametrize("aligned", [True, False])
def test_arrays_come_back_in_order_and_shape(aligned):
    arrays = [np.arange(24, dtype=np.float32).reshape(2, 3, 4), np.float32([7]), np.zeros((0, 2), np.float32)]
    found = read_weights(packed(arrays, aligned))
    assert [array.shape for array in found] == [(2, 3, 4), (1,), (0, 2)]
    assert all((ours == theirs).all() for ours, theirs in zip(found, arrays, strict=True))


def test_a_pickle_that_wants_to_run_something_is_refused_and_nothing_runs(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    with pytest.raises(ModelError, match=r"asks for posix\.mkdir"):
        read_weights(lz4_frame.compress(pickle.dumps([Bomb()])))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("wrong", [b"", b"nothing of the kind", lz4_frame.compress(b"no pickle")])
def test_other_files_are_refused(wrong):
    with pytest.raises(ModelError, match="not joblib weights"):
        read_weights(wrong)


def test_a_file_cut_short_is_refused():
    whole = lz4_frame.decompress(packed([np.ones(100, np.float32)]))
    with pytest.raises(ModelError):
        read_weights(lz4_frame.compress(whole[:-200]))
