"""A network that is rewritten for int8 computes what it computed, and keeps channels of small values."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.vision.inference.interpreter import Interpreter

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")

from facesecure_training.export import convert  # noqa: E402
from facesecure_training.export.equalise import equalised  # noqa: E402
from facesecure_training.networks.densenet import densenet  # noqa: E402
from facesecure_training.networks.mirrored import mirrored  # noqa: E402
from facesecure_training.networks.pixels import fixed_batch  # noqa: E402

keras = tf.keras
SIDE = 32
RANDOM = np.random.default_rng(0)
PICTURES = [np.kron(RANDOM.integers(0, 256, (1, 8, 8, 3)), np.ones((1, 4, 4, 1))).astype(np.uint8) for _ in range(24)]


def used(network):
    """Let batch normalisations know the ranges of ``network`` on PICTURES, as after a training."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            seen = keras.Model(network.input, layer.input)(np.concatenate(PICTURES)).numpy()
            layer.moving_mean.assign(seen.mean((0, 1, 2)))
            layer.moving_variance.assign(seen.var((0, 1, 2)))
    return network


def uneven():
    """Return a DenseNet some of whose channels are a thousand times larger than others."""
    keras.utils.set_random_seed(1)
    network = densenet((2, 3, 2), growth=8, embedding=8, side=SIDE, normalise=True)
    for layer in network.layers:
        if layer.name.endswith("b_conv"):
            kernel = layer.get_weights()[0]
            layer.set_weights([kernel * np.logspace(-2, 1, kernel.shape[-1], dtype=np.float32)])
    return used(network)


def rewritten(network):
    image = keras.Input(batch_shape=(1, SIDE, SIDE, 3), dtype="float32")
    return equalised(fixed_batch(network), image, lambda layer: type(layer).from_config(layer.get_config()))


def outputs(network, dtype=np.float32):
    return np.concatenate([network(one.astype(dtype)).numpy() for one in PICTURES])


def kinds(network):
    return [type(layer).__name__ for layer in network.layers]


def least_cosine(network):
    there = Interpreter(convert.to_tflite(network, "int8", PICTURES))
    found = np.concatenate([there.invoke(one)[0].reshape(1, -1) for one in PICTURES])
    wanted = outputs(network, np.uint8)
    return float(((found * wanted).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)).min())


def test_a_densenet_with_uneven_channels_survives_int8(monkeypatch):
    network = uneven()
    now = least_cosine(network)

    def plain(model, image, clone):
        copy = keras.models.clone_model(model, image, clone_function=clone)
        copy.set_weights(model.get_weights())
        return copy

    monkeypatch.setattr(convert, "equalised", plain)
    assert now > 0.9
    assert least_cosine(network) < 0.7, "what the rewriting is for"


def test_what_a_densenet_computes_remains_the_same_and_only_normalisations_after_a_convolution_remain():
    network = uneven()
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-5)
    for layer in copy.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert isinstance(layer.input._keras_history.operation, keras.layers.Conv2D)
    assert kinds(copy).count("OnePixel") == 7 + 2 + 1, "a unit's first, a transition's, and the last"


def test_what_is_concatenated_has_the_same_range_in_every_channel():
    copy = rewritten(uneven())
    maps = keras.Model(copy.input, copy.get_layer("block2_unit3").output)
    found = np.concatenate([maps(one.astype(np.float32)).numpy() for one in PICTURES])
    reach = np.abs(found.mean((0, 1, 2))) + 4 * found.std((0, 1, 2))
    assert reach == pytest.approx(np.ones_like(reach), rel=0.1)


def test_a_network_within_another_is_rewritten_too():
    network = mirrored(uneven())
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-5)
    within = next(layer for layer in copy.layers if isinstance(layer, keras.Model))
    assert "OnePixel" in kinds(within)


def branches(image):
    x = keras.layers.Rescaling(1 / 255)(image)
    return [keras.layers.Conv2D(4, 3, padding="same", name=name)(x) for name in ("one", "other")]


def ended(x):
    return keras.layers.Flatten()(keras.layers.BatchNormalization(scale=False, center=False, name="bn")(x))


def _capped(one, other):
    return ended(keras.layers.Concatenate()([keras.layers.ReLU(max_value=0.1)(one), other]))


