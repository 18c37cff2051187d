"""``facesecure identify``: each face is explained."""

import numpy as np
import pytest

from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from support.service.commandline import write_picture


@pytest.fixture
def knows_grace(facesecure, album):
    assert facesecure("enroll", "Grace", "--images", album).code == 0
    return facesecure


@pytest.fixture
def portrait(tmp_path):
    return write_picture(tmp_path / "portrait.png", GRACE_HOPPER.image())


def test_somebody_known_is_named_and_somebody_else_is_a_stranger(knows_grace, portrait, visitor):
    images = knows_grace("identify", portrait, visitor, "--json").json["images"]
    assert [image["path"] for image in images] == [str(portrait), str(visitor)]
    (grace,), (stranger,) = (image["faces"] for image in images)
    assert (grace["verdict"], grace["name"]) == ("known", "Grace")
    assert (stranger["verdict"], stranger["name"]) == ("stranger", None)
    assert grace["score"] > stranger["score"]


def test_a_face_comes_with_its_place_its_quality_and_a_reason(knows_grace, portrait):
    (face,) = knows_grace("identify", portrait, "--json").json["images"][0]["faces"]
    left, top, right, bottom = face["box"]
    eyes = GRACE_HOPPER.points()[:2]
    assert ((eyes > (left, top)) & (eyes < (right, bottom))).all()
    assert face["quality"]["usable"]
    assert 0 < face["quality"]["clarity"] <= 1
    assert "Grace" in face["why"]


def test_a_face_too_small_to_tell_is_unidentified_and_says_why(knows_grace, tmp_path):
    import cv2

    small = np.full((480, 640, 3), 90, np.uint8)
    face = cv2.resize(GRACE_HOPPER.image(), None, fx=0.11, fy=0.11, interpolation=cv2.INTER_AREA)
    small[100 : 100 + face.shape[0], 200 : 200 + face.shape[1]] = face
    config = tmp_path / "door.toml"
    config.write_text("[detector]\nmin_face = 12\nconfidence = 0.5\n")
    picture = write_picture(tmp_path / "small.png", small)
    (found,) = knows_grace("--config", config, "identify", picture, "--json").json["images"][0]["faces"]
    assert found["verdict"] == "unidentified"
    assert "too small" in found["why"]


def test_with_nobody_enrolled_a_good_face_is_a_stranger(facesecure, portrait):
    (face,) = facesecure("identify", portrait, "--json").json["images"][0]["faces"]
    assert face["verdict"] == "stranger"
    assert "nobody is enrolled" in face["why"]


def test_a_picture_without_a_face_says_so(facesecure, tmp_path):
    blank = write_picture(tmp_path / "blank.png", np.full((200, 200, 3), 128, np.uint8))
    assert facesecure("identify", blank, "--json").json["images"][0]["faces"] == []
    assert "no face found" in facesecure("identify", blank).out


def test_an_unreadable_picture_does_not_keep_the_others_from_being_told(knows_grace, portrait, tmp_path):
    (tmp_path / "fake.jpg").write_text("text")
    outcome = knows_grace("identify", tmp_path / "fake.jpg", portrait, tmp_path / "gone.jpg", "--json")
    assert outcome.code == 1
    fake, good, gone = outcome.json["images"]
    assert "not an image" in fake["error"]
    assert (good["error"], good["faces"][0]["name"]) == (None, "Grace")
    assert "there is no image" in gone["error"]
    assert outcome.err.count("error: ") == 2


def test_the_table_is_for_people(knows_grace, portrait, visitor):
    outcome = knows_grace("identify", portrait, visitor)
    assert "Grace" in outcome.out
    assert "stranger" in outcome.out


def test_a_folder_stands_for_the_pictures_in_it(knows_grace, album):
    assert len(knows_grace("identify", album, "--json").json["images"]) == 6 + 1, "the text file is told of"


def test_no_picture_named_is_wrong_usage(facesecure):
    assert facesecure("identify").code == 2
