"""Adam (Kingma and Ba, ICLR 2015, https://arxiv.org/abs/1412.6980) whose beta1 may vary from step to step.

Importing this module loads TensorFlow.

Keras 3's Adam keeps ``beta_1`` as a Python number. A traced step holds it as a constant, so setting
``optimizer.beta_1`` later, for example in a callback, has no effect.
Here beta1 is a tensor: a variable that may be set at any time, or a schedule of the step.

With a varying beta1 the paper's bias correction is wrong, too. The mean begins at zero,

    m_t = b_t * m_(t-1) + (1 - b_t) * g_t,

so the weights of all gradients so far add up to 1 - b_1 * b_2 * ... * b_t: by induction,
b_t * (1 - P_(t-1)) + (1 - b_t) = 1 - b_t * P_(t-1). That is 1 - beta^t only where all are equal. Hence the product
is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.recipes.optimizers.schedules import BrokenLine, Cycle

keras = tensorflow().keras
ops = keras.ops


@keras.utils.register_keras_serializable("facesecure")
class CycledAdam(keras.optimizers.Optimizer):  # type: ignore[name-defined,misc]
    """A Keras optimiser for ``fit``, custom loops, mixed precision, tf.distribute and checkpoints.

    Example::

        adam = CycledAdam.following(one_cycle(steps=1000, peak=1e-3))
        model.compile(optimizer=adam, loss=loss)
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        beta_1: Any = 0.9,
        beta_2: float = 0.99,
        epsilon: float = 1e-7,
        name: str = "cycled_adam",
        **options: Any,
    ) -> None:
        """Create the optimiser; ``learning_rate`` and ``beta_1`` are numbers, or a ``Schedule`` of the step.

        beta2 is 0.99, not Adam's 0.999: over short cycles the squares must be forgotten sooner (Howard and Gugger,
        "fastai", 2020). ``options`` are those of keras.optimizers.Optimizer: weight_decay, clipnorm and so on.
        """
        super().__init__(learning_rate=learning_rate, name=name, **options)
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self._product = self._number(1.0, "beta_1_product")
        scheduled = isinstance(beta_1, keras.optimizers.schedules.LearningRateSchedule)
        self._beta_1 = beta_1 if scheduled else self._number(float(beta_1), "beta_1")

    @classmethod
    def following(cls, cycle: Cycle, **options: Any) -> CycledAdam:
        """Return an optimiser whose learning rate and beta1 follow ``cycle``."""
        return cls(Schedule.of(cycle.learning_rate), Schedule.of(cycle.beta_1), **options)

    def _number(self, value: float, name: str) -> Any:
        initial = keras.initializers.Constant(value)
        return self.add_variable((), initial, dtype="float32", aggregation="only_first_replica", name=name)

    @property
    def beta_1(self) -> Any:
        """The beta1 of the next step, a tensor or a variable. It can be set to a number unless it follows a schedule.

        Where gradients are accumulated, schedules count batches, not steps, as Keras' learning rates do.
        """
        if isinstance(self._beta_1, keras.optimizers.schedules.LearningRateSchedule):
            return self._beta_1(self._iterations)  # the argument that Keras gives its learning rates
        return self._beta_1

    @beta_1.setter
    def beta_1(self, value: float) -> None:
        if isinstance(self._beta_1, keras.optimizers.schedules.LearningRateSchedule):
            raise TypeError("beta_1 follows a schedule; create the optimiser with a number to set it")
        self._beta_1.assign(value)

    def build(self, variables: Sequence[Any]) -> None:
        """Create two running means for each variable, of gradients and of their squares."""
        if self.built:
            return
        super().build(variables)
        self._means, self._squares = self.add_optimizer_variables(variables, ["mean", "square"])

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        """Update the product once per step, before any variable (as keras.optimizers.Nadam does)."""
        self.assign(self._product, self._product * ops.cast(self.beta_1, "float32"))
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable."""
        kind = variable.dtype
        beta_1, product, rate = (ops.cast(one, kind) for one in (self.beta_1, self._product, learning_rate))
        gradient = ops.cast(gradient, kind)
        steps = ops.cast(self.iterations + 1, kind)
        index = self._get_variable_index(variable)
        mean, square = self._means[index], self._squares[index]
        self.assign_add(mean, (gradient - mean) * (1 - beta_1))
        self.assign_add(square, (ops.square(gradient) - square) * (1 - self.beta_2))
        unbiased = ops.sqrt(1 - ops.power(ops.cast(self.beta_2, kind), steps)) / (1 - product)
        self.assign_sub(variable, rate * unbiased * mean / (ops.sqrt(square) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        """Return the configuration that Keras saves."""
        config: dict[str, Any] = super().get_config()
        scheduled = isinstance(self._beta_1, keras.optimizers.schedules.LearningRateSchedule)
        beta_1 = keras.utils.serialize_keras_object(self._beta_1) if scheduled else float(self._beta_1.numpy())
        return {**config, "beta_1": beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> CycledAdam:
        """Create the optimiser from a saved configuration."""
        if isinstance(config["beta_1"], dict):
            config = {**config, "beta_1": keras.utils.deserialize_keras_object(config["beta_1"], custom_objects)}
        restored: CycledAdam = super().from_config(config, custom_objects)
        return restored


@keras.utils.register_keras_serializable("facesecure")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[name-defined,misc]
    """A ``BrokenLine`` for a learning rate or ``CycledAdam``'s beta1: the value follows the optimiser's own counter.

    Nothing is set from outside, so it works in ``fit``, in a traced loop and eagerly, and a resumed training continues
    at the same value.
    """

    def __init__(self, steps: Sequence[int], values: Sequence[float]) -> None:
        """Create the schedule from the arguments of ``BrokenLine``. Raises UsageError as that does."""
        super().__init__()
        self.line = BrokenLine(tuple(steps), tuple(values))

    @classmethod
    def of(cls, line: BrokenLine) -> Schedule:
        """Return the schedule of ``line``."""
        return cls(line.steps, line.values)

    def __call__(self, step: Any) -> Any:
        """Return the value at ``step``: a mean in which at most the two neighbouring values have weight.

        It has no branch that tracing could freeze, and no sum in which a small last value would vanish.
        """
        steps, values = (ops.convert_to_tensor(part, "float32") for part in (self.line.steps, self.line.values))
        gone = (ops.cast(step, "float32") - steps[:-1]) / (steps[1:] - steps[:-1])
        gone = ops.clip(gone, 0.0, 1.0)  # the share of each segment that is past
        weights = ops.pad(gone, [[1, 0]], constant_values=1.0) - ops.pad(gone, [[0, 1]])
        return ops.sum(weights * values)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration that Keras saves."""
        return {"steps": list(self.line.steps), "values": list(self.line.values)}
