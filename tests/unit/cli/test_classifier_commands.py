"""What the commands make of ``kind = "classifier"``."""

import cv2
import numpy as np
import pytest

from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from support.service.commandline import write_picture
from support.training.colour_classifier import WIDE, classifier_in


def configured(folder, kind="classifier", **sections):
    """A configuration file for a classifier that knows Anna by red, Tom by green."""
    lines = [f'[recognizer]\nkind = "{kind}"\nmodel = "{folder / "colours.tflite"}"\n']
    lines += [
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) for name, keys in sections.items()
    ]
    (folder / "door.toml").write_text("".join(lines))
    return folder / "door.toml"


@pytest.fixture
def colours(tmp_path):
    """A folder with the classifier."""
    return classifier_in(tmp_path / "colours").parent


@pytest.fixture
def door(facesecure, colours):
    """The command line of a household with that classifier."""
    file = configured(colours)
    return lambda *words: facesecure("--config", file, *words)


def tinted(red, green, blue):
    """Grace Hopper in other light."""
    grey = cv2.cvtColor(GRACE_HOPPER.image(), cv2.COLOR_RGB2GRAY)[..., None]
    return (grey * np.array([red, green, blue])).astype(np.uint8)


def test_a_face_is_named_by_its_class_or_is_a_stranger(door, tmp_path):
    red = write_picture(tmp_path / "red.png", tinted(1.0, 0.25, 0.25))
    blue = write_picture(tmp_path / "blue.png", tinted(0.25, 0.25, 1.0))
    anna, stranger = (image["faces"][0] for image in door("identify", red, blue, "--json").json["images"])
    assert (anna["verdict"], anna["name"]) == ("known", "Anna")
    assert (stranger["verdict"], stranger["name"]) == ("stranger", None)
    assert anna["scores"].keys() == {"Anna", "Tom"}


def test_nobody_can_be_enrolled_and_it_is_said_what_to_do_instead(door, album):
    outcome = door("enroll", "Anna", "--images", album)
    assert outcome.code == 1
    assert "it recognises the people it was trained on, and no one can be enrolled" in outcome.err
    assert "facesecure-train" in outcome.err
    assert 'kind = "embedding"' in outcome.err


def test_there_is_nothing_to_calibrate(door):
    outcome = door("calibrate")
    assert outcome.code == 1
    assert "its thresholds come with its card" in outcome.err
    assert "facesecure-train evaluate classifier" in outcome.err


def test_people_are_those_of_its_labels(door):
    assert "it was trained on: Anna, Tom" in door("people", "list").err
    assert door("people", "list", "--json").json == {
        "people": [],
        "classifier": {"model": "colours", "people": ["Anna", "Tom"]},
    }


def test_visitors_are_still_told_of(door):
    assert door("visitors", "list", "--json").json == {"visitors": []}


def test_a_model_elsewhere_is_verified_by_its_path(door, colours):
    (result,) = door("models", "verify", colours / "colours.tflite", "--json").json["models"]
    assert result["ok"]
    (colours / "colours.tflite").write_bytes(b"damaged")
    outcome = door("models", "verify", colours / "colours.tflite", "--json")
    assert (outcome.code, outcome.json["models"][0]["ok"]) == (1, False)


def test_the_doctor_says_whom_it_knows_and_what_it_promises(door):
    checks = {check["check"]: check for check in door("doctor", "--json").json["checks"]}
    assert checks["people"]["message"] == "2 known to the classifier colours: Anna, Tom"
    assert checks["calibration"]["status"] == "ok"
    assert "measured on 100 strangers (colours)" in checks["calibration"]["message"]
    assert any(name.endswith("colours.tflite") for name in checks)


def test_the_doctor_warns_where_strangers_come_too_near_or_have_no_class(facesecure, tmp_path):
    facts = {"scores": {"Anna": WIDE, "Tom": WIDE, "Eve": WIDE}, "unknown": []}
    folder = classifier_in(tmp_path, classifier=facts, labels=["Anna", "Tom", "Eve"]).parent
    checks = facesecure("--config", configured(folder), "doctor", "--json").json["checks"]
    warned = [check["message"] for check in checks if check["status"] == "warn"]
    assert any("colours has no class for unknown people" in message for message in warned)
    assert sum("will rarely be named" in message for message in warned) == 3


def test_the_doctor_warns_where_another_detector_cuts_the_faces(facesecure, tmp_path):
    folder = classifier_in(tmp_path, loose=True).parent
    file = configured(folder, detector={"kind": '"haar"'})
    checks = facesecure("--config", file, "doctor", "--json").json["checks"]
    assert any("was trained on faces that mtcnn found, not haar" in check["message"] for check in checks)


def test_a_check_of_the_configuration_reads_the_card(facesecure, colours):
    assert facesecure("config", "check", configured(colours)).code == 0
    outcome = facesecure("config", "check", configured(colours, kind="embedding"))
    assert outcome.code == 2
    assert "line 3: recognizer.model: colours does not embed faces" in outcome.err
    assert 'kind = "classifier"' in outcome.err
    (colours / "colours.json").unlink()
    outcome = facesecure("config", "check", configured(colours))
    assert "line 3: recognizer.model: cannot read model card" in outcome.err


def test_a_classifier_without_a_model_is_refused_with_the_line(facesecure, tmp_path):
    (tmp_path / "door.toml").write_text('[recognizer]\nkind = "classifier"\n')
    outcome = facesecure("config", "check", tmp_path / "door.toml")
    assert outcome.code == 2
    assert "line 1: recognizer" in outcome.err
    assert "needs a model" in outcome.err


def test_a_model_that_is_no_classifier_is_refused(facesecure, tmp_path):
    (tmp_path / "door.toml").write_text('[recognizer]\nkind = "classifier"\nmodel = "mobilefacenet"\n')
    outcome = facesecure("config", "check", tmp_path / "door.toml")
    assert outcome.code == 2
    assert "mobilefacenet is not a face classifier" in outcome.err
