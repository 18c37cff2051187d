"""Edited TFLite files compute what they did before."""

import collections

import numpy as np
import pytest

from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import golden_input, load_model
from facesecure_training.common.flatbuffer import parse_model
from facesecure_training.export.surgery import with_float32_constants, with_uint8_input

SHAPE = (1, 112, 112, 3)


@pytest.fixture(scope="module")
def halved() -> bytes:
    return load_model("mobilefacenet-float16").content


def kinds(content: bytes) -> collections.Counter[str]:
    model, schema = parse_model(content)
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    return collections.Counter(names[codes[one.opcodeIndex]] for one in model.subgraphs[0].operators)


def test_constants_become_float32_without_an_operation_that_widens_them(halved):
    widened = with_float32_constants(halved)
    assert kinds(halved)["DEQUANTIZE"] > 0
    assert kinds(widened)["DEQUANTIZE"] == 0
    image = golden_input(SHAPE, 14, "surgery")
    np.testing.assert_array_equal(Interpreter(widened).invoke(image)[0], Interpreter(halved).invoke(image)[0])


def test_no_tensor_is_left_that_nothing_needs(halved):
    graph = parse_model(with_float32_constants(halved))[0].subgraphs[0]
    used = {int(tensor) for one in graph.operators for tensor in (*one.inputs, *one.outputs)}
    assert used == set(range(len(graph.tensors)))


def test_widening_twice_changes_nothing(halved):
    once = with_float32_constants(halved)
    assert kinds(with_float32_constants(once)) == kinds(once)


def test_uint8_is_scaled_and_shifted_before_a_float_graph(halved):
    floats = without_its_cast(with_float32_constants(halved))
    graph, given = Interpreter(with_uint8_input(floats, 0.5, 3.0)), golden_input(SHAPE, 14, "surgery")
    assert graph.inputs[0].dtype == np.uint8
    expected = Interpreter(floats).invoke(given.astype(np.float32) * np.float32(0.5) + np.float32(3))[0]
    np.testing.assert_allclose(graph.invoke(given)[0], expected, atol=1e-6)


def without_its_cast(content: bytes) -> bytes:
    """Return ``content`` with what comes after its first operation, the cast from uint8, as the whole graph."""
    from facesecure_training.common.flatbuffer import pack_model

    model, _ = parse_model(content)
    graph = model.subgraphs[0]
    cast, *graph.operators = graph.operators
    graph.inputs = [int(cast.outputs[0])]
    return pack_model(model)
