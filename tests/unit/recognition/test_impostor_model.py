"""What strangers look like, and whether as many of them come near as the model says."""

import dataclasses

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.recognition.impostor_model import GenericImpostors, impostor_model_of, packed, stricter, unpacked
from facesecure.recognition.score_model import ScoreDistribution
from facesecure.vision.inference.model_card import load_model
from support.strangers import MODEL, SCORES, SIZE, towards, unit, visits


@pytest.mark.parametrize("axis", [0, SIZE // 2, SIZE - 1])
@pytest.mark.parametrize("asked", [1e-2, 1e-3])
def test_as_many_strangers_reach_a_threshold_as_it_was_asked_to_let_in(axis, asked):
    template = towards(axis)
    limit = MODEL.against(template).score_reached_with(asked, 1)
    got = (visits(200_000)[:, 0] @ template[0] >= limit).mean()
    assert got == pytest.approx(asked, rel=0.25)


def test_as_many_visits_reach_a_threshold_as_it_was_asked_to_let_in_when_their_mean_direction_is_compared():
    template = towards(SIZE // 2)
    means = visits(100_000, faces=5).mean(axis=1)
    scores = (means @ template[0]) / np.linalg.norm(means, axis=1)
    limit = MODEL.against(template).score_reached_with(1e-2, 5)
    assert (scores >= limit).mean() == pytest.approx(1e-2, rel=0.25)


def test_an_average_face_needs_a_higher_threshold_than_a_rare_one():
    average, rare = (MODEL.against(towards(axis)).score_reached_with(1e-3, 1) for axis in (0, SIZE - 1))
    assert average > rare + 0.1


@pytest.mark.parametrize("asked", [1e-2, 1e-3])
def test_several_templates_let_in_as_many_as_were_asked_for_too(asked):
    templates = np.concatenate([towards(0), unit(towards(0) + towards(1)), unit(towards(2) - towards(1))])
    limit = MODEL.against(templates).score_reached_with(asked, 1)
    got = ((visits(200_000)[:, 0] @ templates.T).max(axis=1) >= limit).mean()
    assert asked / 2 < got < asked * 2


def test_a_template_is_taken_to_be_of_the_kind_of_pictures_that_it_is_nearest_to():
    other = dataclasses.replace(MODEL, means=np.stack([MODEL.means[0], np.eye(SIZE)[5] * 0.3]))
    assert other.against(towards(5)).mean == pytest.approx(0.3)
    assert other.against(towards(0)).mean == pytest.approx(0.1)


def test_a_packed_model_says_the_same_when_it_is_unpacked():
    means, between, within = unpacked(packed(MODEL))
    again = dataclasses.replace(MODEL, means=means, between=between, within=within)
    for axis in (0, 7, SIZE - 1):
        one, other = MODEL.against(towards(axis)), again.against(towards(axis))
        assert dataclasses.astuple(other) == pytest.approx(dataclasses.astuple(one), rel=2e-3)


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", packed(MODEL)[:-200]])
def test_what_is_no_stranger_model_is_refused(content):
    with pytest.raises(ModelError, match="cannot be read"):
        unpacked(content)


@pytest.mark.parametrize("name", ["mobilefacenet", "mobilefacenet-float16"])
def test_the_bundled_models_know_strangers_and_are_within_twice_the_rates_asked_for(name):
    model = load_model(name)
    facts = model.card.strangers
    assert facts is not None
    assert facts.people > 5000
    for asked in ("0.01", "0.001"):
        assert float(asked) / 2 < facts.rates[asked] < float(asked) * 2
    strangers = impostor_model_of(model)
    random = unit(np.random.default_rng(0).standard_normal((1, 192)))
    assert np.sqrt(strangers.against(random).variance(1)) == pytest.approx(1 / np.sqrt(192), rel=0.3)


def test_one_byte_changed_is_damage_and_a_missing_file_is_said(tmp_path):
    model = load_model("mobilefacenet")
    facts = model.card.strangers
    elsewhere = dataclasses.replace(model, path=tmp_path / "mobilefacenet.tflite")
    with pytest.raises(ModelError, match="cannot read the impostor model"):
        impostor_model_of(elsewhere)
    content = bytearray(model.path.with_name(facts.file).read_bytes())
    content[1000] ^= 1
    (tmp_path / facts.file).write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        impostor_model_of(elsewhere)


def test_without_a_stranger_model_everybody_has_the_cards_strangers():
    model = load_model("mobilefacenet")
    bare = dataclasses.replace(model, card=model.card.model_copy(update={"strangers": None}))
    strangers = impostor_model_of(bare)
    assert isinstance(strangers, GenericImpostors)
    assert strangers.against(towards(0)) == strangers.against(towards(9))
    assert strangers.error > 0.05


def test_the_stricter_of_two_asks_for_at_least_what_either_does():
    one, other = ScoreDistribution(0.0, 0.15, 0.05), ScoreDistribution(0.05, 0.12, 0.08)
    both = stricter(one, other)
    for chance in (1e-2, 1e-4):
        for faces in (1, 10):
            least = max(one.score_reached_with(chance, faces), other.score_reached_with(chance, faces))
            assert both.score_reached_with(chance, faces) >= least
    assert stricter(SCORES.impostor, SCORES.impostor) == SCORES.impostor


def test_the_stricter_of_two_is_so_for_long_visits_as_well():
    alike, unlike = ScoreDistribution(0.0, 0.13, 0.07, mutual=0.74), ScoreDistribution(0.0, 0.12, 0.08, mutual=0.6)
    both = stricter(alike, unlike)
    for faces in (1, 3, 1e6):
        least = max(one.score_reached_with(1e-4, faces) for one in (alike, unlike))
        assert both.score_reached_with(1e-4, faces) >= least - 1e-9
