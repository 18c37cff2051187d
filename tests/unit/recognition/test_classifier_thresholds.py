import pytest

from facesecure.domain.errors import ModelError
from facesecure.recognition.classifier_thresholds import ClassThresholds
from facesecure.vision.inference.model_card import load_model
from support.training.colour_classifier import NARROW, SURE, WIDE, classifier_in


def standards(folder, anna=SURE, **fields) -> ClassThresholds:
    path = classifier_in(folder, classifier={"scores": {"Anna": anna, "Tom": SURE}}, **fields)
    return ClassThresholds.from_card(load_model(path).card)


def test_each_name_has_its_own_spreads_and_the_card_s_threshold(tmp_path):
    found = standards(tmp_path, anna=WIDE)
    anna, tom = found.of("Anna"), found.of("Tom")
    assert anna.scores.impostor.sd_between == 0.3
    assert tom.scores.impostor.sd_between == 0.05
    assert anna.least == tom.least == 0.1
    assert anna.closeness is None


def test_a_name_that_strangers_come_near_to_is_told_of_and_the_rate_that_would_do(tmp_path):
    found = standards(tmp_path, anna=WIDE)
    (warning,) = found.warnings(1e-5)
    assert warning.startswith("Anna will rarely be named: strangers score too high for 1 in 100,000")
    rate = float(warning.split("false_accept = ")[1].split()[0])
    assert found.attainable("Anna") <= rate <= 0.5
    assert found.named("Anna", rate) >= 0.5
    assert found.warnings(rate) == []
    assert found.named("Tom", 1e-5) > 0.99


def test_where_no_rate_would_do_that_is_said(tmp_path):
    found = standards(tmp_path, anna=WIDE, thresholds={"unknown": 0.9})
    assert found.warnings(0.1)[0].endswith("no rate would be enough")


def test_a_classifier_that_cannot_tell_a_name_from_strangers_is_refused(tmp_path):
    upside_down = {"genuine": NARROW, "impostor": SURE["genuine"]}
    with pytest.raises(ModelError, match="does not separate its people from strangers"):
        standards(tmp_path, anna=upside_down)
