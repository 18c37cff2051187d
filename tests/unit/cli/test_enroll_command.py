"""``facesecure enroll``: every image is reported, and a person is enrolled completely or not at all."""

import logging
import sys

import numpy as np
import pytest

from facesecure.camera.synthetic.clip import enrolment_images, figure_of
from facesecure.camera.synthetic.figure import SHARP, Pose
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS
from facesecure.camera.synthetic.video_writer import VideoWriter
from facesecure.recognition.enrolment import Enrolment
from facesecure.vision.inference.model_card import load_model
from support.service.commandline import write_picture


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """Two seconds a picture of Grace Hopper."""
    path = tmp_path_factory.mktemp("film") / "grace.mp4"
    with VideoWriter(path, (640, 640), 4.0, crf=18, preset="ultrafast") as writer:
        for image in enrolment_images(6):
            for _ in range(4):
                writer.write(image)
    return path


@pytest.fixture
def two_cameras(film, tmp_path):
    """The first is not there; the second shows Grace Hopper."""
    config = tmp_path / "two.toml"
    config.write_text(
        f'[[cameras]]\nname = "gate"\nsource = "rtsp://127.0.0.1:9/gate"\n'
        f'[[cameras]]\nname = "front door"\nsource = "file:{film}"\n'
    )
    return config


@pytest.fixture(scope="session")
def visitors(tmp_path_factory):
    """Photos of Eileen Collins, each a little otherwise."""
    folder, figure = tmp_path_factory.mktemp("visitors"), figure_of(EILEEN_COLLINS)
    for number, turn in enumerate((-0.35, 0.0, 0.35)):
        wall = np.full((640, 640, 3), 90 + 40 * number, np.uint8)
        figure.turned(turn, 0.2 * number).paint(wall, Pose((320, 260), 130 + 30 * number, yaw=turn), SHARP)
        write_picture(folder / f"eileen_{number}.png", wall)
    return sorted(folder.iterdir())


def test_a_folder_enrols_with_every_picture_told_of(facesecure, album):
    outcome = facesecure("enroll", "Grace", "--images", album, "--json")
    assert outcome.code == 0
    told = outcome.json
    assert (told["name"], told["enrolled"], told["faces"]) == ("Grace", True, told["taken"])
    assert len(told["pictures"]) == 6 + 1, "the text file is told of too"
    assert facesecure.people() == {"Grace": told["taken"]}


def test_one_flag_takes_files_and_folders_together(facesecure, album, visitor):
    note = album / "notes.txt"
    outcome = facesecure("enroll", "Grace", "--images", album / "grace_0.png", visitor, note, album, "--json")
    assert len(outcome.json["pictures"]) == 3 + 7
    refused = {picture["source"]: picture["reason"] for picture in outcome.json["pictures"] if not picture["taken"]}
    assert "not an image" in refused[str(note)]
    assert "does not look like the others" in refused[str(visitor)]
    assert "nearly the same" in refused[str(album / "grace_0.png")]


def test_the_table_says_taken_or_refused_and_why(facesecure, album):
    outcome = facesecure("enroll", "Grace", "--images", album, album / "notes.txt")
    assert "accepted" in outcome.out
    assert "not an image" in outcome.out
    assert "Grace is enrolled with" in outcome.out
    assert "\x1b" not in outcome.out + outcome.err


def test_too_few_good_faces_enrol_nobody(facesecure, album, tmp_path):
    blank = write_picture(tmp_path / "blank.png", np.full((200, 200, 3), 128, np.uint8))
    outcome = facesecure("enroll", "Grace", "--images", album / "grace_0.png", blank, "--json")
    assert outcome.code == 1
    assert (outcome.json["enrolled"], outcome.json["taken"]) == (False, 1)
    assert "good face" in outcome.err
    assert "hint: " in outcome.err
    assert facesecure.people() == {}


def test_somebody_enrolled_before_gets_more_faces_and_keeps_the_spelling(facesecure, album):
    facesecure("enroll", "Grace", "--images", *sorted(album.glob("grace_[0-3].png")))
    before = facesecure.people()["Grace"]
    outcome = facesecure("enroll", "GRACE", "--images", album / "grace_4.png", "--json")
    assert outcome.json["name"] == "Grace"
    assert facesecure.people() == {"Grace": before + 1}


def test_somebody_else_is_not_added_to_a_person(facesecure, album, visitor):
    facesecure("enroll", "Grace", "--images", album)
    before = facesecure.people()
    outcome = facesecure("enroll", "Grace", "--images", visitor)
    assert outcome.code == 1
    assert "does not look like the others" in outcome.out
    assert facesecure.people() == before


def test_a_film_enrols_and_tells_when_each_face_was_seen(facesecure, film):
    outcome = facesecure("enroll", "Grace", "--video", film, "--json")
    assert outcome.code == 0
    assert outcome.json["taken"] >= 3
    assert any(picture["source"].endswith("grace.mp4 at 0.0 s") for picture in outcome.json["pictures"])
    summary = facesecure("enroll", "Grace again", "--video", film).out
    assert "refused: nearly the same as one taken before" in summary


