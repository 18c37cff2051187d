"""``facesecure calibrate``: thresholds for this household, and what to expect of them."""

import json
import stat
import sys

import cv2
import numpy as np
import pytest

from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.recognition.gallery import HardNegative
from facesecure.services import calibration
from facesecure.storage.store import Store
from facesecure.vision.inference.model_card import load_model
from support.service.commandline import write_picture
from support.store import enrolled_face


@pytest.fixture
def family(facesecure, album):
    """Grace, and two people who look like nobody."""
    assert facesecure("enroll", "Grace", "--images", album).code == 0
    sha = load_model("mobilefacenet").sha256
    with Store.open(facesecure.state) as store:
        store.add_person("Tom", [enrolled_face(1, sha)])
        store.add_person("Zoe", [enrolled_face(2, sha), enrolled_face(3, sha)])
    return facesecure


def test_the_table_tells_everybodys_threshold_and_what_to_expect(family):
    outcome = family("calibrate")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].split("  ")[0] == "person"
    assert [line.split()[0] for line in lines[1:4]] == ["Grace", "Tom", "Zoe"]
    assert "1 in 300,000 (" in lines[1]
    assert "similarity, misses" in lines[1]
    assert "you allowed 1 in 100,000" in outcome.out
    assert "with 6 in place of 3, thresholds rise by about 0.0" in outcome.out
    assert str(family.state / "calibration.png") in outcome.out


def test_json_is_one_document_with_rates_intervals_and_resemblance(family):
    document = family("calibrate", "--false-accept", "1/1000", "--json").json
    assert document["false_accept"] == 0.001
    assert set(document["people"]) == {"Grace", "Tom", "Zoe"}
    grace = document["people"]["Grace"]
    assert grace["faces"] > 3
    assert grace["false_accepts"]["one_in"] == 3000
    most, least = grace["false_accepts"]["one_in_between"]
    assert most < 3000 < least
    assert grace["misses"]["low"] <= grace["misses"]["value"] <= grace["misses"]["high"]
    assert grace["nearest"] in ("Tom", "Zoe")
    assert grace["one_more"]["likeness"] > 0
    assert document["false_accepts"]["one_in"] == 1000


def test_a_stricter_rate_asks_for_more_likeness_and_misses_more(family):
    loose, strict = (family("calibrate", "--false-accept", rate, "--json").json for rate in ("1%", "1/100000"))
    for name in loose["people"]:
        assert strict["people"][name]["threshold"] > loose["people"][name]["threshold"]
        assert strict["people"][name]["misses"]["value"] >= loose["people"][name]["misses"]["value"]


def test_what_is_kept_is_private_whole_and_free_of_embeddings(family):
    family("calibrate")
    for name in ("calibration.json", "calibration.png"):
        assert stat.S_IMODE((family.state / name).stat().st_mode) == 0o600
    kept = (family.state / "calibration.json").read_text()
    assert json.loads(kept)["people"]["Grace"]["threshold"] > 0.3
    assert len(kept) < 10_000
    assert not [path for path in family.state.iterdir() if path.name.startswith(".")]


def test_the_chart_is_a_picture_where_it_was_asked_for(family, tmp_path):
    chart = tmp_path / "household.png"
    assert family("calibrate", "--chart", chart).code == 0
    height, width, _ = cv2.imread(str(chart)).shape
    assert width > 600
    assert height > 300
    assert not (family.state / "calibration.png").exists()


def test_a_chart_that_cannot_be_written_calibrates_nothing(family, tmp_path):
    outcome = family("calibrate", "--chart", tmp_path / "nowhere" / "chart.png")
    assert outcome.code == 2
    assert "cannot write" in outcome.err
    assert not (family.state / "calibration.json").exists()


def test_names_in_any_script_and_with_any_signs_are_drawn(facesecure, state):
    with Store.open(state) as store:
        store.add_person("Łucja $x_1$", [enrolled_face(1, load_model("mobilefacenet").sha256)])
    outcome = facesecure("calibrate")
    assert outcome.code == 0, outcome.err
    assert "Łucja $x_1$" in outcome.out


def test_identify_uses_it_and_offers_recalibration_when_somebody_is_enrolled_later(family, store, tmp_path):
    portrait = write_picture(tmp_path / "portrait.png", GRACE_HOPPER.image())
    family("calibrate", "--false-accept", "1%")
    fresh = family("identify", portrait, "--json")
    assert fresh.json["images"][0]["faces"][0]["name"] == "Grace"
    assert "calibrat" not in fresh.err
    store.add_person("Zach", [enrolled_face(7, load_model("mobilefacenet").sha256)])
    stale = family("identify", portrait, "--json")
    assert "new or changed since calibration" in stale.err
    assert "using the safe default for Zach" in stale.err
    assert "to calibrate again: facesecure calibrate" in stale.err


def test_twins_raise_each_others_threshold(family, store):
    store.add_person("Twin", store.faces_of("Grace"))
    people = family("calibrate", "--json").json["people"]
    assert (people["Grace"]["raised_by"], people["Twin"]["raised_by"]) == ("Twin", "Grace")
    assert people["Grace"]["threshold"] > people["Tom"]["threshold"]
    assert "Grace's threshold is raised: Twin looks alike" in family("calibrate").out


