import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure.recognition.classifier_scores import LIMIT, THRESHOLD, fit, nobodies, scores_of
from facesecure.recognition.score_model import ScoreDistribution
from facesecure.vision.inference.card_fields import ClassifierFacts

LABELS = ("Anna", "Tom", "unknown")
FACTS = ClassifierFacts(unknown=("unknown",))


def outputs(*log_odds_of_anna: float) -> np.ndarray:
    """Probabilities with these log-odds of Anna, the rest nearly all unknown."""
    anna = 1 / (1 + np.exp(-np.array(log_odds_of_anna, np.float64)))
    return np.stack([anna, 0.01 * (1 - anna), 0.99 * (1 - anna)], axis=1).astype(np.float32)


def people(count: int, mean: float, between: float, within: float, faces: int = 4, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [outputs(*(rng.normal(mean, between) + rng.normal(0, within, faces))) for _ in range(count)]


def toms(count: int = 5) -> list[np.ndarray]:
    return [one[:, [1, 0, 2]] for one in people(count, 8, 1, 1, seed=9)]


def fitted(strangers, anna=None, **more):
    family = {"Anna": people(5, 8, 1, 1, seed=5) if anna is None else anna, "Tom": toms()}
    return fit(FACTS, LABELS, family, strangers, dataset="numbers", **more)


def impostor(found) -> ScoreDistribution:
    spread = found.facts.scores["Anna"].impostor
    return ScoreDistribution(spread.mean, spread.sd_between, spread.sd_within)


def test_a_score_is_the_log_odds_of_a_class_against_all_others():
    np.testing.assert_allclose(scores_of(outputs(4.0))[0, 0], 4.0 / LIMIT, atol=1e-4)
    np.testing.assert_allclose(scores_of(outputs(-4.0))[0, 0], -4.0 / LIMIT, atol=1e-4)


def test_the_unknown_class_counts_against_every_name():
    even, doubtful = scores_of(np.array([[0.5, 0.5, 0.0], [0.34, 0.33, 0.33]]))
    assert even[0] == even[1] == 0
    assert doubtful[0] < 0


def test_logits_say_the_same_as_their_softmax():
    logits = np.array([[3.0, -1.0, 0.5], [900.0, -900.0, 0.0]])
    weights = np.exp(logits[:1] - logits[:1].max())
    np.testing.assert_allclose(scores_of(logits, "logits")[:1], scores_of(weights / weights.sum()))
    np.testing.assert_allclose(scores_of(logits, "logits")[1], [1, -1, -1])


def test_a_network_that_is_quite_sure_or_broken_gives_finite_scores():
    scores = scores_of(np.array([[1.0, 0.0, 0.0], [np.nan, np.nan, np.nan], [0.0, 0.0, 0.0]], np.float32))
    np.testing.assert_array_equal(scores, [[1, -1, -1], [-1, -1, -1], [-1, -1, -1]])


def test_labels_that_are_nobodys_are_known_by_custom():
    assert nobodies(("Anna", "Unknown", "_others_", "Stranger Things")) == ("Unknown", "_others_")


def test_the_spread_of_strangers_is_found_again_from_a_thousand():
    found = impostor(fitted(people(1000, -4, 2, 1)))
    assert found.mean == pytest.approx(-4 / LIMIT, abs=0.02)
    assert found.variance(1) ** 0.5 == pytest.approx(5**0.5 / LIMIT, rel=0.25)
    assert found.sd_between**2 / found.variance(1) == pytest.approx(0.8, abs=0.05)


def test_strangers_unseen_are_let_in_no_more_often_than_asked():
    """Fitted on 300 of them, tried on 3,000 others; the Gaussian case, without and with a heavy tail."""
    for sure_of_one_in_fifty in (False, True):
        seen, others = people(300, -4, 2, 1, seed=1), people(3000, -4, 2, 1, seed=2)
        if sure_of_one_in_fifty:
            seen[::50] = people(6, 5, 1, 1, seed=3)
            others[::50] = people(60, 5, 1, 1, seed=4)
        model = impostor(fitted(seen))
        scores = np.concatenate([scores_of(one)[:, 0] for one in others])
        for rate in (0.05, 0.02, 0.01, 0.005):
            assert (scores >= model.score_reached_with(rate, 1)).mean() <= rate, (sure_of_one_in_fifty, rate)


def test_fewer_strangers_make_it_more_careful():
    limits = [
        np.mean([impostor(fitted(people(count, -4, 2, 1, seed=seed))).score_reached_with(1e-3, 1) for seed in range(5)])
        for count in (10, 100, 1000)
    ]
    assert limits == sorted(limits, reverse=True)


def test_strangers_of_whom_the_network_is_sure_leave_no_threshold():
    sure = [outputs(40.0, 40.0) for _ in range(5)]
    found = fitted([*people(20, -4, 1, 1), *sure], rate=0.1, anna=[outputs(40.0, 40.0)] * 4)
    assert found.thresholds[THRESHOLD] > 1
    assert impostor(found).score_reached_with(0.01, 1) > 1


def test_the_threshold_lets_through_the_share_of_strangers_that_is_asked_for():
    strangers = people(200, -4, 2, 1)
    best = np.concatenate([scores_of(one)[:, :2].max(axis=1) for one in strangers])
    for rate in (0.1, 0.01):
        threshold = fitted(strangers, rate=rate).thresholds[THRESHOLD]
        assert 0.5 * rate < (best >= threshold).mean() <= rate


def test_a_name_is_not_taken_to_be_steadier_than_a_tenth_of_its_distance_to_strangers():
    always_sure = [outputs(*[30.0] * 4) for _ in range(4)]
    found = fitted(people(50, -6, 1, 1), anna=always_sure).facts.scores["Anna"]
    spread = (found.genuine.sd_between**2 + found.genuine.sd_within**2) ** 0.5
    assert spread == pytest.approx(0.1 * (found.genuine.mean - found.impostor.mean), rel=0.01)


def test_what_other_strangers_made_of_the_rates_is_told():
    rates = fitted(people(400, -4, 2, 1)).facts.rates
    assert rates.keys() == {"0.1", "0.01", "0.001"}
    assert all(got <= float(asked) for asked, got in rates.items())
    assert rates["0.1"] > 0


def test_too_few_strangers_or_pictures_are_refused():
    with pytest.raises(UsageError, match="9 strangers are too few"):
        fitted(people(9, -4, 2, 1))
    with pytest.raises(UsageError, match=r"too few held-out photos of: Anna"):
        fitted(people(20, -4, 2, 1), anna=[outputs(8.0, 8.0)])


def test_a_name_that_cannot_be_told_from_strangers_is_refused():
    with pytest.raises(UsageError, match="cannot separate Anna from strangers"):
        fitted(people(20, 5, 1, 1), anna=people(5, -2, 1, 1))


def test_a_network_that_gives_all_faces_nearly_one_score_still_has_a_card():
    same = [outputs(1e-6, 1e-6, 1e-6, 1e-6)]
    found = fitted([outputs(0.0, 0.0)] * 40, anna=same)
    assert found.facts.scores["Anna"].genuine.sd_between > 0
    assert found.facts.scores["Anna"].genuine.sd_within > 0
