"""A network that was trained in mixed precision is read as one of float32, which every interpreter runs."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.vision.inference.interpreter import Interpreter

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
FACES = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), np.uint8)


@pytest.fixture
def trained(tmp_path):
    """The file of a network that computes in bfloat16, and what it answers."""
    from facesecure_training.networks.densenet import densenet

    tf.keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = densenet((2, 2), growth=8, embedding=16, side=32, normalise=True)
    finally:
        tf.keras.config.set_dtype_policy("float32")
    assert "bfloat16" in {layer.compute_dtype for layer in network.layers}
    network.save(tmp_path / "best.keras")
    return tmp_path, network(FACES).numpy()


def test_what_was_trained_in_mixed_precision_computes_in_float32_and_answers_the_same(trained):
    from facesecure_training.networks import saved

    folder, answers = trained
    network = saved.read(folder)
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert network(FACES).numpy() == pytest.approx(answers, abs=0.02)


def test_it_is_exported_to_what_the_interpreter_runs(trained):
    from facesecure_training.export.convert import to_tflite
    from facesecure_training.networks import saved

    folder, answers = trained
    graph = Interpreter(to_tflite(saved.read(folder), "float16"))
    assert np.concatenate([graph.invoke(face[None])[0].reshape(1, -1) for face in FACES]) == pytest.approx(
        answers, abs=0.02
    )
