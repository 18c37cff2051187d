"""One cycle and triangles, as numbers over steps."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.recipes.optimizers.schedules import BrokenLine, constant, one_cycle, triangular


def test_one_cycle_goes_up_and_back_and_settles_while_beta1_goes_down_and_back():
    cycle = one_cycle(100, 0.5, start=0.1, end=0.01, settle=0.2)
    assert [cycle.learning_rate(step) for step in (0, 40, 80, 100)] == pytest.approx([0.05, 0.5, 0.05, 0.005])
    assert [cycle.beta_1(step) for step in (0, 40, 80, 100)] == pytest.approx([0.95, 0.85, 0.95, 0.95])
    assert cycle.learning_rate(20) == pytest.approx(0.275)


@pytest.mark.parametrize(
    "cycle", [one_cycle(200, 0.1), triangular(200, 0.1, cycle=40)], ids=["one cycle", "triangular"]
)
def test_beta1_falls_where_the_learning_rate_rises_and_never_with_it(cycle):
    steps = np.arange(201)
    rates, betas = np.array([[line(s) for s in steps] for line in (cycle.learning_rate, cycle.beta_1)])
    assert (np.diff(rates) * np.diff(betas) <= 0).all()
    assert (rates > 0).all()
    assert betas.min() == pytest.approx(0.85)
    assert betas.max() == pytest.approx(0.95)


def test_each_triangle_is_15_percent_lower_than_the_one_before():
    cycle = triangular(60, 1.0, cycle=20, start=0.1)
    tops = np.array([cycle.learning_rate(step) for step in (10, 30, 50)])
    assert tops - 0.1 == pytest.approx(0.9 * 0.85 ** np.arange(3))
    assert [cycle.learning_rate(step) for step in (0, 20, 40, 60)] == pytest.approx([0.1] * 4)
    swings = 0.95 - np.array([cycle.beta_1(step) for step in (10, 30, 50)])
    assert swings == pytest.approx(0.1 * 0.85 ** np.arange(3))


def test_a_training_that_ends_within_a_triangle_still_knows_the_way():
    assert triangular(25, 1.0, cycle=20).learning_rate.steps == (0, 10, 20, 30, 40)


def test_odd_cycles_keep_their_length():
    assert triangular(14, 1.0, cycle=7).learning_rate.steps == (0, 3, 7, 10, 14)


def test_constant_is_constant():
    cycle = constant(0.3, 0.8)
    assert [cycle.learning_rate(step) for step in (0, 10**6)] == [0.3, 0.3]
    assert cycle.beta_1(5) == 0.8


@pytest.mark.parametrize(
    "make",
    [
        lambda: one_cycle(1, 0.1),
        lambda: one_cycle(100, 0.0),
        lambda: one_cycle(100, 0.1, beta_1=(1.0, 0.85)),
        lambda: triangular(100, 0.1, cycle=1),
        lambda: BrokenLine((0, 5, 5), (1, 2, 3)),
        lambda: BrokenLine((0, 1), (1,)),
    ],
)
def test_schedules_that_cannot_be_are_refused(make):
    with pytest.raises(UsageError):
        make()


@pytest.mark.tensorflow
@pytest.mark.parametrize("cycle", [one_cycle(20, 0.1), triangular(20, 0.1, cycle=6), constant(0.2)])
def test_the_graph_computes_what_python_computes(cycle):
    tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
    from facesecure_training.recipes.optimizers.cycled_adam import Schedule

    for line in (cycle.learning_rate, cycle.beta_1):
        schedule = Schedule.from_config(Schedule.of(line).get_config())
        traced = tf.function(lambda step, schedule=schedule: schedule(step))
        found = [float(traced(tf.constant(step, tf.int64))) for step in range(25)]
        assert found == pytest.approx([line(step) for step in range(25)], rel=1e-5)
