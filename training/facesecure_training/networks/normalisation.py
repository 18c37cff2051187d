"""Batch normalisation in one operation. Importing this module loads TensorFlow.

Ioffe and Szegedy, "Batch Normalization", ICML 2015, https://arxiv.org/abs/1502.03167. Keras 3 computes it in training
from some fifteen small operations (means, differences, products), each of which reads and writes the whole map. On a
CPU they take a third of a DenseNet's step and half of that of a network of separable convolutions.
``benchmarks/training_speed.py`` measures the difference.
"""

from __future__ import annotations

from typing import Any

from facesecure_training.common.optional_dependencies import tensorflow

keras = tensorflow().keras
_CHANNELS_LAST = 4
"""Number of dimensions of images (batch, height, width, channels), the only form that the operation takes."""


@keras.utils.register_keras_serializable("facesecure")
class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[name-defined,misc]
    """Keras' layer with its options and weights, faster in training; outside of training it is Keras' own.

    It takes images. Batches of several replicas are normalised each for itself.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return ``inputs`` (batch, height, width, channels), normalised; in training, by the batch itself."""
        if not training or not self.trainable or len(inputs.shape) != _CHANNELS_LAST:
            return super().call(inputs, training=training, mask=mask)
        tf = tensorflow()
        gamma, beta = (tf.cast(tf.convert_to_tensor(one), tf.float32) for one in (self.gamma, self.beta))
        normalised, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, gamma, beta, epsilon=self.epsilon, is_training=True
        )
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance * self._biased(inputs))
        return normalised

    def _follow(self, moving: Any, batch: Any) -> None:
        """Move a running mean towards the value of this batch, as Keras does."""
        moving.assign(moving * self.momentum + keras.ops.cast(batch, moving.dtype) * (1.0 - self.momentum))

    def _biased(self, inputs: Any) -> Any:
        """Return (n - 1) / n: the operation returns the unbiased variance of n values, Keras keeps the biased one."""
        tf = tensorflow()
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
        return (count - 1.0) / count
