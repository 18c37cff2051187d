"""Networks written operation by operation, run by the real interpreter and compared with plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facesecure.vision.inference.conversion.flatbuffer_writer import Scalar, Table, flatbuffer
from facesecure.vision.inference.conversion.tflite_writer import Floats, TfliteWriter
from facesecure.vision.inference.interpreter import Interpreter

SIDE = 8


def numbers(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 0.5, shape).astype(np.float32)


def image() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (1, SIDE, SIDE, 3)).astype(np.uint8)


def convolved(x: NDArray[np.float64], kernel: Floats, stride: int, margin: int) -> NDArray[np.float64]:
    """Convolve (height, width, channels) as PyTorch does with that padding."""
    padded = np.pad(x, ((margin, margin), (margin, margin), (0, 0)))
    size = kernel.shape[2]
    rows = range(0, padded.shape[0] - size + 1, stride)
    columns = range(0, padded.shape[1] - size + 1, stride)
    windows = [[padded[r : r + size, c : c + size] for c in columns] for r in rows]
    return np.asarray(np.einsum("rcijk,okij->rco", np.array(windows), kernel.astype(np.float64)))


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_is_padded_as_pytorch_pads_it(stride: int) -> None:
    network, kernel, bias = TfliteWriter("one"), numbers(1, 5, 3, 3, 3), numbers(2, 5)
    content = network.finish(network.convolution(network.image(SIDE), kernel, bias, stride))
    (found,) = Interpreter(content).invoke(image())
    wanted = convolved(image()[0].astype(np.float64), kernel, stride, margin=1) + bias
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(("stride", "padded"), [(1, True), (2, True), (1, False)])
def test_a_depthwise_convolution_treats_each_channel_by_itself(stride: int, padded: bool) -> None:
    network, kernel, bias = TfliteWriter("one"), numbers(3, 3, 1, 3, 3), numbers(4, 3)
    content = network.finish(network.depthwise(network.image(SIDE), kernel, bias, stride, padded=padded))
    (found,) = Interpreter(content).invoke(image())
    channels = [
        convolved(image()[0, ..., [one]].transpose(1, 2, 0).astype(np.float64), kernel[[one]], stride, int(padded))
        for one in range(3)
    ]
    np.testing.assert_allclose(found[0], np.concatenate(channels, -1) + bias, rtol=1e-4, atol=1e-2)


def test_the_other_operations_do_what_they_are_called() -> None:
    network, weights = TfliteWriter("rest"), numbers(5, 4, 3) / np.float32(50)
    x = network.image(SIDE)
    weighed = network.scaled(x, network.sigmoid(network.mean(network.prelu(x, numbers(6, 3)))))
    means = network.mean(network.add(weighed, weighed))
    content = network.finish(network.softmax(network.dense(network.flat(means), weights, numbers(7, 4))))
    (found,) = Interpreter(content).invoke(image())
    mean = image()[0].reshape(-1, 3).astype(np.float64).mean(0)
    logits = (2 * mean / (1 + np.exp(-mean))) @ weights.T + numbers(7, 4)
    wanted = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4)


def test_the_same_values_give_the_same_bytes_in_any_order_of_fields() -> None:
    one = flatbuffer(Table({0: Scalar("I", 3), 2: "text", 1: Scalar("b", 1)}), b"TEST")
    assert one == flatbuffer(Table({2: "text", 1: Scalar("b", 1), 0: Scalar("I", 3)}), b"TEST")
    assert one[4:8] == b"TEST"
