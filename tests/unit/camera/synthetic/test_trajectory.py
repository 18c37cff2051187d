"""How visitors move."""

from __future__ import annotations

import itertools

import pytest

from facesecure.camera.synthetic.trajectory import Trajectory

WALK = Trajectory(start=2.0, duration=5.0, far=40, near=200)
SIZE = (1280, 720)


def test_nobody_is_there_before_and_after() -> None:
    assert WALK.pose(1.99, SIZE) is None
    assert WALK.pose(7.0, SIZE) is None


def test_a_visitor_comes_nearer_all_the_way_to_the_door() -> None:
    sizes = [pose.size for step in range(33) if (pose := WALK.pose(2 + step * 0.1, SIZE))]
    assert sizes[0] == pytest.approx(40)
    assert sizes[-1] == pytest.approx(200, rel=0.02)
    assert all(later >= earlier for earlier, later in itertools.pairwise(sizes))


def test_a_visitor_leaves_to_the_left_turned_away() -> None:
    at_door, last = WALK.pose(5.6, SIZE), WALK.pose(6.95, SIZE)
    assert at_door is not None
    assert last is not None
    assert last.centre[0] < at_door.centre[0] - 0.4 * SIZE[0]
    assert abs(last.yaw) > 0.9


def test_the_hedge_hides_a_visitor_only_at_first() -> None:
    assert WALK.behind_hedge(2.1)
    assert not WALK.behind_hedge(4.0)
