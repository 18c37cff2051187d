"""Walk-ins, and what each rule makes of them."""

import numpy as np
import pytest

from facesecure.config import VerdictConfig
from facesecure.recognition.decision import VerdictRule
from facesecure_training.evaluation.household_judge import HouseholdJudge
from facesecure_training.evaluation.observations import FaceObservation
from facesecure_training.evaluation.tracks import STRANGER, best_frame, frigate, majority, make_track, ours
from support.builders import SCORES, quality

ANNA, TOM = np.eye(2, 16, dtype=np.float32)
DOOR = HouseholdJudge(
    {"Anna": ANNA[None], "Tom": TOM[None]}, VerdictRule(VerdictConfig(), SCORES), {"Anna": 0.55, "Tom": 0.55}
)


def frame(
    like_anna: float, clarity: float = 1.0, area: float = 3000, usable: bool = True, like_tom: float = 0.0
) -> FaceObservation:
    rest = np.sqrt(1 - like_anna**2 - like_tom**2)
    vector = like_anna * ANNA + like_tom * TOM + rest * np.eye(16, dtype=np.float32)[5]
    return FaceObservation(vector.astype(np.float32), quality(clarity, () if usable else ("blurred",)), area)


def track(*observations: FaceObservation) -> list[tuple[float, FaceObservation]]:
    return [(float(n), observation) for n, observation in enumerate(observations)]


def test_a_track_has_five_usable_faces_or_there_is_none():
    random = np.random.default_rng(0)
    usable = [frame(0.8)] * 9
    poor = [frame(0.8, usable=False)] * 6
    for _ in range(20):
        found = make_track([*usable, *poor], random)
        assert found is not None
        assert 5 <= sum(observation.quality.usable for _, observation in found) <= 10
        steps = np.diff([at for at, _ in found])
        assert ((steps >= 0.2) & (steps <= 2)).all()
    assert make_track(usable[:4] + poor, random) is None


@pytest.mark.parametrize("rule", [ours, best_frame, majority, frigate])
def test_every_rule_knows_anna_when_she_is_clear(rule):
    assert rule(DOOR, track(*[frame(0.8)] * 6)).final == "Anna"


@pytest.mark.parametrize("rule", [ours, best_frame, majority, frigate])
def test_every_rule_knows_a_stranger_who_looks_like_nobody(rule):
    outcome = rule(DOOR, track(*[frame(0.02)] * 6))
    assert outcome.final == STRANGER
    assert not outcome.names


def test_one_lucky_clear_frame_names_a_stranger_by_the_best_frame_only():
    lucky = track(*[frame(0.1, clarity=0.9)] * 5, frame(0.6, clarity=1.0))
    assert best_frame(DOOR, lucky).final == "Anna"
    assert majority(DOOR, lucky).final == STRANGER
    assert ours(DOOR, lucky).final != "Anna"


def test_frigates_rule_throws_low_scores_away_so_one_of_many_names_a_stranger():
    assert frigate(DOOR, track(*[frame(0.1)] * 8, frame(0.45))).final == "Anna"


def test_frigates_rule_does_not_choose_between_equally_frequent_names():
    torn = track(frame(0.6), frame(0.0, like_tom=0.6))
    assert frigate(DOOR, torn).final == STRANGER


def test_large_faces_weigh_more_by_frigates_rule():
    low, high = 0.3 + np.log(0.82 / 0.18) / 20, 0.3 + np.log(0.99 / 0.01) / 20
    assert frigate(DOOR, track(frame(low, area=100), frame(high, area=3000))).final == "Anna"
    assert frigate(DOOR, track(frame(low, area=3000), frame(high, area=100))).final == STRANGER


def test_a_name_that_is_taken_back_is_remembered():
    outcome = ours(DOOR, track(*[frame(0.8)] * 3, *[frame(0.0)] * 12))
    assert outcome.final != "Anna"
    assert outcome.names == {"Anna"}


def test_faces_are_counted_until_the_last_word_was_first_said():
    outcome = ours(DOOR, track(frame(0.8, usable=False), *[frame(0.8)] * 6))
    assert (outcome.final, outcome.faces) == ("Anna", VerdictConfig().min_faces)
