"""The TFLite interpreter."""

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import load_model

ROOT = Path(__file__).resolve().parents[4]
LITERT, TFLITE = "ai_edge_litert.interpreter", "tflite_runtime.interpreter"


@pytest.fixture(scope="module")
def pnet() -> bytes:
    return load_model("pnet").content


def pretend(monkeypatch, module: str, interpreter: type | None) -> None:
    """Make ``module`` importable with that Interpreter, or, with None, not at all."""
    stand_in = None
    if interpreter is not None:
        stand_in = types.ModuleType(module)
        stand_in.Interpreter = interpreter
    monkeypatch.setitem(sys.modules, module, stand_in)


def refusing(error: Exception) -> type:
    def build(*arguments, **options):
        raise error

    return build


def test_an_image_goes_in_and_arrays_come_out(pnet):
    graph = Interpreter(pnet)
    image = np.zeros(graph.inputs[0].shape, graph.inputs[0].dtype)
    outputs = graph.invoke(image)
    assert [output.shape for output in outputs] == [spec.shape for spec in graph.outputs]


def test_a_convolutional_network_is_resized_before_it_is_planned(pnet):
    graph = Interpreter(pnet, input_shape=(1, 60, 100, 3))
    box, probability = graph.invoke(np.zeros((1, 60, 100, 3), np.uint8))
    assert box.shape == (1, 25, 45, 4)
    assert probability.shape == (1, 25, 45, 1)
    assert graph.delegation.partitions == 1


def test_outputs_are_copies_that_the_next_call_does_not_touch(pnet):
    graph = Interpreter(pnet)
    image = np.zeros(graph.inputs[0].shape, np.uint8)
    first = graph.invoke(image)[0]
    kept = first.copy()
    graph.invoke(image + 200)
    assert (first == kept).all()


@pytest.mark.parametrize("wrong", [np.zeros((1, 18, 21, 3), np.uint8), np.zeros((1, 18, 22, 3), np.float32)])
def test_an_array_of_the_wrong_shape_or_type_is_refused(pnet, wrong):
    with pytest.raises(ValueError, match="the graph takes"):
        Interpreter(pnet).invoke(wrong)


def test_the_wrong_number_of_arrays_is_refused(pnet):
    with pytest.raises(ValueError, match="takes 1 arrays, not 0"):
        Interpreter(pnet).invoke()


@pytest.mark.parametrize("damage", [b"", b"no model at all", b"\x1c\x00\x00\x00TFL3" + bytes(100)])
def test_bytes_that_are_no_model_give_an_error_with_a_hint(damage):
    with pytest.raises(ModelError, match="refuses this model") as caught:
        Interpreter(damage)
    assert "models verify" in caught.value.hint


def test_xnnpack_takes_all_of_p_net_but_the_cast(pnet):
    delegation = Interpreter(pnet).delegation
    assert (delegation.nodes - delegation.delegated, delegation.partitions) == (1, 1)


def test_litert_comes_first(pnet, monkeypatch):
    monkeypatch.delenv("FACESECURE_RUNTIME", raising=False)
    pretend(monkeypatch, LITERT, refusing(ValueError("litert was asked")))
    pretend(monkeypatch, TFLITE, refusing(ValueError("tflite-runtime was asked")))
    with pytest.raises(ModelError, match="litert was asked"):
        Interpreter(pnet)


def test_without_litert_tflite_runtime_is_taken(pnet, monkeypatch):
    monkeypatch.delenv("FACESECURE_RUNTIME", raising=False)
    pretend(monkeypatch, LITERT, None)
    pretend(monkeypatch, TFLITE, refusing(ValueError("tflite-runtime was asked")))
    with pytest.raises(ModelError, match="tflite-runtime was asked"):
        Interpreter(pnet)


def test_the_environment_forces_a_runtime(pnet, monkeypatch):
    monkeypatch.setenv("FACESECURE_RUNTIME", "tflite-runtime")
    pretend(monkeypatch, TFLITE, refusing(ValueError("tflite-runtime was asked")))
    with pytest.raises(ModelError, match="tflite-runtime was asked"):
        Interpreter(pnet)


def test_a_runtime_nobody_knows_is_an_error_that_names_the_known_ones(pnet, monkeypatch):
    monkeypatch.setenv("FACESECURE_RUNTIME", "tensorrt")
    with pytest.raises(ModelError, match="litert or tflite-runtime"):
        Interpreter(pnet)


def test_without_any_runtime_the_error_says_what_to_install(pnet, monkeypatch):
    monkeypatch.delenv("FACESECURE_RUNTIME", raising=False)
    pretend(monkeypatch, LITERT, None)
    pretend(monkeypatch, TFLITE, None)
    with pytest.raises(ModelError, match="sudo make install"):
        Interpreter(pnet)


def test_numpy_2_beside_tflite_runtime_is_found_out_when_a_graph_is_built(tmp_path):
    """The real tflite-runtime under the real numpy 2: it imports, and only building an Interpreter fails."""
    package = ROOT / ".venv-tflite/lib/python3.11/site-packages/tflite_runtime"
    if not package.is_dir():
        pytest.skip("there is no .venv-tflite with tflite-runtime (make setup builds it)")
    if sys.version_info[:2] != (3, 11) or int(np.__version__.split(".")[0]) < 2:
        pytest.skip("needs Python 3.11 and numpy 2")
    (tmp_path / "tflite_runtime").symlink_to(package)
    done = run(
        "from facesecure.vision.inference.model_card import load_model\nload_model('pnet').interpreter()",
        PYTHONPATH=str(tmp_path),
        FACESECURE_RUNTIME="tflite-runtime",
    )
    assert f"tflite-runtime does not work with numpy {np.__version__}" in done.stderr
    assert "numpy<2" in done.stderr


def test_loading_a_model_writes_nothing_to_the_terminal():
    done = run("from facesecure.vision.inference.model_card import load_model\nload_model('pnet').interpreter()")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_else_in_the_daemon_imports_a_runtime():
    others = [
        path.name
        for path in (ROOT / "daemon").rglob("*.py")
        if any(f"import {name}" in path.read_text() or f"from {name}" in path.read_text() for name in RUNTIMES)
    ]
    assert others == []


RUNTIMES = ("ai_edge_litert", "tflite_runtime", "tensorflow")


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )


def test_a_32_bit_python_is_refused_with_the_reason(monkeypatch, pnet):
    monkeypatch.setattr("facesecure.vision.inference.interpreter.sys.maxsize", 2**31 - 1)
    with pytest.raises(ModelError, match="this is a 32-bit system"):
        Interpreter(pnet)
