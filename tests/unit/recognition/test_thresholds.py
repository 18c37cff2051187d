"""Which standard holds for whom, and that it is said."""

import logging
from dataclasses import replace

import pytest

from facesecure.domain.records import Template
from facesecure.recognition.calibration import FILE_NAME
from facesecure.recognition.thresholds import FixedThresholds, LiveThresholds
from facesecure.storage.signed_documents import SignedDocuments
from support.builders import NOON
from support.strangers import MODEL, SCORES, SIZE, calibrated_household, member, towards

SHA = "a" * 64


class House:
    """People, a calibration in a folder, and a clock that is wound by hand."""

    def __init__(self, folder, *members):
        self.folder, self.members, self.revision, self.now = folder, list(members), 1, 0.0
        self.model = SHA

    def templates(self):
        return [Template(m.name, t, self.model, len(m.faces), NOON) for m in self.members for t in m.templates]

    def calibrate(self, **settings):
        calibrated_household(*self.members, **settings).save(SignedDocuments(self.folder))

    def standards(self, asked=1e-4):
        return LiveThresholds(
            self.templates,
            lambda: self.revision,
            SHA,
            MODEL,
            SCORES,
            SignedDocuments(self.folder),
            asked,
            clock=lambda: self.now,
        )


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, member("Anna", towards(4)[0], seed=1), member("Tom", towards(20)[0], seed=2))


def demand(standard, chance=1e-4):
    return standard.scores.impostor.score_reached_with(chance, 1)


def test_without_calibration_everybody_has_the_safe_default_and_the_log_says_so(house, caplog):
    with caplog.at_level(logging.INFO):
        standards = house.standards()
    for one in house.members:
        own = MODEL.against(one.templates).score_reached_with(1e-4, 1)
        assert demand(standards.of(one.name)) >= max(own, SCORES.impostor.score_reached_with(1e-4, 1)) - 1e-9
        assert standards.of(one.name).false_accept is None
    assert "safe default" in caplog.text
    assert "facesecure calibrate" in caplog.text


def test_the_default_is_never_less_strict_than_calibration(house):
    default = {one.name: demand(house.standards().of(one.name)) for one in house.members}
    house.calibrate()
    calibrated = {one.name: demand(house.standards().of(one.name)) for one in house.members}
    assert all(default[name] >= calibrated[name] for name in default)


def test_a_calibration_that_fits_is_used_with_its_rate_and_its_rivals(house, caplog):
    house.members[1] = member("Tom", towards(4)[0] + 0.9 * towards(20)[0], seed=2)
    house.calibrate(false_accept=0.01)
    with caplog.at_level(logging.INFO):
        standard = house.standards().of("Anna")
    assert standard.false_accept == 0.01
    assert [rival.name for rival in standard.rivals] == ["Tom"]
    assert "calibrated on 2026-05-01 for 1 stranger in 100: Anna, Tom" in caplog.text


def test_who_came_or_changed_since_has_the_safe_default_and_recalibration_is_offered(house, caplog):
    house.calibrate(false_accept=0.01)
    house.members[1] = member("Tom", towards(20)[0], seed=9)
    house.members.append(member("Zoe", towards(9)[0]))
    with caplog.at_level(logging.INFO):
        standards = house.standards(asked=1e-4)
    assert standards.of("Anna").false_accept == 0.01
    assert (standards.of("Tom").false_accept, standards.of("Zoe").false_accept) == (1e-4, 1e-4)
    (offer,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "to calibrate again: facesecure calibrate" in offer.getMessage()
    assert "Tom, Zoe" in offer.getMessage()


def test_a_stricter_calibration_is_not_softened_for_newcomers(house):
    house.calibrate(false_accept=1e-6)
    house.members.append(member("Zoe", towards(9)[0]))
    assert house.standards(asked=1e-4).of("Zoe").false_accept == 1e-6


def test_a_calibration_for_another_model_is_not_used_and_that_is_said(house, caplog):
    house.calibrate(model_sha256="b" * 64, false_accept=0.5)
    standards = house.standards()
    assert standards.of("Anna").false_accept != 0.5
    assert "calibrated for another model" in caplog.text


def test_a_damaged_calibration_is_said_and_the_default_holds(house, caplog):
    (house.folder / FILE_NAME).write_text("{")
    assert house.standards().of("Anna").false_accept is None
    assert "cannot be understood" in caplog.text


def test_calibrating_while_the_daemon_runs_takes_effect_within_two_seconds(house):
    standards = house.standards()
    house.calibrate(false_accept=0.01)
    house.now = 0.5
    assert standards.of("Anna").false_accept is None
    house.now = 1.1
    assert standards.of("Anna").false_accept == 0.01


def test_enrolling_while_the_daemon_runs_gives_the_newcomer_a_standard(house):
    standards = house.standards()
    before = standards.of("Zoe")
    house.members.append(member("Zoe", towards(0)[0]))
    house.revision += 1
    house.now = 1.1
    assert before.scores == SCORES
    assert demand(standards.of("Zoe")) > demand(before)


def test_templates_of_another_model_get_no_standard_of_their_own(house):
    house.model = "c" * 64
    assert house.standards().of("Anna").scores == SCORES


def test_nobody_is_warned_where_nobody_is_enrolled(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        House(tmp_path).standards()
    assert caplog.text == ""


def test_one_model_for_all_asks_the_same_of_everybody():
    same = FixedThresholds(SCORES)
    assert same.of("Anna") == same.of("Tom")
    assert same.of("Anna").rival_near(0.99, SIZE) is None
    assert same.of("Anna").scores is SCORES
    assert replace(same.of("Anna"), false_accept=0.1).false_accept == 0.1


def test_a_person_with_few_faces_needs_a_rarer_match_calibrated_or_not(house):
    house.members[0] = replace(house.members[0], faces=house.members[0].faces[:1])
    assert house.standards(1e-4).of("Anna").false_accept == pytest.approx(1e-5)
    assert house.standards(1e-4).of("Tom").false_accept is None
    house.calibrate()
    calibrated = house.standards().of("Tom").false_accept
    assert calibrated is not None
    assert house.standards().of("Anna").false_accept == pytest.approx(calibrated / 10)
