"""Households drawn from made-up people whose faces scatter in a known way."""

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.evaluation.households import DrawSettings, Household, draw_households
from facesecure_training.evaluation.observations import FaceObservation
from facesecure_training.evaluation.openset import (
    compare,
    curve,
    decision_figures,
    nearest_photo,
    nearest_template,
    operating_points,
)
from support.builders import quality

FEW = DrawSettings(households=20, people=3, pictures=4, strangers=40)


def observation(vector: np.ndarray) -> FaceObservation:
    return FaceObservation((vector / np.linalg.norm(vector)).astype(np.float32), quality(), 900.0)


def people(count: int = 60, photos: int = 9, scatter: float = 0.5) -> dict[str, list[FaceObservation]]:
    random = np.random.default_rng(3)
    return {
        f"person {n}": [observation(centre + scatter * random.normal(size=32)) for _ in range(photos)]
        for n, centre in enumerate(random.normal(size=(count, 32)))
    }


def test_a_household_enrols_some_pictures_and_is_tried_with_others():
    household = next(draw_households(people(), FEW))
    assert [len(observations) for observations in household.enrolled.values()] == [4, 4, 4]
    assert [len(observations) for observations in household.probes.values()] == [5, 5, 5]
    enrolled = {observation for observations in household.enrolled.values() for observation in observations}
    assert not any(
        observation in enrolled for observations in household.probes.values() for observation in observations
    )


def test_strangers_are_different_people_and_none_of_the_family():
    everyone = people()
    owner = {observation: name for name, observations in everyone.items() for observation in observations}
    household = next(draw_households(everyone, FEW))
    names = [owner[observation] for observation in household.strangers]
    assert len(set(names)) == len(names) == 40
    assert not set(names) & set(household.enrolled)


def test_the_same_seed_draws_the_same_households():
    everyone = people()
    first, again = (list(draw_households(everyone, FEW)) for _ in range(2))
    other = list(draw_households(everyone, DrawSettings(20, 3, 4, 40, seed=1)))
    assert [list(one.enrolled) for one in first] == [list(one.enrolled) for one in again]
    assert [list(one.enrolled) for one in first] != [list(one.enrolled) for one in other]


def test_probes_can_be_limited():
    household = next(draw_households(people(), DrawSettings(20, 3, 4, 40, probes=2)))
    assert [len(observations) for observations in household.probes.values()] == [2, 2, 2]


def test_too_few_people_with_enough_photos_is_wrong_usage():
    with pytest.raises(UsageError, match="too few"):
        next(draw_households(people(photos=6), FEW))


def test_the_threshold_lets_in_the_strangers_asked_for():
    outcomes = compare(draw_households(people(), FEW), nearest_template)
    strangers = np.concatenate([one.strangers for one in outcomes])
    for rate in operating_points(outcomes, asked=(0.1, 0.01)):
        assert (strangers > rate.threshold).mean() == pytest.approx(rate.asked, abs=0.002)
        assert rate.named.low <= rate.named.value <= rate.named.high


def test_fewer_strangers_cost_faces_of_the_family():
    outcomes = compare(draw_households(people(scatter=0.9), FEW), nearest_template)
    loose, strict = operating_points(outcomes, asked=(0.1, 0.003))
    assert loose.named.value > strict.named.value
    asked, named = curve(outcomes)
    assert named[0] >= named[-1]
    assert asked[0] == pytest.approx(100)


def test_a_template_names_more_of_scattered_faces_than_the_nearest_picture():
    households = list(draw_households(people(scatter=0.9), FEW))
    mean, nearest = (
        operating_points(compare(households, how), asked=(0.01,))[0] for how in (nearest_template, nearest_photo)
    )
    assert mean.named.value > nearest.named.value


def test_a_wrong_name_is_no_success_however_high_its_score():
    anna, tom = np.eye(2, 8)
    enrolled = {"Anna": [observation(anna)] * 2, "Tom": [observation(tom)] * 2}
    household = Household(
        enrolled, {"Anna": [observation(tom)], "Tom": [observation(tom)]}, [observation(-anna - tom)] * 10
    )
    (rate,) = operating_points(compare([household], nearest_template), asked=(0.1,))
    assert rate.named.value == 50


def test_a_person_counts_once_however_many_photos():
    anna, tom = np.eye(2, 8)
    enrolled = {"Anna": [observation(anna)] * 2, "Tom": [observation(tom)] * 2}
    household = Household(
        enrolled, {"Anna": [observation(anna)] * 9, "Tom": [observation(anna)]}, [observation(-anna - tom)] * 10
    )
    (rate,) = operating_points(compare([household], nearest_template), asked=(0.1,))
    assert (rate.named.value, rate.per_person) == (90, 50)


def test_a_rules_rates_are_counted_over_all_households():
    family = [np.array([1, 1, 0, -1]), np.array([1, 1, 1, 1])]
    strangers = [np.array([True, False]), np.array([False, False])]
    judged = decision_figures(0.1, family, strangers)
    assert (judged.got, judged.strangers) == (0.25, 4)
    assert judged.named.value == 75
    assert judged.misnamed == 12.5