def test_one_of_several_cameras_enrols_by_its_name(facesecure, two_cameras):
    outcome = facesecure("--config", two_cameras, "enroll", "Grace", "--camera", "Front  Door")
    assert outcome.code == 0
    assert "the camera is the one called front door" in outcome.err
    assert facesecure.people() == {"Grace": 6}


def test_without_a_name_the_first_of_several_cameras_is_meant(facesecure, two_cameras):
    outcome = facesecure("--config", two_cameras, "enroll", "Grace", "--camera")
    assert outcome.code == 1
    assert "the camera is the one called gate" in outcome.err
    assert "rtsp://127.0.0.1:9/gate" in outcome.err


def test_a_camera_that_there_is_none_of_is_wrong_usage_with_the_closest(facesecure, two_cameras):
    outcome = facesecure("--config", two_cameras, "enroll", "Grace", "--camera", "fron door")
    assert outcome.code == 2
    assert "there is no camera called 'fron door'" in outcome.err
    assert "did you mean 'front door'?" in outcome.err
    assert (
        "the cameras are: gate, front door"
        in facesecure("--config", two_cameras, "enroll", "Grace", "--camera", "x").err
    )


def test_the_camera_enrols_from_its_address_or_from_the_configuration(facesecure, film, tmp_path):
    assert facesecure("enroll", "Grace", "--camera", f"file:{film}").code == 0
    config = tmp_path / "door.toml"
    config.write_text(f'[camera]\nsource = "file:{film}"\n')
    before = facesecure.people()
    outcome = facesecure("--config", config, "enroll", "--camera", "Grace")
    assert outcome.code == 0
    assert "Grace: look at the camera" in outcome.err
    assert "nothing new: Grace is enrolled with these faces already" in outcome.out
    assert facesecure.people() == before


def test_photos_enrolled_before_add_nothing_and_are_told(facesecure, album):
    before = facesecure("enroll", "Grace", "--images", album, "--json").json
    again = facesecure("enroll", "grace", "--images", album, "--json")
    assert again.code == 0
    assert (again.json["enrolled"], again.json["taken"], again.json["faces"]) == (True, 0, before["faces"])
    reasons = {picture["reason"] for picture in again.json["pictures"] if picture["quality"]}
    assert "nearly the same as one enrolled before" in reasons


def test_a_second_name_for_the_same_person_is_refused_and_says_what_to_do(facesecure, album):
    facesecure("enroll", "Grace", "--images", album)
    outcome = facesecure("enroll", "Hopper", "--images", album, "--json")
    assert outcome.code == 1
    assert outcome.json["enrolled"] is False
    assert [(warning["kind"], warning["name"]) for warning in outcome.json["warnings"]] == [("same", "Grace")]
    assert "these photos show Grace, who is enrolled already" in outcome.err
    assert "facesecure people rename" in outcome.err
    assert set(facesecure.people()) == {"Grace"}


def test_somebody_else_beside_is_enrolled_without_a_warning(facesecure, album, visitors):
    facesecure("enroll", "Grace", "--images", album)
    outcome = facesecure("enroll", "Eileen", "--images", *visitors, "--json")
    assert (outcome.code, outcome.json["warnings"]) == (0, [])


def test_another_model_embeds_everybody_again_before_anything_is_compared(facesecure, album, tmp_path, caplog):
    facesecure("enroll", "Grace", "--images", *sorted(album.glob("grace_[0-4].png")))
    config = tmp_path / "other.toml"
    config.write_text('[recognizer]\nmodel = "mobilefacenet-float16"\n')
    with caplog.at_level(logging.INFO, "facesecure.services.renewal"):
        found = facesecure("--config", config, "identify", album / "grace_5.png", "--json").json
    assert found["images"][0]["faces"][0]["name"] == "Grace"
    assert f"re-embedded {facesecure.people()['Grace']} faces of Grace in" in caplog.text
    models = {face["model_sha256"] for face in facesecure("people", "show", "Grace", "--json").json["faces"]}
    assert models == {load_model("mobilefacenet-float16").sha256}
    assert facesecure("enroll", "Hopper", "--images", album).code == 1, "and back, where she is still the same person"


@pytest.mark.parametrize("words", [(), ("--images", "a.jpg", "--video", "b.mp4"), ("--images",), ("--video",)])
def test_pictures_come_from_exactly_one_place(facesecure, words):
    assert facesecure("enroll", "Grace", *words).code == 2


def test_an_empty_folder_is_refused_before_anything_is_loaded(facesecure, tmp_path):
    (tmp_path / "empty").mkdir()
    outcome = facesecure("enroll", "Grace", "--images", tmp_path / "empty")
    assert outcome.code == 2
    assert "there is no photo in" in outcome.err


