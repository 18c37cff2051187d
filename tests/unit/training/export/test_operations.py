"""What a file asks of a runtime, held against what the runtimes have, and that against the runtimes themselves."""

import importlib
import json
import os
import subprocess
import sys

import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.model_card import load_model
from facesecure_training.export.operations import (
    RequiredOperation,
    _known,
    missing_operations,
    require_supported,
    required_operations,
    tpu_problems,
)
from support.training.tiny_networks import OTHER_PYTHON

pytest.importorskip("ai_edge_litert", reason="reads TFLite files by LiteRT's schema")

ASK = """
import json, sys
from facesecure.domain.errors import ModelError
from facesecure.vision.inference.interpreter import Interpreter
answers = []
for text in json.load(sys.stdin):
    try:
        Interpreter(bytes.fromhex(text))
        answers.append(True)
    except ModelError:
        answers.append(False)
print(json.dumps(answers))
"""
SAMPLED = [
    "FULLY_CONNECTED",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "SOFTMAX",
    "MUL",
    "CONCATENATION",
    "PRELU",
]


def asking_for(kind: str, version: int, custom: str | None = None) -> bytes:
    """P-Net, with one more operation code that it does not use; interpreters look all of them up."""
    from ai_edge_litert import schema_py_generated as schema

    flatbuffers = importlib.import_module("flatbuffers")
    content = load_model("pnet").content
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode, code.version, code.customCode = min(code.builtinCode, 127), version, custom
    model.operatorCodes.append(code)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_a_file_says_what_it_asks_for():
    found = required_operations(load_model("pnet").content)
    assert RequiredOperation("CONV_2D", 1) in found or any(one.kind == "CONV_2D" for one in found)
    assert {"CAST", "CONV_2D", "MAX_POOL_2D"} <= {one.kind for one in found}


@pytest.mark.parametrize("name", ["pnet", "rnet", "onet", "mobilefacenet", "mobilefacenet-float16"])
def test_what_is_bundled_is_not_refused(name):
    require_supported(load_model(name).content)


def test_the_dense_layer_of_a_new_dynamic_range_export_is_refused_for_its_version():
    with pytest.raises(ModelError, match=r"tflite-runtime 2\.14\.0 cannot run FULLY_CONNECTED version 12; .* 10"):
        require_supported(asking_for("FULLY_CONNECTED", 12))
    assert missing_operations(asking_for("FULLY_CONNECTED", 12), "litert") == []


def test_flex_and_custom_operations_are_refused_by_name():
    with pytest.raises(ModelError, match="the custom operation FlexErfinv"):
        require_supported(asking_for("CUSTOM", 1, "FlexErfinv"))


def test_a_float_graph_is_nothing_for_an_edge_tpu():
    problems = tpu_problems(load_model("pnet").content)
    assert any("CAST: not on the list" in one for one in problems)


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_the_table_is_what_the_runtime_itself_says(runtime):
    """For some kinds the newest version builds, and the next one does not."""
    if runtime == "tflite-runtime" and not OTHER_PYTHON.exists():
        pytest.skip("there is no .venv-tflite with tflite-runtime (make setup builds it)")
    newest = _known()[runtime]["newest"]
    questions = [asking_for(kind, newest[kind] + more).hex() for kind in SAMPLED for more in (0, 1)]
    python = OTHER_PYTHON if runtime == "tflite-runtime" else sys.executable
    done = subprocess.run(
        [python, "-c", ASK], input=json.dumps(questions), env={**os.environ, "FACESECURE_RUNTIME": runtime},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    answers = json.loads(done.stdout)
    older = [kind for kind, builds in zip(SAMPLED, answers[::2], strict=True) if not builds]
    assert not older, f"{runtime} is older than operations.json says: {older}"
    if runtime == "tflite-runtime":  # there will be no other release of it; LiteRT may well learn more
        assert not any(answers[1::2])


def test_what_is_no_tflite_file_is_refused():
    with pytest.raises(ModelError, match="not a TFLite file"):
        required_operations(b"nothing of the kind")
