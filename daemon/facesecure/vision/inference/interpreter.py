"""Run TFLite graphs; the only module that imports LiteRT or tflite-runtime.

LiteRT (``ai_edge_litert``) is preferred: it is tflite-runtime's successor with the same API, and runs the same int8
model several times faster. ``FACESECURE_RUNTIME=litert`` or ``=tflite-runtime`` forces one. Both delegate what they can
to XNNPACK by themselves; an accelerator's delegate takes its part before. The two must never be loaded into one
process, nor tflite-runtime beside TensorFlow: they crash.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.backend import PROCESSOR, Backend

log = logging.getLogger(__name__)

RUNTIME_VARIABLE = "FACESECURE_RUNTIME"
_MODULES = {"litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}
_stderr_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a graph: its name, shape and numpy type."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Delegation:
    """The part of a graph that delegates run: ``delegated`` of ``nodes`` operations, in ``partitions`` (1 is best)."""

    nodes: int
    delegated: int
    partitions: int


class Interpreter:
    """A loaded graph. Not safe for two threads at once; make one for each.

    A graph that the accelerator refuses, or fails to run later, runs on the processor from then on, with a warning in
    the log: ``delegate`` is then None and ``refusal`` the reason. Example::

        (embedding,) = Interpreter(path.read_bytes(), Backend(threads=2)).invoke(image[None])
    """

    def __init__(
        self, content: bytes, backend: Backend = PROCESSOR, *, input_shape: Sequence[int] | None = None
    ) -> None:
        """Build from a TFLite file's bytes, to run on ``backend``.

        ``input_shape`` resizes the first input before anything is planned, so that delegates still see static
        shapes: a fully convolutional network needs one interpreter for each size. Raises ModelError if no
        runtime works here, or this graph does not build on it.
        """
        self.runtime, self._library = _runtime()
        self._content, self._threads, self._shape = content, backend.threads, input_shape
        self.delegate, self.refusal = backend.delegate, ""
        self.accelerated: Delegation | None = None
        try:
            with native_messages_logged():
                self._build_somewhere()
        except (ValueError, RuntimeError, SystemError, ImportError) as error:
            raise _explained(error, self.runtime) from error

    def _build_somewhere(self) -> None:
        """Build on the accelerator if there is one, else, or if it refuses the graph, on the processor."""
        if self.delegate is not None:
            try:
                self._build([self._library.load_delegate(str(self.delegate))])
            except (OSError, AttributeError, ValueError, RuntimeError) as error:
                self._leave_accelerator(error)
            else:
                return
        self._build([])

    def _build(self, delegates: list[Any]) -> None:
        self._graph = self._library.Interpreter(
            model_content=self._content, num_threads=self._threads, experimental_delegates=delegates
        )
        if delegates:  # before allocate_tensors has XNNPACK take the rest
            self.accelerated = _delegation(self._graph)
        if self._shape is not None:
            index = self._graph.get_input_details()[0]["index"]
            self._graph.resize_tensor_input(index, [int(side) for side in self._shape])
        self._graph.allocate_tensors()
        self._in = self._graph.get_input_details()
        self._out = self._graph.get_output_details()

    def _leave_accelerator(self, error: Exception) -> None:
        self.refusal = " ".join(str(error).split()).rstrip(".")
        log.warning("%s: %s; a model runs on the processor instead (facesecure doctor)", self.delegate, self.refusal)
        self.delegate = self.accelerated = None

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The graph's inputs, in its own order."""
        return tuple(_spec(detail) for detail in self._in)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The graph's outputs, in its own order."""
        return tuple(_spec(detail) for detail in self._out)

    def invoke(self, *arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Run the graph on one array for each input, of its exact shape and type. Return copies of all outputs.

        Both are in the graph's order. Raises ValueError if an array does not fit. An accelerator that fails, for
        instance because it was unplugged, is left for good: the processor runs the graph, this time included.
        """
        if len(arrays) != len(self._in):
            raise ValueError(f"the graph takes {len(self._in)} arrays, not {len(arrays)}")
        for detail, array in zip(self._in, arrays, strict=True):
            if tuple(detail["shape"]) != array.shape or detail["dtype"] != array.dtype:
                raise ValueError(f"the graph takes {_spec(detail)}, not {array.dtype} {array.shape}")
        try:
            return self._run(arrays)
        except RuntimeError as error:
            if self.delegate is None:
                raise
            self._leave_accelerator(error)
        with native_messages_logged():
            self._build([])
        return self._run(arrays)

    def _run(self, arrays: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        for detail, array in zip(self._in, arrays, strict=True):
            self._graph.set_tensor(detail["index"], array)
        self._graph.invoke()
        return tuple(self._graph.get_tensor(detail["index"]) for detail in self._out)

    @property
    def delegation(self) -> Delegation:
        """What ``count`` returns. Raises ModelError where the runtime does not tell."""
        found = self.count()
        if found is None:
            raise ModelError(f"the {self.runtime} interpreter does not tell its plan", "use the version that is pinned")
        return found

    def count(self) -> Delegation | None:
        """Return what all delegates run together, XNNPACK included; ``accelerated`` is the accelerator's part alone.

        It is counted from the plan: the operations behind each DELEGATE node's outputs. Returns None where the runtime
        does not tell its plan.
        """
        return _delegation(self._graph)


def _delegation(graph: Any) -> Delegation | None:
    """Return what delegates take of ``graph`` as it is planned now, None where the runtime does not tell."""
    try:
        operations = graph._get_ops_details()  # which is not public, and may go
    except AttributeError:
        return None
    nodes = [operation for operation in operations if operation["op_name"] != "DELEGATE"]
    pieces = [operation for operation in operations if operation["op_name"] == "DELEGATE"]
    taken = set[int]().union(*(_covered(piece, nodes) for piece in pieces))
    return Delegation(nodes=len(nodes), delegated=len(taken), partitions=len(pieces))


def _spec(detail: dict[str, Any]) -> TensorSpec:
    return TensorSpec(str(detail["name"]), tuple(int(n) for n in detail["shape"]), np.dtype(detail["dtype"]))


def _covered(piece: dict[str, Any], nodes: list[dict[str, Any]]) -> set[int]:
    producer = {int(tensor): node for node in nodes for tensor in node["outputs"]}
    given = {int(tensor) for tensor in piece["inputs"]}
    found: set[int] = set()
    open_tensors = [int(tensor) for tensor in piece["outputs"]]
    while open_tensors:
        node = producer.get(open_tensors.pop())
        if node is None or int(node["index"]) in found:
            continue
        found.add(int(node["index"]))
        open_tensors += [int(tensor) for tensor in node["inputs"] if int(tensor) not in given]
    return found


def _runtime() -> tuple[str, Any]:
    """Return (name, module) of the first runtime that imports, or of the forced one. Raises ModelError."""
    if sys.maxsize <= 2**32:  # that of this Python: a 64-bit kernel may run 32-bit programs
        raise ModelError(
            "this is a 32-bit system, and the TFLite interpreter exists for 64-bit systems only",
            "install Raspberry Pi OS (64-bit)",
        )
    forced = os.environ.get(RUNTIME_VARIABLE)
    if forced and forced not in _MODULES:
        known = " or ".join(_MODULES)
        raise ModelError(f"{RUNTIME_VARIABLE} is {forced!r}", f"set it to {known}, or unset it")
    problems = []
    for name in (forced,) if forced else _MODULES:
        try:
            with native_messages_logged():
                return name, importlib.import_module(_MODULES[name])
        except Exception as error:  # noqa: BLE001 - a library built for another numpy raises ValueError
            problems.append(f"{name}: {error}")
    raise ModelError(
        f"no TFLite interpreter works here ({'; '.join(problems)})",
        "install facesecure again (sudo make install), or on Python 3.11 its extra tflite-runtime",
    )


def _explained(error: BaseException, runtime: str) -> ModelError:
    """Return a ModelError for ``error``. Built for numpy 1, tflite-runtime imports under numpy 2 and fails later."""
    numpy_2 = int(np.__version__.split(".")[0]) >= 2
    if runtime == "tflite-runtime" and numpy_2 and isinstance(error, SystemError | ImportError):
        return ModelError(
            f"tflite-runtime does not work with numpy {np.__version__}",
            "install 'numpy<2' and 'opencv-python-headless==4.11.0.86' beside it, or use ai-edge-litert",
        )
    reason = " ".join(str(error).split())
    return ModelError(
        f"the {runtime} interpreter refuses this model: {reason}",
        "the file may be damaged (facesecure models verify), or made for a newer interpreter",
    )


@contextmanager
def native_messages_logged() -> Iterator[None]:
    """Redirect what C++ writes to file descriptor 2 to the log, at DEBUG.

    The runtimes write messages there ("INFO: Created TensorFlow Lite XNNPACK delegate") that bypass logging.
    """
    with _stderr_lock, tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            caught.seek(0)
            for line in caught.read().decode(errors="replace").splitlines():
                log.debug("%s", line)