def test_a_folder_tells_of_every_file_what_became_of_it(facesecure, album, tmp_path, monkeypatch):
    for number in range(3):
        (tmp_path / f"IMG_{number}.jfif").write_bytes((album / f"grace_{number}.png").read_bytes())
    (tmp_path / "IMG_3").write_bytes((album / "grace_3.png").read_bytes())
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "IMG_4.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / ".DS_Store").write_bytes(b"")
    write_picture(tmp_path / "side.png", np.ascontiguousarray(np.rot90(EILEEN_COLLINS.image())))
    outcome = facesecure("enroll", "Grace", "--images", tmp_path, "--json")
    assert outcome.code == 0
    told = {picture["source"].rsplit("/", 1)[1]: picture for picture in outcome.json["pictures"]}
    assert sorted(told) == ["IMG_0.jfif", "IMG_1.jfif", "IMG_2.jfif", "IMG_3", "IMG_4.HEIC", "letter.pdf", "side.png"]
    assert told["IMG_3"]["taken"]
    assert "is a HEIC image" in told["IMG_4.HEIC"]["reason"]
    assert "Most Compatible" in told["IMG_4.HEIC"]["hint"]
    assert "is PDF" in told["letter.pdf"]["reason"]
    assert told["side.png"]["reason"] == "the photo lies sideways; turn it upright and save it"
    assert "Most Compatible" in facesecure("enroll", "Grace", "--images", tmp_path).err


def test_an_interrupt_enrols_nobody(facesecure, album, monkeypatch):
    considered = Enrolment.add_photo

    def interrupted(self, image, source, face=None):
        if len(self.candidates) == 4:
            raise KeyboardInterrupt
        return considered(self, image, source, face)

    monkeypatch.setattr(Enrolment, "add_photo", interrupted)
    outcome = facesecure("enroll", "Grace", "--images", album)
    assert (outcome.code, outcome.err) == (130, "interrupted\n")
    assert facesecure.people() == {}


def test_two_faces_in_one_picture_are_too_many(facesecure, tmp_path):
    portrait = EILEEN_COLLINS.image()
    pair = write_picture(tmp_path / "pair.png", np.hstack([portrait, portrait[:, ::-1]]))
    outcome = facesecure("enroll", "Eileen", "--images", pair, "--json")
    assert outcome.json["pictures"][0]["reason"] == "2 faces; which one is meant?"
    assert "--face 1" in outcome.json["pictures"][0]["hint"]


@pytest.fixture
def pair(tmp_path):
    """Grace at the left, Eileen at the right, of about the same size."""
    twice = np.repeat(np.repeat(EILEEN_COLLINS.image(), 2, 0), 2, 1)[:900]
    left, right = (np.pad(one, ((0, 900 - len(one)), (0, 0), (0, 0))) for one in (enrolment_images(1)[0], twice))
    return write_picture(tmp_path / "pair.png", np.hstack([left, right]))


def test_of_two_faces_the_number_says_who_is_meant_and_few_enrols_one(facesecure, album, visitors, pair):
    told = facesecure("enroll", "Eileen", "--images", pair, "--face", "2", "--few", "--json")
    assert (told.code, told.json["faces"], told.json["few"]) == (0, 1, True)
    assert facesecure("identify", visitors[1], "--json").json["images"][0]["faces"][0]["scores"]["Eileen"] > 0.5
    again = facesecure("enroll", "Grace", "--images", pair, "--face", "1", "--few")
    assert "warning: with only 1 face Grace needs a clearer match" in again.err
    more = facesecure("enroll", "Eileen", "--images", *visitors, "--json")
    assert (more.code, more.json["few"]) == (0, False)
    assert "only 2 faces, not 3" in facesecure("enroll", "Tom", "--images", pair, "--face", "3").out
    assert facesecure("enroll", "Tom", "--camera", "--face", "1").code == 2


def test_of_two_faces_the_one_like_the_others_is_taken(facesecure, visitors, pair):
    told = facesecure("enroll", "Eileen", "--images", pair, *visitors, "--json").json["pictures"][0]
    assert told["taken"]
    assert told["reason"] == "face 2 of 2 from the left, which looks like the others"


def test_without_few_one_portrait_is_refused_and_the_hint_names_it(facesecure, visitor):
    outcome = facesecure("enroll", "Eileen", "--images", visitor)
    assert outcome.code == 1
    assert "--few" in outcome.err


def test_few_photos_of_two_people_are_refused(facesecure, album, visitor):
    outcome = facesecure("enroll", "Eileen", "--images", visitor, album / "grace_0.png", "--few")
    assert outcome.code == 1
    assert "these photos show 2 people" in outcome.err


def test_few_do_not_enrol_a_person_under_a_second_name(facesecure, album):
    facesecure("enroll", "Grace", "--images", album)
    outcome = facesecure("enroll", "Hopper", "--images", album / "grace_1.png", "--few")
    assert outcome.code == 1
    assert "who is enrolled already" in outcome.err
