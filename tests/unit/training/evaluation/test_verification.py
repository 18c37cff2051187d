"""Ten folds, a threshold from nine of them, and no way to profit from missing faces."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.evaluation.verification import best_threshold, evaluate


def pairs(count: int = 100, spread: float = 0.1, seed: int = 0) -> tuple[list, list]:
    random = np.random.default_rng(seed)
    same = [True] * count + [False] * count
    return [float(random.normal(0.7 if one else 0.1, spread)) for one in same], same


def test_clearly_parted_scores_are_all_right():
    report = evaluate(*pairs(spread=0.01), photos=400, faceless=0)
    assert (report.accuracy, report.sd) == (100, 0)
    assert 0.15 < report.threshold < 0.65


def test_scores_that_say_nothing_are_right_half_the_time():
    scores = list(np.random.default_rng(1).normal(size=2000))
    report = evaluate(scores, [True, False] * 1000, photos=4000, faceless=0)
    assert report.accuracy == pytest.approx(50, abs=3)


@pytest.mark.parametrize("where", [0, 150])
def test_a_pair_without_a_face_is_an_error_whatever_the_answer(where):
    scores, same = pairs(spread=0.01)
    scores[where] = None
    report = evaluate(scores, same, photos=400, faceless=1)
    assert report.accuracy == pytest.approx(99.5)
    assert report.accuracy_found == 100
    assert report.pairs_without_face == 1


def test_the_threshold_never_sees_the_fold_it_is_tested_on():
    """One fold's scores lie elsewhere: its own threshold would be perfect, the others' cannot be."""
    same = ([True] * 10 + [False] * 10) * 10
    scores = [0.9 if one else 0.1 for one in same]
    scores[:20] = [score - 5 for score in scores[:20]]
    assert evaluate(scores, same, photos=1, faceless=0).accuracy == pytest.approx(95)


def test_the_best_threshold_lies_between_scores_and_makes_fewest_errors():
    values = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8, np.nan])
    answers = np.array([False, False, True, False, True, True, True])
    assert best_threshold(values, answers) in (pytest.approx(0.25), pytest.approx(0.65))


def test_too_few_pairs_for_ten_folds_is_wrong_usage():
    with pytest.raises(UsageError, match="too few"):
        evaluate([0.5] * 12, [True] * 6 + [False] * 6, photos=24, faceless=0)
