"""A schedule as Keras traces it. Loads TensorFlow: import this module where it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from facesecure_training.extras import tensorflow
from facesecure_training.optim.schedules import BrokenLine

keras = tensorflow().keras
ops = keras.ops


@keras.utils.register_keras_serializable("facesecure")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[name-defined,misc]
    """A ``BrokenLine`` for a learning rate or ``CycledAdam``'s beta1: the value follows the optimiser's own counter.

    Nothing is set from outside, so it works in ``fit``, in a traced loop and eagerly, and a resumed training goes on
    where it stood.
    """

    def __init__(self, steps: Sequence[int], values: Sequence[float]) -> None:
        """The arguments of ``BrokenLine``; raises UsageError as that does."""
        super().__init__()
        self.line = BrokenLine(tuple(steps), tuple(values))

    @classmethod
    def of(cls, line: BrokenLine) -> Schedule:
        return cls(line.steps, line.values)

    def __call__(self, step: Any) -> Any:
        """A mean of the values, in which at most the two on either side of ``step`` have weight.

        No branch, hence nothing that tracing could freeze; and no sum in which a small last value would drown.
        """
        steps, values = (ops.convert_to_tensor(part, "float32") for part in (self.line.steps, self.line.values))
        gone = (ops.cast(step, "float32") - steps[:-1]) / (steps[1:] - steps[:-1])
        gone = ops.clip(gone, 0.0, 1.0)  # of each stretch the share that lies behind
        weights = ops.pad(gone, [[1, 0]], constant_values=1.0) - ops.pad(gone, [[0, 1]])
        return ops.sum(weights * values)

    def get_config(self) -> dict[str, Any]:
        return {"steps": list(self.line.steps), "values": list(self.line.values)}
