r"""Schedules of learning rate and beta1: the one-cycle policy, and triangular cycles.

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017 (https://arxiv.org/abs/1506.01186): a learning
rate that varies between two bounds needs less tuning than a fixed one, and escapes narrow minima.
Smith, "A disciplined approach to neural network hyper-parameters", 2018 (https://arxiv.org/abs/1803.09820): one cycle
over the whole training, with momentum going the opposite way. Both make steps longer; where the learning rate is
high already, much momentum would overshoot. The end of the training runs far below the first learning rate, to settle.

    learning rate          beta1
         /\               \    /
        /  \               \  /
       /    \__             \/

A schedule here is a broken line over steps: a pure function, the same in Python and inside a traced graph
(``cycled_adam.Schedule``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from facesecure.domain.errors import UsageError

HIGH, LOW = 0.95, 0.85
"""The bounds of beta1, as in Smith 2018 and the article."""
DECAY = 0.15


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A piecewise linear function: ``values`` at rising ``steps``, constant before the first and after the last.

    Example::

        assert BrokenLine((0, 10), (0.0, 1.0))(5) == 0.5
    """

    steps: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise UsageError for points that make no line."""
        if len(self.steps) != len(self.values) or not self.steps:
            raise UsageError("a schedule needs as many values as steps, and at least one")
        if any(later <= earlier for earlier, later in pairwise(self.steps)):
            raise UsageError(f"the steps of a schedule do not rise: {self.steps}", "train for more steps")

    def __call__(self, step: float) -> float:
        """Return the value at ``step``."""
        return float(np.interp(step, self.steps, self.values))


@dataclass(frozen=True, slots=True)
class Cycle:
    """Learning rate and beta1 over a training."""

    learning_rate: BrokenLine
    beta_1: BrokenLine


def constant(learning_rate: float, beta_1: float = 0.9) -> Cycle:
    """Return a cycle in which nothing varies."""
    return Cycle(BrokenLine((0,), (learning_rate,)), BrokenLine((0,), (beta_1,)))


def one_cycle(
    steps: int,
    peak: float,
    *,
    start: float = 1 / 25,
    end: float = 1e-4,
    settle: float = 0.1,
    beta_1: tuple[float, float] = (HIGH, LOW),
) -> Cycle:
    """Return one cycle over a training of ``steps``.

    The learning rate goes from ``start * peak`` to ``peak`` and back in equal parts, and in the last share ``settle``
    of the steps on to ``end * peak``. beta1 goes from the first to the second of ``beta_1`` and back meanwhile, and
    then stays. Raises UsageError if ``steps`` are too few.
    """
    _check(peak, beta_1)
    back = int(steps * (1 - settle))
    top = back // 2
    if top < 1 or steps <= back:
        raise UsageError(f"{steps} steps are too few for a cycle", "train for more epochs, or use a constant rate")
    rates = (start * peak, peak, start * peak, end * peak)
    high, low = beta_1
    return Cycle(BrokenLine((0, top, back, steps), rates), BrokenLine((0, top, back), (high, low, high)))


def triangular(
    steps: int,
    peak: float,
    *,
    cycle: int,
    start: float = 1 / 25,
    decay: float = DECAY,
    beta_1: tuple[float, float] = (HIGH, LOW),
) -> Cycle:
    """Return triangles of ``cycle`` steps each, as many as a training of ``steps`` needs.

    The learning rate goes from ``start * peak`` to a top and back. The first top is ``peak``; each further one rises by
    the share ``decay`` less above the floor. beta1 mirrors it: its swing shrinks by the same share. Raises UsageError
    if a cycle has fewer than two steps.
    """
    _check(peak, beta_1)
    if cycle < 2 or steps < 1:
        raise UsageError(f"a cycle of {cycle} steps cannot rise and fall", "a cycle needs at least 2 steps")
    heights = [(1 - decay) ** number for number in range(-(-steps // cycle))]
    corners = [corner for number in range(len(heights)) for corner in (number * cycle, number * cycle + cycle // 2)]
    points = (*corners, len(heights) * cycle)
    swing = [part for height in heights for part in (0.0, height)] + [0.0]
    high, low = beta_1
    floor = start * peak
    return Cycle(_line(points, (floor + (peak - floor) * part for part in swing)),
                 _line(points, (high - (high - low) * part for part in swing)))  # fmt: skip


def _line(steps: tuple[int, ...], values: Iterable[float]) -> BrokenLine:
    return BrokenLine(steps, tuple(values))


def _check(peak: float, beta_1: tuple[float, float]) -> None:
    if peak <= 0:
        raise UsageError(f"the learning rate is {peak}", "it must be above 0")
    if not all(0 <= beta < 1 for beta in beta_1):
        raise UsageError(f"beta1 is {beta_1}", "both its bounds must be at least 0 and below 1")
