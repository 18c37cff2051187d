"""beta1 must vary where it counts: inside a traced step. Keras' own Adam shows why that needs a test."""

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = pytest.mark.tensorflow

from facesecure_training.recipes.optimizers.cycled_adam import CycledAdam  # noqa: E402
from facesecure_training.recipes.optimizers.schedules import constant, one_cycle, triangular  # noqa: E402

keras = tf.keras
STEPS = 12
START = np.array([0.5, -1.0, 2.0], np.float32)
GRADIENTS = np.random.default_rng(5).normal(size=(STEPS, 3)).astype(np.float32)
CYCLE = triangular(STEPS, 0.05, cycle=6, beta_1=(0.95, 0.5))


def reference(cycle=CYCLE, beta_2: float = 0.99, batches: int = 1) -> np.ndarray:
    """Adam step by step in float64, from its definition: each gradient's weight in the mean written out.

    A step is taken at the last of so many ``batches``, which are what a schedule counts.
    """
    weights, path = START.astype(np.float64), []
    count = [step * batches + batches - 1 for step in range(STEPS)]
    betas = np.array([cycle.beta_1(number) for number in count])
    for step in range(STEPS):
        share = np.array([(1 - betas[n]) * betas[n + 1 : step + 1].prod() for n in range(step + 1)])
        mean = share @ GRADIENTS[: step + 1] / share.sum()
        share = beta_2 ** np.arange(step, -1, -1.0)
        square = share @ GRADIENTS[: step + 1].astype(np.float64) ** 2 / share.sum()
        scale = np.sqrt(1 - beta_2 ** (step + 1))  # Keras' epsilon stands beside the root before correction
        weights = weights - cycle.learning_rate(count[step]) * mean / (np.sqrt(square) + 1e-7 / scale)
        path.append(weights)
    return np.array(path)


def path(optimizer, *, traced: bool = True, before: Callable[[int], None] | None = None) -> np.ndarray:
    """The weights after each step of a custom loop on ``GRADIENTS``."""
    weights = keras.Variable(START)

    def move(gradient):
        optimizer.apply([gradient], [weights])

    optimizer.build([weights])
    step_function = tf.function(move) if traced else move
    found = []
    for step in range(STEPS):
        if before:
            before(step)
        step_function(tf.constant(GRADIENTS[step]))
        found.append(weights.numpy())
    return np.array(found)


@pytest.mark.parametrize("traced", [True, False], ids=["traced", "eager"])
@pytest.mark.parametrize("cycle", [CYCLE, one_cycle(STEPS, 0.05), constant(0.05)], ids=["cycles", "one", "constant"])
def test_every_step_is_that_of_the_reference(cycle, traced):
    found = path(CycledAdam.following(cycle), traced=traced)
    np.testing.assert_allclose(found, reference(cycle), rtol=2e-5, atol=2e-6)


