"""Groups of items are as large as half a second of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from facesecure.services.bulk.groups import Groups


def sizes(groups: Groups[int], seconds: Callable[[list[int]], float]) -> list[int]:
    """The sizes of all groups, each of which takes ``seconds`` of it."""
    found = []
    while group := groups.take():
        groups.took(seconds(group), len(group))
        found.append(len(group))
    return found


def all_of(items: Iterable[int], most: int, a_piece: float) -> list[int]:
    return sizes(Groups(items, most), lambda group: a_piece * len(group))


def test_groups_of_quick_items_grow_to_the_most_that_is_allowed():
    assert all_of(range(200), 64, 0.001) == [1, 2, 4, 8, 16, 32, 64, 64, 9]


def test_groups_grow_to_half_a_second():
    assert all_of(range(100), 64, 0.02)[:6] == [1, 2, 4, 8, 16, 16]


def test_slow_items_go_alone():
    assert all_of(range(5), 64, 3.0) == [1] * 5


def test_groups_shrink_when_items_become_slow():
    assert sizes(Groups(range(40), 8), lambda group: 2.0 * len(group) if group[0] >= 15 else 0.01) == [
        1, 2, 4, 8, 8, 4, 2, *[1] * 11,
    ]  # fmt: skip


def test_small_groups_that_were_under_way_do_not_make_larger_ones_smaller_or_grow_them():
    groups = Groups(range(1000), 64)
    for _ in range(4):
        groups.took(0.0, len(groups.take()))
    groups.took(0.0, 1)
    assert len(groups.take()) == 16


def test_nothing_is_taken_before_it_is_needed():
    taken: list[int] = []
    groups = Groups((taken.append(number) or number for number in range(9)), 64)
    groups.take()
    assert taken == [0]
