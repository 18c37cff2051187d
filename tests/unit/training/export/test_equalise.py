"""A network that is rewritten for int8 computes what it computed, and keeps channels of small values."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.vision.inference.interpreter import Interpreter

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
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
            each = tuple(range(seen.ndim - 1))
            layer.moving_mean.assign(seen.mean(each))
            layer.moving_variance.assign(seen.var(each))
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
    found = (keras.tree.flatten(network(one.astype(dtype))) for one in PICTURES)
    return np.stack([np.concatenate([np.ravel(part) for part in parts]) for parts in found])


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


def within_another(inner, fed, **how):
    """Return a network that feeds ``inner`` with ``fed(image)``."""
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    return keras.Model(image, keras.tree.flatten(inner(fed(image), **how)))


def within(network):
    return next(layer for layer in network.layers if isinstance(layer, keras.Model))


def small(dtype="float32"):
    image = keras.Input((SIDE, SIDE, 3), dtype=dtype)
    keras.utils.set_random_seed(2)
    return used(keras.Model(image, ended(keras.layers.Concatenate()(branches(image)))))


def test_a_network_within_another_is_rewritten_too():
    network = mirrored(uneven())
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-5)
    assert "OnePixel" in kinds(within(copy))


def test_a_network_within_another_that_gives_its_maps_too_leaves_them_as_they_are():
    inner = small()
    inner = keras.Model(inner.input, [inner.output, inner.get_layer("one").output])
    network = within_another(inner, keras.layers.Rescaling(1.0))
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-4)
    assert "OnePixel" in kinds(within(copy))


def by_the_batch():
    return within_another(small(), keras.layers.Rescaling(1.0), training=True)


def of_bytes():
    return within_another(small("uint8"), keras.layers.Rescaling(0.3))


def in_sequence():
    layers = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.BatchNormalization()]
    return within_another(keras.Sequential(layers), keras.layers.Rescaling(1 / 255))


@pytest.mark.parametrize("network", [by_the_batch, of_bytes, in_sequence])
def test_another_network_within_another_computes_what_it_did(network):
    network = network()
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-4)


def test_a_network_of_a_list_of_inputs_is_rewritten_too():
    network = small()
    copy = rewritten(keras.Model([network.input], network.output))
    found = np.concatenate([copy([one.astype(np.float32)]).numpy() for one in PICTURES])
    assert found == pytest.approx(outputs(network), abs=1e-4)
    assert "OnePixel" in kinds(copy)


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


def _above_a_threshold(one, other):
    return ended(keras.layers.Concatenate()([keras.layers.ReLU(threshold=0.1)(one), other]))


def _adapted(one, other):
    low = keras.layers.Conv2D(4, 1, lora_rank=2, name="low")(one)
    return ended(keras.layers.Concatenate()([low, other]))


def _channels_first(one, other):
    pooled = [keras.layers.MaxPooling2D(2, data_format="channels_first", padding="same")(x) for x in (one, other)]
    return ended(keras.layers.Concatenate()(pooled))


def _activated_by(name):
    def end(one, other):
        activated = keras.layers.Conv2D(4, 1, activation=name, name="activated")(one)
        return ended(keras.layers.Concatenate()([activated, other]))

    return end


def _normalised_without_a_factor(one, other):
    return ended(keras.layers.Concatenate()([keras.layers.BatchNormalization(scale=False)(one), other]))


def _normalised_without_an_offset(one, other):
    return ended(keras.layers.Concatenate()([keras.layers.BatchNormalization(center=False)(one), other]))


def _of_a_normalised_sum(one, other):
    total = keras.layers.BatchNormalization(name="total")(keras.layers.Add()([one, other]))
    return ended(keras.layers.Concatenate()([total, other]))


def _read_at_the_end(one, other):
    both = keras.layers.Concatenate()([one, other])
    return [ended(both), both]


def _normalised_by_the_batch(one, other):
    both = keras.layers.Concatenate()([one, other])
    return keras.layers.Flatten()(keras.layers.BatchNormalization(name="bn")(both, training=True))


def _of_vectors(one, other):
    vectors = [keras.layers.GlobalAveragePooling2D()(x) for x in (one, other)]
    return keras.layers.BatchNormalization(name="vectors")(keras.layers.Concatenate()(vectors))


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
        (_above_a_threshold, {"other"}),
        (_adapted, {"other"}),
        (_channels_first, set()),
        (_rectified_besides, {"other"}),
        (_of_another_kind, {"other"}),
        (_activated_by("relu"), {"activated", "other"}),
        (_activated_by("tanh"), {"other"}),
        (_normalised_without_a_factor, {"other"}),
        (_normalised_without_an_offset, {"other"}),
        (_of_a_normalised_sum, set()),
        (_read_at_the_end, set()),
        (_normalised_by_the_batch, set()),
        (_of_vectors, set()),
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
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-4)
    assert (copy.get_layer("shared").get_weights()[0] == shared.get_weights()[0]).all()


def _dropped(x):
    return keras.layers.Dropout(0.5)(keras.layers.Conv2D(4, 3)(x))


@pytest.mark.parametrize(
    ("before", "a_part"),
    [
        (keras.layers.Conv2D(4, 3), True),
        (keras.layers.DepthwiseConv2D(3), True),
        (keras.layers.SeparableConv2D(4, 3), True),
        (_dropped, True),
        (keras.layers.Conv2D(4, 3, activation="relu"), False),
        (keras.layers.Activation("tanh"), False),
        (keras.layers.MaxPooling2D(2), False),
    ],
)
def test_a_normalisation_becomes_a_convolution_unless_it_becomes_a_part_of_one(before, a_part):
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    network = used(keras.Model(image, ended(before(keras.layers.Rescaling(1 / 255)(image)))))
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-4)
    assert ("OnePixel" not in kinds(copy)) == a_part


def _rectified(maps):
    return maps, keras.layers.Activation("relu")(maps)


def _as_they_are(maps):
    return maps, maps


def _after_dropout(maps):
    dropped = keras.layers.Dropout(0.5)(maps)
    return dropped, keras.layers.Activation("relu")(dropped)


@pytest.mark.parametrize("otherwise", [_rectified, _as_they_are, _after_dropout])
def test_a_normalisation_of_maps_that_are_also_read_otherwise_becomes_a_convolution(otherwise):
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    maps, read = otherwise(keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(image)))
    network = used(keras.Model(image, [ended(maps), read]))
    copy = rewritten(network)
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-4)
    assert "OnePixel" in kinds(copy)


@pytest.mark.parametrize("alive", [[0, 1, 1, 0], [0, 0, 0, 0]])
def test_a_channel_that_never_changes_has_a_range_all_the_same(alive):
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    keras.utils.set_random_seed(2)
    one, other = branches(image)
    network = keras.Model(image, ended(keras.layers.Concatenate()([one, other])))
    for layer in (network.get_layer("one"), network.get_layer("other")):
        layer.set_weights([one * np.float32(alive) for one in layer.get_weights()])
    copy = rewritten(used(network))
    assert np.isfinite(outputs(copy)).all()
    assert outputs(copy) == pytest.approx(outputs(network, np.uint8), abs=1e-3)
