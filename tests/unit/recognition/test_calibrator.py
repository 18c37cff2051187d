"""The arithmetic of calibration, on households whose truth is known."""

import numpy as np
import pytest

from facesecure.recognition.calibrator import GenuineTail, expected_similarity, pairwise_similarity, total
from support.strangers import GENUINE, SCORES, SIZE, calibrator, member, towards, unit, visits


def family(*axes: int):
    return [member(f"P{axis}", towards(axis)[0], seed=axis) for axis in axes]


@pytest.mark.parametrize("asked", [1e-2, 1e-3])
def test_a_household_lets_in_as_many_strangers_as_it_asked_for(asked):
    household = family(1, 9, 17, 25)
    calibrated = calibrator(asked).calibrate(household)
    faces = visits(200_000, seed=3)[:, 0]
    passed = np.zeros(len(faces), bool)
    for one in household:
        passed |= one.scores_of(faces) >= calibrated[one.name].threshold
    assert asked / 2 < passed.mean() < asked * 2
    expected = total([person.false_accepts for person in calibrated.values()])
    assert expected.low < passed.mean() < expected.high
    assert expected.value == pytest.approx(asked, rel=1e-6)


def test_everybody_has_a_threshold_of_their_own():
    calibrated = calibrator().calibrate(family(0, SIZE - 1))
    assert calibrated["P0"].threshold > calibrated[f"P{SIZE - 1}"].threshold + 0.05


def test_a_relative_raises_the_threshold_and_is_named():
    anna = member("Anna", towards(4)[0], seed=1)
    sister = member("Berta", towards(4)[0] + 1.1 * towards(20)[0], seed=2)
    alone = calibrator().calibrate([anna, *family(25)])["Anna"]
    calibrated = calibrator().calibrate([anna, sister])
    assert alone.raised_by is None
    assert calibrated["Anna"].raised_by == "Berta"
    assert calibrated["Anna"].threshold > alone.threshold
    assert (calibrated["Anna"].nearest, calibrated["Berta"].nearest) == ("Berta", "Anna")
    assert calibrated["Anna"].false_accepts.value < alone.false_accepts.value
    assert calibrated["Anna"].misses.value > alone.misses.value


def test_at_the_raised_threshold_few_of_the_relatives_visits_pass():
    anna = member("Anna", towards(4)[0], seed=1)
    like = towards(4)[0] + 1.1 * towards(20)[0]
    calibrated = calibrator().calibrate([anna, member("Berta", like, seed=2)])
    passing = anna.scores_of(member("Berta", like, faces=2000, seed=5).faces) >= calibrated["Anna"].threshold
    assert passing.mean() < 0.02


def test_a_stranger_marked_by_the_user_raises_the_threshold_of_whom_they_were_mistaken_for():
    from dataclasses import replace

    anna, tom = family(4, 20)
    mistaken = unit(towards(4) + 0.9 * towards(12))
    plain = calibrator().calibrate([anna, tom])
    marked = calibrator().calibrate([replace(anna, mistaken=[mistaken]), tom])
    assert marked["P4"].raised_by == "marked stranger 1"
    assert marked["P4"].threshold > plain["P4"].threshold
    assert marked["P20"] == plain["P20"]
    assert marked["P4"].nearest == "P20"


def test_few_pictures_are_believed_little_and_many_more():
    few, many = (calibrator().calibrate([member("A", towards(3)[0], n, noise=0.2)])["A"] for n in (3, 30))
    usual = GENUINE.mean
    assert usual - 0.05 < few.genuine.mean < many.genuine.mean < 0.98
    assert few.misses.high - few.misses.low > many.misses.high - many.misses.low


def test_one_picture_is_enough_to_calibrate_and_says_what_is_usual():
    person = calibrator().calibrate([member("A", towards(3)[0], 1)])["A"]
    assert person.genuine.mean == pytest.approx(expected_similarity(pairwise_similarity(GENUINE.mean, 5), 1))
    assert person.nearest is None


def test_one_more_picture_gains_less_the_more_there_are():
    gains = [calibrator().calibrate([member("A", towards(3)[0], n)])["A"] for n in (2, 5, 15)]
    likeness = [one.one_more.likeness for one in gains]
    assert likeness[0] > likeness[1] > likeness[2] > 0
    assert all(one.one_more.misses <= one.misses.value for one in gains)


def test_the_likeness_foretold_for_more_pictures_is_what_they_have():
    random = np.random.default_rng(0)
    person = unit(random.standard_normal(192))
    found = unit(person + 0.6 * random.standard_normal((4000, 192)) / np.sqrt(192))
    pairwise = float(np.mean(found[:1000] @ found[1000:2000].T))
    for pictures in (1, 3, 8):
        template = unit(found[: pictures * 200].reshape(200, pictures, 192).mean(axis=1))
        likeness = float(np.mean(template @ found[3000:].T))
        assert expected_similarity(pairwise, pictures) == pytest.approx(likeness, abs=0.01)
        assert pairwise_similarity(expected_similarity(pairwise, pictures), pictures) == pytest.approx(pairwise)


def test_misses_follow_the_measured_tail_and_not_a_gaussian():
    tail = GenuineTail.of({"0.01": 0.5, "0.1": 0.7, "0.5": 0.83, "0.9": 0.9}, GENUINE)
    assert tail.below(0.5, GENUINE.mean) == pytest.approx(0.01)
    assert tail.below(0.6, GENUINE.mean + 0.1) == pytest.approx(0.01)
    assert tail.below(0.1, GENUINE.mean) == pytest.approx(0.01), "nothing rarer was measured"
    assert tail.below(0.4, GENUINE.mean) < tail.below(0.6, GENUINE.mean) < tail.below(0.8, GENUINE.mean)


def test_without_measured_quantiles_the_cards_spread_stands_in():
    tail = GenuineTail.of({}, GENUINE)
    assert tail.below(GENUINE.mean, GENUINE.mean) == pytest.approx(0.5)
    assert tail.below(GENUINE.mean - 2.326 * np.sqrt(GENUINE.variance(1)), GENUINE.mean) == pytest.approx(
        0.01, rel=0.01
    )


def test_the_card_model_is_at_least_as_strict_on_average_as_calibration():
    """The bundled card's one impostor distribution against those of many random templates."""
    from facesecure.recognition.impostor_model import impostor_model_of
    from facesecure.recognition.score_model import ScoreModel
    from facesecure.vision.inference.model_card import load_model

    model = load_model("mobilefacenet")
    strangers, common = impostor_model_of(model), ScoreModel.from_card(model.card).impostor
    random = np.random.default_rng(0)
    root = np.linalg.cholesky(strangers.between + strangers.within / 5)
    people = unit(strangers.means[0] + random.standard_normal((200, 192)) @ root.T)
    own = [strangers.against(one[None]).score_reached_with(1e-4, 1) for one in people]
    assert np.mean([max(limit, common.score_reached_with(1e-4, 1)) for limit in own]) >= np.mean(own)
    assert common.score_reached_with(1e-4, 1) > np.mean(own) - 0.03
    assert SCORES.genuine.mean > np.mean(own)
