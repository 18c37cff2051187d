import dataclasses

import numpy as np
import pytest

from facesecure.domain.records import Template
from facesecure.recognition.gallery import Gallery
from facesecure.recognition.impostor_model import impostor_model_of
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.similarity import OtherPeople, alike_from, lookalikes, same_from, score_to_lead
from facesecure.recognition.thresholds import LiveThresholds
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.vision.inference.model_card import load_model
from support import lfw
from support.builders import NOON, SCORES


def test_unlike_people_are_no_news_and_the_closest_comes_first():
    found = lookalikes([("Ben", 0.3), ("Cleo", 0.5), ("Dora", 0.9), ("Emil", 0.55)], SCORES)
    assert [(one.name, one.same) for one in found] == [("Dora", True), ("Emil", False), ("Cleo", False)]


def test_how_close_is_told_in_pairs_of_strangers_and_no_rarer_than_was_measured():
    near, nearer, same = reversed(lookalikes([("Ben", 0.48), ("Cleo", 0.55), ("Dora", 0.95)], SCORES))
    assert 1000 <= near.rarity < nearer.rarity <= 10_000
    assert same.rarity == 10_000
    assert f"1 pair of strangers in {near.rarity:,} is this close" in near.about("Anna")
    assert "Anna and Dora look like one and the same person (0.95)" in same.about("Anna")


def test_the_bundled_model_puts_the_bounds_where_they_were_measured():
    model = ScoreModel.from_card(load_model("mobilefacenet").card)
    assert alike_from(model) == pytest.approx(0.47, abs=0.02)
    assert same_from(model) == pytest.approx(0.73, abs=0.02)


def test_others_are_compared_by_all_their_templates():
    def template(name: str, angle: float) -> Template:
        return Template(name, np.array([np.cos(angle), np.sin(angle)], np.float32), "m", 3, NOON)

    others = OtherPeople(Gallery([template("Ben", 0.0), template("Ben", 1.5), template("Cleo", 3.0)]), SCORES)
    faces = np.array([[np.cos(1.4), np.sin(1.4)]] * 3, np.float32)
    assert [(one.name, round(one.closeness, 3)) for one in others.resembling(faces)] == [("Ben", 0.995)]
    name, score = others.nearest(faces[0])
    assert (name, round(score, 3)) == ("Ben", 0.995)
    assert OtherPeople(Gallery([]), SCORES).nearest(faces[0]) is None


def test_the_closer_two_people_the_more_a_lead_takes_until_they_are_one():
    demanded = [score_to_lead(0.6, closeness, 1, 1e-4, SCORES) for closeness in (0.0, 0.3, 0.5, 0.7)]
    assert demanded == sorted(demanded)
    assert score_to_lead(0.6, 1.0, 1, 1e-4, SCORES) == pytest.approx(0.6)
    assert score_to_lead(0.6, -0.3, 1, 1e-4, SCORES) == demanded[0], "to be unlike is no merit"


def test_more_faces_make_a_lead_cheaper():
    assert score_to_lead(0.6, 0.5, 5, 1e-4, SCORES) < score_to_lead(0.6, 0.5, 1, 1e-4, SCORES)


def test_somebody_who_is_the_second_leads_on_the_firsts_templates_as_seldom_as_was_asked():
    """Unit vectors about one template, seen from another: the geometry itself, not the formula's own assumptions."""
    noise, closeness, chance, spread = np.random.default_rng(0), 0.6, 0.01, 0.1465
    model = dataclasses.replace(
        SCORES, impostor=dataclasses.replace(SCORES.impostor, sd_between=spread, sd_within=1e-6)
    )
    size = round(1 / spread**2)  # where the cosines of unrelated unit vectors spread as impostors' do
    second, first = np.eye(size)[0], closeness * np.eye(size)[0] + np.sqrt(1 - closeness**2) * np.eye(size)[1]
    faces = noise.normal(size=(20_000, size)) / np.sqrt(size) * 0.7 + second
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    led = [face @ first >= score_to_lead(float(face @ second), closeness, 1, chance, model) for face in faces]
    assert np.mean(led) == pytest.approx(chance, rel=0.3)


def test_real_photos_of_one_person_are_the_same_and_those_of_two_are_not():
    model = ScoreModel.from_card(load_model("mobilefacenet").card)
    straw, woods = lfw.faces("Jack_Straw", 8), lfw.faces("Tiger_Woods", 4)
    mean = straw[:4].mean(0)
    others = OtherPeople(Gallery([Template("Straw", mean / np.linalg.norm(mean), "m", 4, NOON)]), model)
    assert [one.same for one in others.resembling(straw[4:])] == [True]
    assert others.resembling(woods) == []


def test_the_daemon_asks_of_each_name_by_how_close_the_others_are(tmp_path):
    model = load_model("mobilefacenet")
    direction = np.eye(192, dtype=np.float32)
    mixed = np.asarray(0.6 * direction[0] + 0.8 * direction[1], np.float32)
    templates = [Template(name, one, model.sha256, 5, NOON) for name, one in (("Anna", direction[0]), ("Tina", mixed))]
    standards = LiveThresholds(
        lambda: templates,
        lambda: 1,
        model.sha256,
        impostor_model_of(model),
        ScoreModel.from_card(model.card),
        SignedDocuments(tmp_path),
        1e-4,
    )
    assert standards.of("Anna").closeness == pytest.approx({"Tina": 0.6})
    assert standards.of("Tina").closeness == pytest.approx({"Anna": 0.6})
    assert standards.of("nobody").closeness == {}
