"""Batches computed in parts, side by side: together they are the batch."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure_training.recipes import devices
from facesecure_training.recipes.replicas import Replicas

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")


class Counted:
    """A model that keeps the sizes of the batches it was called with."""

    name = "counted"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, images, *, training):
        one, other = images
        self.sizes.append(len(one))
        return one + other, one * 2


@pytest.mark.parametrize(("number", "sizes"), [(8, [2, 3, 3]), (3, [1, 1, 1]), (2, [1, 1, 1]), (1, [1, 1, 1])])
def test_parts_are_equal_never_empty_and_come_back_in_their_order(number, sizes):
    model, rows = Counted(), np.arange(2.0 * number, dtype=np.float32).reshape(number, 2)
    added, doubled = Replicas(model, 3)((tf.constant(rows), tf.constant(rows + 1)), training=True)
    assert model.sizes == sizes
    assert (added.numpy() == 2 * rows + 1).all()
    assert (doubled.numpy() == 2 * rows).all()


def test_everything_else_is_the_models():
    assert Replicas(Counted(), 2).name == "counted"


def test_gradients_are_those_of_the_whole_batch():
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3, activation="tanh")])
    rows = tf.random.normal((7, 4))

    @tf.function
    def gradients(called):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(called(rows, training=True) ** 2)
        return tape.gradient(loss, model.trainable_variables)

    for one, other in zip(gradients(model), gradients(Replicas(model, 2)), strict=True):
        assert one.numpy() == pytest.approx(other.numpy(), abs=1e-6)


@pytest.mark.parametrize(("threads", "replicas", "for_one", "at_a_time"), [(4, 2, 2, 4), (0, 2, 3, 2), (1, 2, 1, 2)])
def test_each_part_has_its_share_of_the_threads(monkeypatch, threads, replicas, for_one, at_a_time):
    said = {}
    threading = tf.config.threading
    monkeypatch.setattr(threading, "set_intra_op_parallelism_threads", lambda number: said.update(for_one=number))
    monkeypatch.setattr(threading, "set_inter_op_parallelism_threads", lambda number: said.update(at_a_time=number))
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    devices.limit(threads, replicas)
    assert said == {"for_one": for_one, "at_a_time": at_a_time}
