"""The contrastive loss by hand, and the NaN that an epsilon inside the root prevents."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError

tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
pytestmark = pytest.mark.tensorflow

from facesecure_training.networks.contrastive import Contrastive, contrastive, euclidean  # noqa: E402


def gradient(different: int, epsilon: float) -> np.ndarray:
    """Of the loss of one pair with equal embeddings, with respect to the first."""
    first, second = tf.Variable([[0.5, -0.25]]), tf.constant([[0.5, -0.25]])
    with tf.GradientTape() as tape:
        loss = contrastive(tf.constant([different]), euclidean(first, second, epsilon))
    return tape.gradient(loss, first).numpy()


def test_the_same_person_is_pulled_together_and_another_pushed_off_within_the_margin():
    found = contrastive([0, 0, 1, 1, 1], tf.constant([0.0, 3.0, 0.0, 0.5, 3.0]), margin=2.0).numpy()
    assert found == pytest.approx([0, 4.5, 2, 1.125, 0])


def test_distances_are_euclidean_even_in_half_precision():
    first, second = tf.constant([[3.0, 0.0], [1.0, 1.0]], tf.float16), tf.constant([[0.0, 4.0], [1.0, 1.0]], tf.float16)
    found = euclidean(first, second)
    assert found.dtype == tf.float32
    assert found.numpy() == pytest.approx([5, np.sqrt(1e-7)])


def test_a_different_pair_with_equal_embeddings_has_a_finite_gradient():
    assert np.isfinite(gradient(different=1, epsilon=1e-7)).all()


def test_without_the_epsilon_it_would_be_nan():
    assert np.isnan(gradient(different=1, epsilon=0.0)).all()


def test_equal_pictures_of_one_person_want_no_change():
    assert gradient(different=0, epsilon=1e-7) == pytest.approx(np.zeros((1, 2)))


def test_labels_of_any_shape_and_type_mean_the_same_pairs():
    distance = tf.constant([0.5, 1.5])
    columns = contrastive(np.array([[0], [1]], np.int64), distance)
    assert columns.shape == (2,)
    assert columns.numpy() == pytest.approx(Contrastive()(np.array([0.0, 1.0], np.float32), distance).numpy())


def test_a_margin_of_nothing_is_refused():
    with pytest.raises(UsageError, match="margin is 0"):
        Contrastive(0)
