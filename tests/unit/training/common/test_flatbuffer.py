"""Reading a TFLite file as operations and constants."""

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.flatbuffer import read_graph
from facesecure_training.export.quantise import rounded_per_channel, with_int8_kernels


def test_p_nets_operations_come_in_order_with_their_constants():
    graph = read_graph(load_model("pnet").content)
    kinds = [operation.kind for operation in graph.operations]
    assert kinds[:4] == ["CAST", "CONV_2D", "PRELU", "MAX_POOL_2D"]
    assert graph.operations[0].inputs == (graph.input,)
    first = graph.operations[1]
    assert graph.constants[first.inputs[2]].shape == (10,)
    assert (first.stride, first.padding) == (1, "valid")
    assert graph.operations[3].stride == 2


@pytest.mark.parametrize("wrong", [b"", b"a text file", bytes(4) + b"TFL3" + b"\xff" * 64])
def test_what_is_no_tflite_file_is_refused(wrong):
    with pytest.raises(ModelError, match="TFLite file"):
        read_graph(wrong)


def test_rounding_a_kernel_errs_by_half_a_step_at_most_and_keeps_zero():
    kernel = (
        np.random.default_rng(1).normal(size=(8, 3, 3, 4)).astype(np.float32)
        * np.geomspace(1e-3, 10, 8)[:, None, None, None]
    )
    kernel = kernel.astype(np.float32)
    kernel[3] = 0
    scale, rounded = rounded_per_channel(kernel)
    back = rounded * scale[:, None, None, None]
    assert (np.abs(back - kernel).reshape(8, -1).max(1) <= scale * 0.5001).all()
    assert not rounded[3].any()
    assert np.abs(rounded.astype(int)).max() == 127


def test_int8_kernels_change_little_and_xnnpack_still_takes_all_of_them():
    from facesecure.vision.inference.interpreter import Interpreter

    model = load_model("pnet")
    golden = model.card.golden
    small = Interpreter(with_int8_kernels(model.content), input_shape=golden.shape)
    exact = model.interpreter(input_shape=golden.shape)
    for ours, theirs in zip(small.invoke(golden.input()), exact.invoke(golden.input()), strict=True):
        assert 0 < np.abs(ours - theirs).max() < 0.1
    assert small.delegation == exact.delegation


def test_only_the_chosen_kernels_become_int8():
    model = load_model("pnet")
    untouched = with_int8_kernels(model.content, lambda shape: False)
    box_only = with_int8_kernels(model.content, lambda shape: shape[0] == 4)
    assert len(read_graph(untouched).constants) == len(read_graph(model.content).constants)
    assert len(read_graph(box_only).constants) == len(read_graph(model.content).constants) - 1
