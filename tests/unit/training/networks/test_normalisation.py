"""Batch normalisation in one operation is Keras' own, in what it returns, keeps and learns."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
keras = tf.keras
IMAGES = np.random.default_rng(1).normal(2.0, 3.0, (6, 4, 4, 5)).astype(np.float32)


def both():
    from facesecure_training.networks.normalisation import FusedBatchNormalization

    layers = [kind(momentum=0.7, epsilon=1e-3) for kind in (keras.layers.BatchNormalization, FusedBatchNormalization)]
    for layer in layers:
        layer.build(IMAGES.shape)
        layer.set_weights([np.linspace(0.5, 2, 5), np.linspace(-1, 1, 5), np.zeros(5), np.ones(5)])
    return layers


def learnt(layer) -> list[np.ndarray]:
    """The output of a training step, and its gradients towards the input, gamma and beta."""
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        output = layer(images, training=True)
        loss = tf.reduce_sum(tf.cast(output, tf.float32) ** 3)
    gradients = tape.gradient(loss, [images, *layer.trainable_variables])
    return [output.numpy(), *(one.numpy() for one in gradients)]


def test_a_step_returns_and_learns_what_keras_does_and_keeps_the_same_running_means():
    theirs, ours = both()
    for first, second in zip(learnt(theirs), learnt(ours), strict=True):
        assert second == pytest.approx(first, rel=2e-3, abs=2e-3)
    for first, second in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        assert second == pytest.approx(first, rel=1e-4, abs=1e-5)


def test_outside_of_training_and_frozen_it_uses_the_running_means():
    theirs, ours = both()
    assert (ours(IMAGES, training=False).numpy() == theirs(IMAGES, training=False).numpy()).all()
    ours.trainable = False
    before = [one.copy() for one in ours.get_weights()]
    ours(IMAGES, training=True)
    assert all((one == other).all() for one, other in zip(before, ours.get_weights(), strict=True))


def test_a_saved_network_is_read_again(tmp_path):
    from facesecure_training.networks.compact import compact

    network = compact(2, kind="cnn", side=32, width=0.25)
    network.save(tmp_path / "cnn.keras")
    again = keras.models.load_model(tmp_path / "cnn.keras", compile=False)
    faces = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), np.uint8)
    assert (again.predict(faces, verbose=0) == network.predict(faces, verbose=0)).all()
