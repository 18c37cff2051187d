"""The stranger model is measured right, and proved on people who were left out."""

import json
import shutil

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure.recognition.impostor_model import impostor_model_of
from facesecure.vision.inference.model_card import load_model
from facesecure_training.common.embeddings import photos_by_person
from facesecure_training.evaluation import impostors
from support.strangers import MODEL, SIZE, unit


def people(count, photos=5, seed=0, mean=None):
    """Embeddings of so many people, as the model of support.strangers says."""
    random = np.random.default_rng(seed)
    who = (MODEL.means[0] if mean is None else mean) + random.standard_normal((count, 1, SIZE)) * np.sqrt(
        np.diag(MODEL.between)
    )
    return list(unit(who + random.standard_normal((count, photos, SIZE)) * np.sqrt(0.25 / SIZE)))


def test_covariances_are_found_again_from_enough_people():
    random = np.random.default_rng(0)
    who = MODEL.means[0] + random.standard_normal((3000, 1, SIZE)) * np.sqrt(np.diag(MODEL.between))
    found = impostors.fit([list((who + random.standard_normal((3000, 4, SIZE)) * 0.5 / np.sqrt(SIZE)).astype("f4"))])
    assert found.means[0] == pytest.approx(MODEL.means[0], abs=0.02)
    assert np.diag(found.between) == pytest.approx(np.diag(MODEL.between), rel=0.2)
    assert np.diag(found.within) == pytest.approx(np.diag(MODEL.within), rel=0.1)


def test_few_people_are_drawn_towards_a_sphere_and_stay_a_covariance():
    few, many = impostors.fit([people(100)]), impostors.fit([people(3000)])
    spread = [np.ptp(np.diag(one.between)) / np.diag(one.between).mean() for one in (few, many)]
    assert np.linalg.eigvalsh(few.between).min() > 0
    assert spread[0] < 2 * spread[1]


def test_the_rates_on_people_left_out_are_those_asked_for():
    report = impostors.measure([people(400)])
    assert report.rates["0.01"] == pytest.approx(0.01, rel=0.3)
    assert 0.001 / 3 < report.rates["0.001"] < 0.001 * 3
    assert report.error < 0.1
    assert (report.people, report.faces, report.shift) == (400, 2000, 0.0)


def test_pictures_of_another_kind_shift_all_scores_and_a_mean_of_their_own_mends_it():
    usual, other = people(300), people(300, seed=1, mean=np.eye(SIZE)[3] * 0.35)
    alone = impostors.check([usual], other)
    both = impostors.measure([usual, other])
    assert alone["0.01"] > 0.02
    assert both.rates["0.01"] < 0.015
    assert both.shift > 0.03


def test_genuine_quantiles_rise_and_reach_no_further_than_there_were_scores():
    report = impostors.measure([people(200, photos=8)])
    shares = [float(share) for share in report.genuine_quantiles]
    assert list(report.genuine_quantiles.values()) == sorted(report.genuine_quantiles.values())
    assert min(shares) >= 1 / 600


@pytest.mark.parametrize("found", [people(50), people(200, photos=1)])
def test_too_few_people_are_refused(found):
    with pytest.raises(UsageError, match="too few"):
        impostors.fit([found])


def test_without_anybody_with_photos_enough_nothing_can_be_proved():
    with pytest.raises(UsageError, match="no person has 5 photos"):
        impostors.measure([people(400, photos=3)])


def test_what_is_written_beside_a_model_the_daemon_loads(tmp_path):
    model = load_model("mobilefacenet")
    for suffix in (".tflite", ".json"):
        shutil.copy(model.path.with_suffix(suffix), tmp_path)
    bare = json.loads((tmp_path / "mobilefacenet.json").read_text())
    bare.pop("strangers")
    (tmp_path / "mobilefacenet.json").write_text(json.dumps(bare))
    copied = load_model(tmp_path / "mobilefacenet.tflite")
    random = np.random.default_rng(0)
    found = list(unit(random.standard_normal((240, 1, 192)) + 0.5 * random.standard_normal((240, 6, 192))))
    impostors.write(copied, [found], impostors.measure([found]), "noise")
    again = load_model(tmp_path / "mobilefacenet.tflite")
    assert (again.card.strangers.dataset, again.card.strangers.people) == ("noise", 240)
    assert again.card.genuine_quantiles
    expected = impostors.fit([found]).against(found[0][:1])
    assert impostor_model_of(again).against(found[0][:1]).sd_between == pytest.approx(expected.sd_between, rel=0.01)


def test_people_come_by_folder_or_by_the_list_beside_the_folder(tmp_path):
    images = tmp_path / "images"
    (images / "Ann").mkdir(parents=True)
    (images / "Ann" / "Ann_0001.jpg").write_bytes(b"")
    assert list(photos_by_person(images)) == ["Ann"]
    (tmp_path / "identities.csv").write_text("image,identity\n1.jpg,7\n2.jpg,9\n3.jpg,7\n")
    assert photos_by_person(images) == {"7": [images / "1.jpg", images / "3.jpg"], "9": [images / "2.jpg"]}


def test_nobodys_embedding_can_be_read_from_it():
    """What is kept are a mean for each kind and two triangles: far fewer numbers than people."""
    for name in ("mobilefacenet", "mobilefacenet-float16"):
        model = load_model(name)
        facts = model.card.strangers
        with np.load(model.path.with_name(facts.file)) as kept:
            assert sorted(kept) == ["between", "between_scale", "means", "within", "within_scale"]
            assert len(kept["means"]) < facts.people / 1000
