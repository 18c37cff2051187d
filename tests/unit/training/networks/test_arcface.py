"""An angle is added to the right class, and to no other."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError

tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = pytest.mark.tensorflow

from facesecure_training.networks.arcface import ArcFace, CosineHead, with_margin  # noqa: E402
from facesecure_training.recipes.embed import distillation, teacher  # noqa: E402


def cosines(count: int = 5, people: int = 4) -> np.ndarray:
    return np.random.default_rng(6).uniform(-0.8, 0.95, (count, people)).astype(np.float32)


def test_the_angle_to_ones_own_person_grows_by_the_margin_and_no_other_does():
    given, labels = cosines(), np.array([0, 1, 2, 3, 0])
    found = with_margin(labels, given, 0.5).numpy()
    own = np.eye(4, dtype=bool)[labels]
    assert found[own] == pytest.approx(np.cos(np.arccos(given[own]) + 0.5), abs=1e-5)
    assert (found[~own] == given[~own]).all()


def test_the_score_never_rises_as_the_angle_grows_even_past_180_degrees():
    angles = np.linspace(0, np.pi, 200, dtype=np.float32)
    scores = with_margin(np.zeros(200, int), np.cos(angles)[:, None], 0.5).numpy()[:, 0]
    assert (np.diff(scores) < 1e-6).all()


@pytest.mark.parametrize("cosine", [1.0, -1.0])
def test_at_both_ends_the_gradient_is_finite(cosine):
    given = tf.Variable([[cosine, 0.1]])
    with tf.GradientTape() as tape:
        loss = ArcFace()([0], given)
    assert np.isfinite(tape.gradient(loss, given).numpy()).all()


def test_without_a_margin_it_is_the_softmax_of_scaled_cosines_and_with_one_it_asks_for_more():
    given, labels = cosines(), np.array([[0], [1], [2], [3], [0]])
    scores = 16 * given.astype(np.float64)
    softmax = np.log(np.exp(scores).sum(1)) - scores[np.arange(5), labels[:, 0]]
    assert ArcFace(0.0, 16)(labels, given).numpy() == pytest.approx(softmax, rel=1e-3, abs=1e-4)
    assert (ArcFace(0.5, 16)(labels, given).numpy() > softmax).all()


def test_the_head_gives_cosines_whatever_the_lengths():
    layer = CosineHead(3)
    vectors = np.random.default_rng(7).normal(size=(4, 6)).astype(np.float32)
    found = layer(vectors).numpy()
    directions = layer.directions.numpy()
    wanted = (vectors @ directions) / np.outer(np.linalg.norm(vectors, axis=1), np.linalg.norm(directions, axis=0))
    assert found == pytest.approx(wanted, abs=1e-5)
    assert layer(10 * vectors).numpy() == pytest.approx(found, abs=1e-5)
    assert CosineHead.from_config(layer.get_config()).people == 3


@pytest.mark.parametrize("arguments", [(-0.1, 64), (2.0, 64), (0.5, 0)])
def test_margins_and_scales_that_make_no_sense_are_refused(arguments):
    with pytest.raises(UsageError):
        ArcFace(*arguments)


def test_distillation_is_0_for_the_same_direction_1_for_none_and_2_for_the_opposite():
    wanted = tf.constant([[1.0, 0.0]] * 3)
    assert distillation(wanted, tf.constant([[5.0, 0], [0, 2], [-1, 0]])).numpy() == pytest.approx([0, 1, 2])


def test_the_teacher_is_the_daemons_embedder_and_learns_nothing():
    network = teacher()
    assert network.output_shape == (None, 192)
    assert network.trainable_weights == []