def test_with_a_constant_beta1_it_is_keras_adam():
    ours = path(CycledAdam(0.05, beta_1=0.9))
    np.testing.assert_allclose(ours, path(keras.optimizers.Adam(0.05, beta_2=0.99)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("traced", [True, False], ids=["traced", "eager"])
def test_a_beta1_that_is_set_between_steps_moves_the_weights_elsewhere(traced):
    def cycled() -> np.ndarray:
        optimizer = CycledAdam(0.05, beta_1=0.95)
        return path(optimizer, traced=traced, before=lambda step: setattr(optimizer, "beta_1", CYCLE.beta_1(step)))

    still = path(CycledAdam(0.05, beta_1=0.95), traced=traced)
    assert np.abs(cycled() - still)[-1].min() > 1e-3


def test_keras_adam_takes_no_notice_of_a_beta1_that_is_set_once_its_step_is_traced():
    def run(traced: bool, cycled: bool) -> np.ndarray:
        adam = keras.optimizers.Adam(0.05, beta_1=0.95, beta_2=0.99)
        return path(
            adam, traced=traced, before=(lambda step: setattr(adam, "beta_1", CYCLE.beta_1(step))) if cycled else None
        )

    assert (run(traced=True, cycled=True) == run(traced=True, cycled=False)).all()
    assert np.abs(run(traced=False, cycled=True) - run(traced=False, cycled=False))[-1].min() > 1e-3


def model_for_gradients(optimizer):
    """The loss is the sum of weights times inputs, so that the gradient is the input."""
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(1, use_bias=False)(inputs)
    model = keras.Model(inputs, outputs)
    model.set_weights([START[:, None]])
    model.compile(optimizer, loss=lambda truth, given: given)
    return model


def fit(model, first: int = 0, last: int = STEPS, callbacks=()) -> np.ndarray:
    given = GRADIENTS[first:last]
    model.fit(given, np.zeros((len(given), 1)), batch_size=1, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model.get_weights()[0][:, 0]


class Set(keras.callbacks.Callback):
    """Sets beta1 before each batch, as one would wish to."""

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.beta_1 = CYCLE.beta_1(batch)


def test_fit_follows_the_schedule():
    np.testing.assert_allclose(fit(model_for_gradients(CycledAdam.following(CYCLE))), reference()[-1], rtol=2e-5)


def test_in_fit_a_callback_sets_our_beta1_and_keras_adams_not():
    def difference(make) -> float:
        still, cycled = (fit(model_for_gradients(make()), callbacks=one) for one in ((), [Set()]))
        return float(np.abs(still - cycled).max())

    assert difference(lambda: CycledAdam(0.05, beta_1=0.95)) > 1e-3
    assert difference(lambda: keras.optimizers.Adam(0.05, beta_1=0.95)) == 0


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras 3.15 under numpy 2.4
def test_a_saved_model_goes_on_where_it_stood(tmp_path):
    model = model_for_gradients(CycledAdam.following(CYCLE, clipvalue=100.0))
    fit(model, last=5)
    model.compile(model.optimizer, loss="mean_squared_error")  # a loss that can be saved
    model.save(tmp_path / "model.keras")
    restored = keras.models.load_model(tmp_path / "model.keras")
    assert int(restored.optimizer.iterations) == 5
    restored.compile(restored.optimizer, loss=lambda truth, given: given)
    np.testing.assert_allclose(fit(restored, first=5), reference()[-1], rtol=2e-5)


def test_a_checkpoint_of_a_custom_loop_brings_everything_back(tmp_path):
    def made():
        weights, optimizer = keras.Variable(START), CycledAdam.following(CYCLE)
        optimizer.build([weights])
        return weights, optimizer, tf.train.Checkpoint(weights=weights.value, optimizer=optimizer)

    weights, optimizer, checkpoint = made()
    for gradient in GRADIENTS[:5]:
        optimizer.apply([tf.constant(gradient)], [weights])
    name = checkpoint.write(str(tmp_path / "at5"))
    weights, optimizer, checkpoint = made()
    checkpoint.read(name).assert_consumed()
    for gradient in GRADIENTS[5:]:
        optimizer.apply([tf.constant(gradient)], [weights])
    np.testing.assert_allclose(weights.numpy(), reference()[-1], rtol=2e-5)


def test_mixed_precision_scales_the_loss_and_skips_what_overflows():
    optimizer = keras.optimizers.LossScaleOptimizer(CycledAdam.following(CYCLE), initial_scale=1024.0)
    weights = keras.Variable(START)
    optimizer.build([weights])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [weights]))
    step(tf.constant([np.inf, 0, 0], tf.float32))
    assert (weights.numpy() == START).all()
    for gradient in GRADIENTS:
        step(tf.constant(gradient) * optimizer.scale_loss(1.0))
    np.testing.assert_allclose(weights.numpy(), reference()[-1], rtol=2e-5)


TWO_REPLICAS = """
import numpy as np, sys
import tensorflow as tf
from facesecure_training.recipes.optimizers.cycled_adam import CycledAdam
from facesecure_training.recipes.optimizers.schedules import triangular

halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
assert strategy.num_replicas_in_sync == 2
gradients = np.load(sys.argv[1])
with strategy.scope():
    weights = tf.keras.Variable(np.load(sys.argv[2]))
    optimizer = CycledAdam.following(triangular(len(gradients), 0.05, cycle=6, beta_1=(0.95, 0.5)))
    optimizer.build([weights])

@tf.function
def step(gradient):
    def replica():
        optimizer.apply([gradient / 2], [weights])
    strategy.run(replica)

for gradient in gradients:
    step(tf.constant(gradient))
np.save(sys.argv[3], weights.numpy())
"""


@pytest.mark.slow
def test_two_replicas_add_their_gradients_and_count_beta1_once(tmp_path):
    files = [tmp_path / name for name in ("gradients.npy", "start.npy", "end.npy")]
    np.save(files[0], GRADIENTS)
    np.save(files[1], START)
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run([sys.executable, "-c", TWO_REPLICAS, *map(str, files)], check=True, env=hidden, timeout=600)
    np.testing.assert_allclose(np.load(files[2]), reference()[-1], rtol=2e-5)


def test_accumulated_gradients_are_one_step_and_schedules_count_batches():
    optimizer = CycledAdam.following(CYCLE, gradient_accumulation_steps=2)
    weights = keras.Variable(START)
    optimizer.build([weights])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [weights]))
    for gradient in GRADIENTS:
        step(tf.constant(gradient + 1))
        step(tf.constant(gradient - 1))
    np.testing.assert_allclose(weights.numpy(), reference(batches=2)[-1], rtol=2e-4)


def test_beta1_shows_its_present_value_and_a_schedule_cannot_be_overruled():
    free, bound = CycledAdam(beta_1=0.9), CycledAdam.following(CYCLE)
    free.beta_1 = 0.7
    assert float(free.beta_1) == pytest.approx(0.7)
    assert CycledAdam.from_config(free.get_config()).get_config()["beta_1"] == pytest.approx(0.7)
    assert float(bound.beta_1) == pytest.approx(CYCLE.beta_1(0))
    with pytest.raises(TypeError, match="follows a schedule"):
        bound.beta_1 = 0.7
