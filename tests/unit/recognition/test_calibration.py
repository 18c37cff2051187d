"""What is kept of a calibration: whole or not at all, nobody else's to read, and true only for whom it was made."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.domain.errors import StoreError
from facesecure.recognition import calibration
from facesecure.recognition.calibration import CHART_NAME, FILE_NAME, FORGOTTEN, Calibration, fingerprint
from facesecure.storage.signed_documents import SignedDocuments
from support.builders import NOON
from support.strangers import calibrated_household, member, towards


@pytest.fixture
def made() -> Calibration:
    return calibrated_household(member("Anna", towards(4)[0]), member("Berta", towards(4)[0] + towards(20)[0]))


def test_what_was_saved_is_loaded_again(made, tmp_path):
    made.save(SignedDocuments(tmp_path))
    assert Calibration.load(SignedDocuments(tmp_path)) == made


def test_it_is_its_owners_only(made, tmp_path):
    path = made.save(SignedDocuments(tmp_path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_one_and_nothing_else(made, tmp_path, monkeypatch):
    made.save(SignedDocuments(tmp_path))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        made.model_copy(update={"made_at": NOON + timedelta(days=1)}).save(SignedDocuments(tmp_path))
    assert Calibration.load(SignedDocuments(tmp_path)) == made
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE_NAME, "key"]


def test_without_one_there_is_none_and_a_damaged_one_is_said(tmp_path):
    assert Calibration.load(SignedDocuments(tmp_path)) is None
    (tmp_path / FILE_NAME).write_text('{"people": ')
    with pytest.raises(StoreError, match="cannot be understood") as error:
        Calibration.load(SignedDocuments(tmp_path))
    assert "facesecure calibrate" in error.value.hint


def test_it_holds_for_a_person_until_their_templates_change(made):
    anna = member("Anna", towards(4)[0])
    assert made.of("Anna", fingerprint(anna.templates)) == made.people["Anna"]
    assert made.of("Anna", fingerprint(towards(5))) is None
    assert made.of("Zoe", fingerprint(anna.templates)) is None


def test_a_fingerprint_does_not_depend_on_the_order_of_templates():
    one, other = towards(1)[0], towards(2)[0]
    assert fingerprint([one, other]) == fingerprint([other, one]) != fingerprint([one])


def test_who_is_forgotten_is_named_nowhere_any_more_but_their_likeness_stays(made, tmp_path):
    made.save(SignedDocuments(tmp_path))
    (tmp_path / CHART_NAME).write_bytes(b"a picture with names")
    calibration.forget(SignedDocuments(tmp_path), "Berta")
    assert "Berta" not in Path(tmp_path / FILE_NAME).read_text()
    left = Calibration.load(SignedDocuments(tmp_path))
    assert list(left.people) == ["Anna"]
    assert left.people["Anna"].threshold == made.people["Anna"].threshold
    assert [rival.name for rival in left.people["Anna"].rivals] == [FORGOTTEN]
    assert not (tmp_path / CHART_NAME).exists()


def test_forgetting_somebody_of_whom_nothing_is_kept_changes_nothing(made, tmp_path):
    calibration.forget(SignedDocuments(tmp_path), "Zoe")
    assert list(tmp_path.iterdir()) == []
    made.save(SignedDocuments(tmp_path))
    calibration.forget(SignedDocuments(tmp_path), "Zoe")
    assert Calibration.load(SignedDocuments(tmp_path)) == made
