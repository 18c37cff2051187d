"""The report's classifier, to the parameter, and the pixels every network takes."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure.vision.inference.interpreter import Interpreter
from facesecure_training.export.convert import to_tflite
from facesecure_training.networks.hugonet import hugonet
from facesecure_training.networks.pixels import fixed_batch, scaled

keras = pytest.importorskip("tensorflow", reason="needs the [training] extra").keras
pytestmark = pytest.mark.tensorflow


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def small():
    return hugonet(3, side=32, width=0.1)


def test_it_has_the_reports_layers():
    layers = hugonet(2).layers
    filters = [layer.filters for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    sides = [layer.output.shape[1] for layer in layers if isinstance(layer, keras.layers.MaxPooling2D)]
    units = [layer.units for layer in layers if isinstance(layer, keras.layers.Dense)]
    assert filters == [32, 64, 64, 128, 128, 128, 256, 256, 256]
    assert sides == [112, 56, 28, 14]
    assert units == [1024, 1024, 2]
    assert sum(layer.count_params() for layer in layers) == 54_333_570


def test_every_further_class_costs_1025_parameters_in_the_last_layer(small):
    dense = hugonet(7, side=32, width=0.1).layers[-1]
    assert dense.count_params() - small.layers[-1].count_params() == 4 * (scaled(1024, 0.1) + 1)


def test_it_takes_bytes_and_gives_probabilities(small, pictures):
    found = np.asarray(small(pictures))
    assert found.shape == (2, 3)
    assert found.sum(-1) == pytest.approx(1)
    assert small.input_shape == (None, 32, 32, 3)
    assert small.inputs[0].dtype == "uint8"


def test_the_first_convolution_sees_numbers_from_0_to_1(small):
    extremes = np.stack([np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)])
    seen = keras.Model(small.input, small.get_layer("zero_to_one").output)(extremes)
    assert np.unique(np.asarray(seen)).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("arguments", "message"), [({"side": 100}, "halve 100"), ({"classes": 1}, "classes is 1")])
def test_what_cannot_be_built_is_refused_in_words(arguments, message):
    with pytest.raises(UsageError, match=message):
        hugonet(**arguments)


def test_a_width_scales_filters_to_multiples_of_eight_and_one_changes_nothing():
    assert [scaled(32, 0.1), scaled(64, 0.5), scaled(100, 1.0), scaled(64, 1.3)] == [8, 32, 100, 80]


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_xnnpack_takes_all_but_the_cast_when_the_batch_is_fixed(policy, pictures, small):
    keras.mixed_precision.set_global_policy(policy)
    try:
        trained = hugonet(3, side=32, width=0.1)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    trained.set_weights(small.get_weights())
    model = fixed_batch(trained)
    graph = Interpreter(to_tflite(model, "float32"))
    assert graph.delegation.delegated == graph.delegation.nodes - 1
    assert graph.delegation.partitions == 1
    np.testing.assert_allclose(graph.invoke(pictures[:1])[0], np.asarray(small(pictures[:1])), atol=1e-5)
