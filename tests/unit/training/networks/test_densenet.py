"""DenseNet against the paper's table 1, and the siamese pair made of it."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure.vision.inference.interpreter import Interpreter
from facesecure_training.export.convert import to_tflite
from facesecure_training.networks.densenet import DENSENET_121, DENSENET_169, DENSENET_201, SMALL, densenet, depth
from facesecure_training.networks.pixels import fixed_batch
from facesecure_training.networks.siamese import siamese

keras = pytest.importorskip("tensorflow", reason="needs the [training] extra").keras
pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def tiny(**options):
    return densenet((2, 3), growth=4, side=32, embedding=5, **options)


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def densenet_121():
    return densenet(side=224)


def test_densenet_121_with_32_numbers_has_7_07_million_parameters(densenet_121):
    assert densenet_121.count_params() == 7_070_304
    assert densenet_121.output_shape == (None, 32)


def test_the_small_one_has_a_sixteenth_of_that():
    assert densenet(SMALL, growth=16).count_params() == 429_200


@pytest.mark.parametrize(
    ("layer", "side", "channels"),
    [
        ("stem_conv", 112, 64),
        ("stem", 56, 64),
        ("block1_unit6", 56, 256),
        ("transition1", 28, 128),
        ("block2_unit12", 28, 512),
        ("transition2", 14, 256),
        ("block3_unit24", 14, 1024),
        ("transition3", 7, 512),
        ("block4_unit16", 7, 1024),
    ],
)
def test_sides_and_widths_are_those_of_the_papers_table(densenet_121, layer, side, channels):
    assert densenet_121.get_layer(layer).output.shape == (None, side, side, channels)


def test_the_names_count_convolutions_and_the_dense_layer(densenet_121):
    assert [depth(blocks) for blocks in (DENSENET_121, DENSENET_169, DENSENET_201)] == [121, 169, 201]
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    assert sum(isinstance(layer, kinds) for layer in densenet_121.layers) == 121


def test_a_unit_keeps_what_came_in_and_puts_growth_channels_beside_it(pictures):
    model = tiny()
    unit = model.get_layer("block1_unit1")
    before, after = (
        np.asarray(keras.Model(model.input, tensor)(pictures))
        for tensor in (model.get_layer("stem").output, unit.output)
    )
    assert after.shape[-1] == before.shape[-1] + 4
    assert (after[..., : before.shape[-1]] == before).all()


def test_every_convolution_but_the_stems_has_batch_normalisation_and_relu_before_it():
    for layer in tiny().layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.name != "stem_conv":
            relu = layer.input._keras_history.operation
            assert isinstance(relu, keras.layers.ReLU)
            assert isinstance(relu.input._keras_history.operation, keras.layers.BatchNormalization)


def test_compression_theta_keeps_its_share_of_the_channels():
    assert tiny(theta=0.25).get_layer("transition1").output.shape[-1] == 4  # of 2 * 4 + 2 * 4
    assert tiny(theta=1.0).get_layer("transition1").output.shape[-1] == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"blocks": ()}, "blocks is 0"),
        ({"theta": 0.0}, "theta is 0"),
        ({"blocks": (1,) * 6, "side": 32}, "too many for"),
    ],
)
def test_a_network_that_cannot_be_is_refused_in_words(arguments, message):
    with pytest.raises(UsageError, match=message):
        densenet(**{"blocks": (1, 1), **arguments})


def test_the_exported_embedder_is_all_xnnpacks_and_of_length_1(pictures):
    model = fixed_batch(tiny(normalise=True))
    graph = Interpreter(to_tflite(model, "float32"))
    vector = graph.invoke(pictures[:1])[0]
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert graph.delegation.partitions == 1
    np.testing.assert_allclose(vector, np.asarray(model(pictures[:1])), atol=1e-5)


def test_a_siamese_network_has_one_set_of_weights_and_does_not_mind_who_comes_first(pictures):
    network = tiny()
    pair = siamese(network)
    one, other = pictures[:2], pictures[2:]
    assert pair.count_params() == network.count_params()
    assert np.asarray(pair((one, other))) == pytest.approx(np.asarray(pair((other, one))), abs=1e-6)
    difference = np.asarray(network(one)) - np.asarray(network(other))
    assert np.asarray(pair((one, other))) == pytest.approx(np.linalg.norm(difference, axis=-1), rel=1e-4)


def test_training_the_pair_trains_the_network(pictures):
    from facesecure_training.networks.contrastive import Contrastive

    network = tiny()
    before = network.get_layer("vector").get_weights()[0].copy()
    pair = siamese(network)
    pair.compile(keras.optimizers.SGD(0.1), loss=Contrastive(), run_eagerly=True)
    pair.fit((pictures, pictures[::-1]), np.array([0, 1, 1, 0]), batch_size=4, verbose=0)
    assert np.abs(network.get_layer("vector").get_weights()[0] - before).max() > 0
