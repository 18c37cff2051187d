"""A face and its mirror image get one embedding, also after the network was saved and converted."""

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
FACES = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), np.uint8)
TURNED = np.ascontiguousarray(FACES[:, :, ::-1])


@pytest.fixture(scope="module")
def network():
    """A network that tells a face from its mirror image."""
    from facesecure_training.networks.densenet import densenet

    tf.keras.utils.set_random_seed(0)
    made = densenet((2, 2), growth=8, embedding=16, side=32, normalise=True)
    assert np.abs(made(FACES).numpy() - made(TURNED).numpy()).max() > 0.005
    return made


@pytest.fixture(scope="module")
def mirrored(network):
    from facesecure_training.networks.mirrored import mirrored

    return mirrored(network)


def test_it_gives_the_sum_of_both_embeddings_in_length_one(network, mirrored):
    both = network(FACES).numpy() + network(TURNED).numpy()
    assert mirrored(FACES).numpy() == pytest.approx(both / np.linalg.norm(both, axis=1, keepdims=True), abs=1e-5)


def test_a_face_and_its_mirror_image_are_the_same_to_it(mirrored):
    assert mirrored(FACES).numpy() == pytest.approx(mirrored(TURNED).numpy(), abs=1e-5)


@pytest.mark.parametrize(("precision", "apart"), [("float16", 0.002), ("mixed8", 0.05), ("int8", 0.1)])
def test_it_is_exported_to_what_the_interpreter_runs(mirrored, precision, apart):
    from facesecure_training.export import operations
    from facesecure_training.export.convert import to_tflite

    content = to_tflite(mirrored, precision, [face[None] for face in FACES])
    operations.require_supported(content)
    graph = Interpreter(content)
    found = np.concatenate([graph.invoke(face[None])[0].reshape(1, -1) for face in FACES])
    assert found == pytest.approx(mirrored(FACES).numpy(), abs=apart)


def test_its_weights_are_stored_once(network, mirrored):
    from facesecure_training.export.convert import to_tflite

    assert len(to_tflite(mirrored, "float16")) < 1.2 * len(to_tflite(network, "float16"))
