"""The device of a training: one GPU, several, or the CPU; and how deterministic it is."""

from __future__ import annotations

import os
from typing import Any

import cv2

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.recipes.hosts import TrainingHosts
from facesecure_training.recipes.settings import TrainingSettings


def prepare(settings: TrainingSettings, hosts: TrainingHosts | None = None) -> Any:
    """Set seeds, threads and precision, and return the tf.distribute strategy to build the network under.

    With ``hosts`` several machines train together.

    Call it once, before anything is computed. Raises UsageError if TensorFlow is running already with other threads.
    """
    tf = tensorflow(gpu=True)
    limit(settings.threads, settings.replicas)
    cv2.setNumThreads(1)  # images are changed side by side, each too small to be divided
    together = hosts.strategy() if hosts else None
    tf.keras.utils.set_random_seed(settings.seed)
    if not settings.fast:
        tf.config.experimental.enable_op_determinism()
    gpus = tf.config.list_physical_devices("GPU")
    small = "mixed_float16" if gpus else "mixed_bfloat16"
    tf.keras.config.set_dtype_policy(small if settings.mixed_precision else "float32")
    return together or strategy(len(gpus))


def strategy(gpus: int) -> Any:
    """Return a mirrored strategy for several GPUs; for fewer, TensorFlow's default, one GPU or the CPU."""
    tf = tensorflow()
    return tf.distribute.MirroredStrategy() if gpus > 1 else tf.distribute.get_strategy()


def limit(threads: int, replicas: int) -> None:
    """Have an operation computed by ``threads`` threads; ``replicas`` share them, and go on side by side."""
    if not threads and replicas == 1:
        return
    threading = tensorflow().config.threading
    at_a_time = max(threads, replicas)
    for_one = max(1, (threads or os.cpu_count() or 1) // replicas)
    try:
        threading.set_intra_op_parallelism_threads(for_one)
        threading.set_inter_op_parallelism_threads(at_a_time)
    except RuntimeError:
        if threading.get_intra_op_parallelism_threads() != for_one:
            raise UsageError(
                "--threads and --replicas come too late: TensorFlow is running", "give them at the first training"
            ) from None


def describe(settings: TrainingSettings) -> str:
    """Return the device and precision in words, for the log and the report."""
    tf = tensorflow()
    gpus = len(tf.config.list_physical_devices("GPU"))
    where = f"{gpus} GPU{'s' if gpus > 1 else ''}" if gpus else "the CPU"
    return f"{where}, {tf.keras.config.dtype_policy().name}{', eagerly' if settings.eager else ''}"
