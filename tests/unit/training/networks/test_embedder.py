"""MobileFaceNet from the paper's table, and that it can be trained with people's names or by another network."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure.vision.inference.interpreter import Interpreter
from facesecure_training.export.convert import to_tflite
from facesecure_training.networks.embedder import embedder, with_cosine_head
from facesecure_training.networks.pixels import fixed_batch

keras = pytest.importorskip("tensorflow", reason="needs the [training] extra").keras
pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def tiny(**options):
    return embedder(16, width=0.125, side=32, stages=((2, 64, 2, 2),), **options)


@pytest.fixture
def people() -> tuple[np.ndarray, np.ndarray]:
    """(pictures, labels): three patterns, each eight times under noise."""
    chance = np.random.default_rng(4)
    patterns, labels = chance.integers(40, 215, (3, 32, 32, 3)), np.repeat([0, 1, 2], 8)
    return np.clip(patterns[labels] + chance.normal(0, 20, (24, 32, 32, 3)), 0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def paper():
    return embedder()


def test_it_is_the_papers_network_of_a_million_parameters(paper):
    kernels = [layer for layer in paper.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)]
    assert len(kernels) == 2 + 3 * (5 + 1 + 6 + 1 + 2) + 3
    assert sum(int(np.prod(one.kernel.shape)) for one in kernels) == 976_000
    assert sum(int(np.prod(one.shape)) for one in paper.trainable_weights) == 1_003_136


def test_the_map_before_the_end_is_7_by_7_and_512_deep(paper):
    last = [layer for layer in paper.layers if isinstance(layer, keras.layers.DepthwiseConv2D)][-1]
    assert last.input.shape == (None, 7, 7, 512)
    assert last.kernel.shape[:2] == (7, 7)
    assert last.output.shape == (None, 1, 1, 512)


def test_half_the_width_is_some_quarter_of_the_weights(paper):
    assert 0.2 < embedder(width=0.5).count_params() / paper.count_params() < 0.35


@pytest.mark.parametrize("activation", ["prelu", "relu"])
def test_the_export_is_all_xnnpacks_and_gives_length_1(activation, people):
    model = fixed_batch(tiny(activation=activation))
    graph = Interpreter(to_tflite(model, "float32"))
    vector = graph.invoke(people[0][:1])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert graph.delegation.partitions == 1
    np.testing.assert_allclose(vector, np.asarray(model(people[0][:1])), atol=1e-5)


def test_arcface_teaches_it_to_put_one_persons_pictures_together(people):
    from facesecure_training.networks.arcface import ArcFace

    keras.utils.set_random_seed(1)
    pictures, labels = people
    network = tiny()
    model = with_cosine_head(network, 3)
    model.compile(keras.optimizers.Adam(0.01), loss=ArcFace(0.3, 16), run_eagerly=True)
    model.fit(pictures, labels, epochs=12, batch_size=24, verbose=0)
    embeddings = np.asarray(network(pictures, training=True))  # the running means are young yet
    cosines, same = embeddings @ embeddings.T, labels[:, None] == labels
    assert cosines[same].min() > cosines[~same].max()


def test_a_pupil_comes_nearer_to_its_teacher(people):
    from facesecure_training.recipes.embed import distillation

    keras.utils.set_random_seed(2)
    pictures, labels = people
    wanted = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 3)))[0].T[labels].astype(np.float32)
    model = tiny(activation="relu")
    model.compile(keras.optimizers.Adam(0.01), loss=distillation, run_eagerly=True)
    losses = model.fit(pictures, wanted, epochs=25, batch_size=24, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"side": 100}, "halve 100"), ({"activation": "tanh"}, "'tanh'"), ({"embedding": 1}, "embedding is 1")],
)
def test_what_cannot_be_built_is_refused_in_words(arguments, message):
    with pytest.raises(UsageError, match=message):
        embedder(**arguments)