def test_the_doctor_says_whether_it_fits(family):
    def finding():
        found = family("doctor", "--json").json["checks"]
        return next(one for one in found if one["check"] == "calibration")

    assert "not calibrated" in finding()["message"]
    family("calibrate")
    assert "for 1 stranger in 100,000: Grace, Tom, Zoe" in finding()["message"]
    face = family("people", "show", "Zoe", "--json").json["faces"][0]["id"]
    assert family("people", "remove", "Zoe", "--face", face, "--yes").code == 0
    assert "holds for Zoe" in finding()["message"]
    assert "calibrate again" in finding()["advice"]


def test_who_is_removed_is_named_nowhere_any_more(family):
    family("calibrate")
    assert family("people", "remove", "Tom", "--yes").code == 0
    assert "Tom" not in (family.state / "calibration.json").read_text()
    assert not (family.state / "calibration.png").exists()


def test_who_is_removed_while_it_calibrates_is_not_written(family, monkeypatch):
    measure = calibration.calibrate

    def removed_meanwhile(*arguments):
        found = measure(*arguments)
        with Store.open(family.state) as other:
            other.remove_person("Tom")
        return found

    monkeypatch.setattr(calibration, "calibrate", removed_meanwhile)
    assert family("calibrate").code == 0
    written = (family.state / "calibration.json").read_text()
    assert "Grace" in written
    assert "Tom" not in written
    assert not (family.state / "calibration.png").exists()


def test_nobody_enrolled_is_said(facesecure, state):
    outcome = facesecure("calibrate")
    assert outcome.code == 1
    assert "no one is enrolled" in outcome.err
    assert "facesecure enroll" in outcome.err
    assert not (state / "calibration.json").exists()


def test_people_of_another_model_are_refused_by_name(facesecure, store):
    store.add_person("Tom", [enrolled_face(1, "b" * 64)])
    outcome = facesecure("calibrate", "--json")
    assert (outcome.code, outcome.out) == (1, "")
    assert "enrolled with another model than mobilefacenet: Tom" in outcome.err


@pytest.mark.parametrize("text", ["", "60%", "one in a thousand"])
def test_what_is_no_rate_is_wrong_usage(text, facesecure):
    outcome = facesecure("calibrate", f"--false-accept={text}")
    assert outcome.code == 2
    assert f"--false-accept must be a rate above 0 and up to 0.5, such as 1/1000, 0.001 or 0.1%, not {text!r}" in (
        " ".join(outcome.err.split())
    )


def test_the_rate_of_the_file_is_written_as_on_the_command_line(family, tmp_path):
    path = tmp_path / "facesecure.toml"
    path.write_text('[verdict]\nfalse_accept = "1/1000"\n', encoding="utf-8")
    assert family("--config", path, "calibrate", "--json").json["false_accept"] == 0.001


def test_the_help_has_examples(facesecure):
    outcome = facesecure("calibrate", "--help")
    assert "facesecure calibrate --false-accept 1/1000" in outcome.out
    assert "calibrate" in facesecure("--help").out


def test_a_stranger_who_was_marked_raises_the_threshold_of_whom_they_were_mistaken_for(family, monkeypatch):
    before = family("calibrate", "--json").json
    with Store.open(family.state) as store:
        grace = store.faces_of("Grace")[0].embedding
    other = grace + np.random.default_rng(3).standard_normal(grace.size).astype(np.float32) / 16
    marked = np.asarray(other / np.linalg.norm(other), np.float32)
    monkeypatch.setattr(Store, "hard_negatives", lambda self, sha: [HardNegative("Grace", marked)])
    monkeypatch.setattr(Store, "marked_strangers", lambda self, sha: marked[None])
    after = family("calibrate", "--json").json
    assert (before["strangers_marked"], after["strangers_marked"]) == (0, 1)
    assert after["people"]["Grace"]["raised_by"] == "marked stranger 1"
    assert after["people"]["Grace"]["threshold"] > before["people"]["Grace"]["threshold"]
    assert after["people"]["Zoe"] == before["people"]["Zoe"]


def test_without_matplotlib_it_calibrates_and_says_how_to_get_the_chart(family, monkeypatch):
    family("calibrate")
    assert (family.state / "calibration.png").exists()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    outcome = family("calibrate", "--json")
    assert (outcome.code, outcome.json["chart"]) == (0, None)
    assert "no chart is drawn: a chart needs matplotlib, which is not installed; install it: " in outcome.err
    assert "-m pip install 'facesecure[charts]'" in outcome.err
    assert not (family.state / "calibration.png").exists(), "it would show the calibration before"
    assert "chart:" not in family("calibrate").out


def test_a_chart_that_is_asked_for_needs_matplotlib_and_nothing_is_calibrated_without(family, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    outcome = family("calibrate", "--chart", tmp_path / "chart.png")
    assert outcome.code == 1
    assert "a chart needs matplotlib, which is not installed" in outcome.err
    assert "-m pip install 'facesecure[charts]'" in outcome.err
    assert not (family.state / "calibration.json").exists()