def _not_normalised(one, other):
    both = keras.layers.Concatenate()([one, other])
    return keras.layers.Concatenate()([ended(both), keras.layers.Flatten()(both)])


def _pooled_first(one, other):
    return ended(keras.layers.AveragePooling2D(2)(keras.layers.Concatenate()([one, other])))


def _rectified_besides(one, other):
    return ended(keras.layers.Concatenate()([one, keras.layers.ReLU()(one), keras.layers.Dropout(0.5)(other)]))


def _of_another_kind(one, other):
    class Doubled(keras.layers.ReLU):
        def call(self, inputs):
            return 2 * super().call(inputs) + 1

    return ended(keras.layers.Concatenate()([Doubled()(one), other]))


def _activated_by(name):
    def end(one, other):
        activated = keras.layers.Conv2D(4, 1, activation=name, name="activated")(one)
        return ended(keras.layers.Concatenate()([activated, other]))

    return end


def _normalised_without_a_factor(one, other):
    return ended(keras.layers.Concatenate()([keras.layers.BatchNormalization(scale=False)(one), other]))


def _within_a_network_of_named_inputs(one, other):
    a, b = (keras.Input(part.shape[1:], name=name) for part, name in ((one, "a"), (other, "b")))
    return keras.Model({"a": a, "b": b}, ended(keras.layers.Concatenate()([a, b])))({"a": one, "b": other})


def _upright(one, other):
    return ended(keras.layers.Concatenate(axis=1)([one, other]))


def _rectified_and_pooled(one, other):
    small = keras.layers.MaxPooling2D(2, padding="same")(keras.layers.ReLU()(one))
    return ended(keras.layers.Concatenate()([small, keras.layers.AveragePooling2D(2, padding="same")(other)]))


def kernels(network):
    found = (layer for layer in network.layers if type(layer) is keras.layers.Conv2D)
    return {layer.name: layer.get_weights()[0] for layer in found}


@pytest.mark.parametrize(
    ("end", "scaled"),
    [
        (_rectified_and_pooled, {"one", "other"}),
        (_capped, {"other"}),
        (_rectified_besides, {"other"}),
        (_of_another_kind, {"other"}),
        (_activated_by("relu"), {"activated", "other"}),
        (_activated_by("tanh"), {"other"}),
        (_normalised_without_a_factor, {"other"}),
        (_pooled_first, set()),
        (_within_a_network_of_named_inputs, set()),
        (_not_normalised, set()),
        (_upright, set()),
    ],
)
def test_only_channels_whose_scale_every_reader_takes_back_are_scaled(end, scaled):
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    keras.utils.set_random_seed(2)
    network = used(keras.Model(image, end(*branches(image))))
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-4)
    assert {name for name, kernel in kernels(network).items() if (kernels(copy)[name] != kernel).any()} == scaled


def test_a_channel_that_is_also_read_without_a_normalisation_is_left():
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    keras.utils.set_random_seed(2)
    one, other = branches(image)
    both = ended(keras.layers.Concatenate()([one, other]))
    network = used(keras.Model(image, keras.layers.Concatenate()([both, keras.layers.Flatten()(one)])))
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-4)
    assert (copy.get_layer("one").get_weights()[0] == network.get_layer("one").get_weights()[0]).all()


def test_a_layer_that_is_used_twice_is_left():
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    keras.utils.set_random_seed(2)
    shared = keras.layers.Conv2D(4, 3, padding="same", name="shared")
    x = keras.layers.Rescaling(1 / 255)(image)
    network = used(keras.Model(image, ended(keras.layers.Concatenate()([shared(x), shared(-x)]))))
    assert outputs(rewritten(network)) == pytest.approx(outputs(network, np.uint8), abs=1e-4)


def test_a_channel_that_never_changes_has_a_range_all_the_same():
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    keras.utils.set_random_seed(2)
    one, other = branches(image)
    network = keras.Model(image, ended(keras.layers.Concatenate()([one, other])))
    for layer in (network.get_layer("one"), network.get_layer("other")):
        layer.set_weights([one * np.float32([0, 1, 1, 0]) for one in layer.get_weights()])
    copy = rewritten(used(network))
    assert np.isfinite(outputs(copy)).all()
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-3)
