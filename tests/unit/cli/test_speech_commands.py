"""``facesecure speech``: with a voice that needs nothing, and a loudspeaker that is a file."""

from pathlib import Path

import pytest

from facesecure.alerts.speech.audio import length
from support.people import enrolled_face
from support.speech.alsa import samples, without_a_card


@pytest.fixture
def door(tmp_path):
    """A configuration whose voice only beeps."""
    file = tmp_path / "door.toml"
    file.write_text('[speech]\nvoices = ["fake"]\n[[policy.rules]]\nwhen = { name = "Anna" }\nsay = "Hello {name}"\n')
    return file


@pytest.fixture
def speech(facesecure, door):
    return lambda *words: facesecure("speech", *words, "--config", door)


def test_every_sentence_is_listed_though_nothing_is_recorded_and_nothing_is_made(speech, state):
    listed = speech("list", "--json").json
    assert listed["language"] == "en"
    assert listed["sentences"][0] == {
        "text": "A stranger is at the front door",
        "voice": None,
        "seconds": None,
        "path": None,
    }
    assert "not recorded" in speech("list").out
    assert not state.exists()


def test_who_is_enrolled_is_among_the_sentences_and_so_are_the_words_of_rules(speech, store):
    store.add_person("Anna", [enrolled_face(1)])
    texts = [one["text"] for one in speech("list", "--json").json["sentences"]]
    assert {"Anna is at the front door", "Correction: Anna is at the front door", "Hello Anna"} <= set(texts)


def test_the_sentences_of_every_camera_are_among_them(speech, door, store):
    store.add_person("Anna", [enrolled_face(1)])
    cameras = '[[cameras]]\nname = "gate"\n[[cameras]]\nname = "garage"\nwhere = "in the garage"\n'
    door.write_text(cameras + door.read_text())
    texts = [one["text"] for one in speech("list", "--json").json["sentences"]]
    assert texts[:2] == ["A stranger is at the gate", "A stranger is in the garage"]
    assert {"Anna is at the gate", "Anna is in the garage", "The garage camera is offline"} <= set(texts)
    assert "The camera is offline" not in texts


def test_everything_is_recorded_at_once_and_listed_with_its_voice(speech):
    prepared = speech("prepare", "--json")
    assert (prepared.code, prepared.json["missing"]) == (0, [])
    listed = speech("list", "--json").json["sentences"]
    assert len(listed) == prepared.json["needed"]
    assert {one["voice"] for one in listed} == {"fake"}
    assert all(one["seconds"] == pytest.approx(length(Path(one["path"])), abs=0.01) for one in listed[:2])
    assert "by fake" in speech("prepare").out


def test_what_cannot_be_recorded_ends_with_one_and_says_where_to_look(facesecure, tmp_path, monkeypatch):
    file = tmp_path / "mute.toml"
    file.write_text('[speech]\nvoices = ["espeak-ng"]\n')
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = facesecure("speech", "prepare", "--config", file)
    assert outcome.code == 1
    assert outcome.out.startswith("0 of ")
    assert "facesecure doctor" in outcome.err
    outcome = facesecure("speech", "say", "Hello", "--config", file)
    assert outcome.code == 1
    assert "espeak-ng is not installed" in outcome.err


def test_something_is_said_through_the_loudspeaker(speech, tmp_path, monkeypatch):
    played = without_a_card(tmp_path, monkeypatch)
    outcome = speech("say", "Dinner is ready", "--json")
    assert (outcome.code, outcome.json["text"], outcome.json["voice"]) == (0, "Dinner is ready", "fake")
    heard = samples(played)
    assert abs(len(heard) / 48_000 - outcome.json["seconds"]) < 0.3
    assert abs(heard).max() > 0.2


def test_something_is_written_to_a_file_where_there_is_no_loudspeaker(speech, tmp_path):
    outcome = speech("say", "Dinner is ready", "--out", tmp_path / "dinner.mp3")
    assert outcome.code == 0
    assert "dinner.mp3 is recorded by fake" in outcome.out
    assert length(tmp_path / "dinner.mp3") > 1


def test_a_loudspeaker_that_is_not_there_is_told(facesecure, door, tmp_path, monkeypatch):
    without_a_card(tmp_path, monkeypatch)
    door.write_text(door.read_text() + '[plugins.speaker]\nenabled = false\ndevice = "attic"\n')
    outcome = facesecure("speech", "say", "Hello", "--config", door)
    assert outcome.code == 1
    assert "'attic' cannot be used" in outcome.err


def test_wrong_settings_of_the_loudspeaker_are_told(facesecure, door):
    door.write_text(door.read_text() + "[plugins.speaker]\nvolume = 11\n")
    outcome = facesecure("speech", "say", "Hello", "--config", door)
    assert outcome.code == 2
    assert "[plugins.speaker] is wrong" in outcome.err


@pytest.mark.parametrize("text", ["", " \t\n"])
def test_a_blank_text_is_refused_before_any_voice_is_tried(facesecure, text):
    outcome = facesecure("speech", "say", text)
    assert outcome.code == 2
    assert outcome.err.startswith("error: there is nothing to say\n")
