"""The last hour's movement, on which a mask or zone is tried."""

import numpy as np

from facesecure.config import MotionConfig
from facesecure.pipeline.movements import SAMPLES, Movements, Trial
from facesecure.vision.detection.motion import MotionGate

ROAD, PATH = ((0.0, 0.0, 0.3, 0.4), 0.1), ((0.6, 0.5, 0.8, 1.0), 0.05)
TREE = ((0.0, 0.0, 0.3, 0.4), 0.001)
LIMIT = 0.004


def moved(*changes, every: float = 10.0) -> Movements:
    """The movements of a camera in which each of ``changes`` lasted for one sample."""
    script = iter(changes)
    movements = Movements(lambda: next(script))
    for number in range(len(changes)):
        movements.note(number * every)
    return movements


def test_a_mask_leaves_out_what_moves_in_it_and_a_zone_what_moves_elsewhere():
    movements = moved([ROAD], [PATH], [ROAD, PATH], [ROAD])
    assert movements.tried([], [], LIMIT) == Trial(4, 0)
    assert movements.tried([(0.0, 0.0, 0.4, 0.5)], [], LIMIT) == Trial(4, 2)
    assert movements.tried([], [[(0.5, 0.4), (1.0, 0.4), (1.0, 1.0), (0.5, 1.0)]], LIMIT) == Trial(4, 2)
    assert movements.tried([(0.0, 0.0, 1.0, 1.0)], [], LIMIT) == Trial(4, 4)


def test_too_small_a_movement_is_none():
    assert moved([TREE], [ROAD]).tried([], [], LIMIT) == Trial(1, 0)


def test_a_small_movement_counts_where_the_zone_is_small():
    assert moved([TREE]).tried([], [(0.0, 0.0, 0.3, 0.4)], LIMIT) == Trial(1, 0)


def test_movement_without_a_pause_is_one_until_it_lasts_long():
    assert moved(*[[ROAD]] * 10, every=1.0).tried([], [], LIMIT) == Trial(1, 0)
    assert moved(*[[ROAD]] * 62, every=1.0).tried([], [], LIMIT) == Trial(2, 0)


def test_only_the_last_hour_counts():
    assert moved(*[[ROAD]] * 20, every=600.0).tried([], [], LIMIT) == Trial(7, 0)


def test_it_is_said_how_long_movements_were_noted():
    assert Movements().seconds == 0
    assert moved([], [ROAD], [], every=20.0).seconds == 40
    assert moved(*[[]] * 10, every=600.0).seconds == 3600


def test_samples_are_a_second_apart_and_bounded():
    assert moved(*[[ROAD]] * 30, every=0.1).tried([], [], LIMIT) == Trial(1, 0)
    movements = Movements(lambda: [ROAD] * 8)
    for second in range(SAMPLES + 500):
        movements.note(float(second))
    assert len(movements._samples) == SAMPLES


def test_nothing_moved():
    assert Movements().tried([(0.0, 0.0, 1.0, 1.0)], [], LIMIT) == Trial(0, 0)
    assert Movements().boxes() == []


def test_boxes_are_drawn_around_the_largest_part_of_each_movement():
    ((left, top, right, bottom),) = moved([PATH, ROAD]).boxes()
    assert abs(left) + abs(top) + abs(right - 0.3) + abs(bottom - 0.4) < 0.02


def test_the_gate_tells_what_moves_in_masked_parts_too():
    gate = MotionGate(MotionConfig(mask=[(0.0, 0.0, 0.5, 1.0)]))
    empty = np.full((90, 160), 60, np.uint8)
    for step in range(10):
        gate.moved(empty, step / 10)
    assert gate.changes == ()
    passing = empty.copy()
    passing[30:60, 20:50] = 200
    gate.moved(passing, 1.0)
    (((left, top, right, bottom), share),) = gate.changes
    assert not gate.regions
    assert abs(left - 20 / 160) < 0.03
    assert abs(right - 50 / 160) < 0.03
    assert abs(top - 30 / 90) < 0.05
    assert abs(bottom - 60 / 90) < 0.05
    assert abs(share - 30 * 30 / 90 / 160) < 0.02


def test_another_pipeline_goes_on_with_the_hour():
    movements = moved([ROAD], [PATH], every=10.0).follow(lambda: [ROAD])
    movements.note(20.0)
    assert movements.tried([], [], LIMIT) == Trial(3, 0)


def test_a_clock_that_goes_back_begins_another_hour():
    movements = moved([ROAD], [PATH], every=600.0).follow(lambda: [ROAD])
    movements.note(0.0)
    assert (movements.tried([], [], LIMIT), movements.seconds) == (Trial(1, 0), 0)
