"""Claims scored against the ground truth."""

from __future__ import annotations

import pytest

from benchmarks.labels import Labels, Sight, Visit
from benchmarks.scoring import Claim, Costs, cpu_per_minute, score, visit_at

ANN_BOX, MAN_BOX = (100.0, 100.0, 140.0, 150.0), (300.0, 100.0, 340.0, 150.0)
ANN = Visit("Ann", True, {i: Sight(ANN_BOX, True, i >= 12) for i in range(10, 30)})
MAN = Visit("a man", False, {i: Sight(MAN_BOX, True, True) for i in range(10, 30)})
LABELS = Labels(fps=10, size=(640, 480), frames=60, visits=(ANN, MAN))
QUICK = Costs([0.05] * 60)


def _ann(frame: int, name: str | None) -> Claim:
    return Claim(frame, ANN_BOX, name)


def _man(frame: int, name: str | None) -> Claim:
    return Claim(frame, MAN_BOX, name)


def test_the_right_name_and_the_right_stranger_are_right() -> None:
    result = score(LABELS, [_ann(15, "Ann"), _man(10, None)], QUICK)
    assert (result.right, result.missed, result.wrong) == (2, 0, 0)


def test_the_delay_counts_film_time_since_the_first_usable_face_and_the_work_itself() -> None:
    result = score(LABELS, [_ann(15, "Ann"), _man(10, None)], QUICK)
    assert result.delays == pytest.approx([0.3 + 0.05, 0.05])


def test_a_claim_before_the_first_usable_face_is_not_early_by_less_than_nothing() -> None:
    assert score(LABELS, [_ann(10, "Ann")], QUICK).delays == pytest.approx([0.05])


def test_silence_is_a_miss_and_not_a_mistake() -> None:
    result = score(LABELS, [], QUICK)
    assert (result.missed, result.wrong) == (2, 0)


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        (_ann(15, "Bob"), "wrong_name"),
        (_ann(15, None), "family_called_stranger"),
        (_man(15, "Ann"), "stranger_let_in"),
    ],
)
def test_each_mistake_is_counted_as_what_it_is(claim: Claim, kind: str) -> None:
    result = score(LABELS, [claim], QUICK)
    assert getattr(result, kind) == result.wrong == 1


def test_a_mistake_that_is_repeated_or_put_right_later_counts_once() -> None:
    result = score(LABELS, [_ann(13, None), _ann(14, None), _ann(15, "Ann")], QUICK)
    assert (result.family_called_stranger, result.right) == (1, 1)


def test_a_face_where_nobody_is_is_a_claim_about_nobody() -> None:
    result = score(LABELS, [Claim(15, (500.0, 300.0, 540.0, 350.0), None), _ann(50, "Ann")], QUICK)
    assert result.claims_about_nobody == 2


def test_a_claim_belongs_to_the_nearest_face() -> None:
    between = Claim(15, (270.0, 100.0, 350.0, 150.0), None)
    assert visit_at(LABELS, between) == 1


def test_a_visit_without_a_usable_face_asks_for_nothing() -> None:
    blurred = Visit("Ann", True, {10: Sight(ANN_BOX, True, False)})
    result = score(Labels(10, (640, 480), 60, (blurred,)), [], QUICK)
    assert (result.visits, result.missed) == (0, 0)


def test_frames_left_out_cost_what_their_phases_others_cost() -> None:
    busy = set(range(10, 30))
    cpu = [None if i % 2 else 0.2 if i in busy else 0.01 for i in range(60)]
    per_clip = 20 * 0.2 + 40 * 0.01
    assert cpu_per_minute(LABELS, Costs(cpu)) == pytest.approx(per_clip * 10)
