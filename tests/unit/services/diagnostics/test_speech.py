"""The doctor listens to every voice, and counts what is not recorded."""

import pytest

from facesecure.alerts.speech import voices as building
from facesecure.alerts.speech.announcements import sentences
from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.alerts.speech.voices.fake import FakeVoice
from facesecure.config import FacesecureConfig
from facesecure.services.diagnostics import CheckContext, Health, speech
from support.people import enrolled_face


@pytest.fixture
def voices(monkeypatch):
    """Voices by name that stand for the real ones."""
    given = {name: FakeVoice(name=name) for name in ("gtts", "piper", "espeak-ng")}
    monkeypatch.setattr(building, "_FACTORIES", {name: lambda _, name=name: given[name] for name in given})
    return given


def context(tmp_path, **sections):
    sections = {"plugins": {"speaker": {}}, **sections}
    return CheckContext(FacesecureConfig.model_validate(sections), None, tmp_path / "state")


def health(results):
    return {result.check: result.health for result in results}


def test_voices_that_work_are_well(tmp_path, voices):
    found = list(speech.voices(context(tmp_path)))
    assert health(found) == {"voice gtts": Health.OK, "voice piper": Health.OK, "voice espeak-ng": Health.OK}
    assert "speaks en" in found[0].message
    assert not (tmp_path / "state").exists(), "nothing is left of what they said"


def test_a_voice_that_fails_is_a_warning_while_another_works(tmp_path, voices):
    voices["gtts"].failing = "Google cannot be reached"
    (gtts, *others) = speech.voices(context(tmp_path))
    assert (gtts.health, gtts.message, gtts.remedy) == (Health.WARN, "Google cannot be reached", "this is a fake voice")
    assert {result.health for result in others} == {Health.OK}


def test_no_voice_at_all_is_a_failure_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (only,) = speech.voices(context(tmp_path, speech={"voices": ["espeak-ng"]}))
    assert only.health is Health.FAIL
    assert "apt install espeak-ng" in only.remedy


def test_google_alone_is_warned_of(tmp_path, voices):
    *_, last = speech.voices(context(tmp_path, speech={"voices": ["gtts"]}))
    assert last.health is Health.WARN
    assert "without a network" in last.message


def test_a_voice_that_nobody_asked_for_need_not_be_there(tmp_path, voices, monkeypatch):
    obstacle = building.PiperVoice(tmp_path / "none.onnx").obstacle("en")
    monkeypatch.setattr(voices["piper"], "obstacle", lambda language: obstacle)
    assert health(speech.voices(context(tmp_path))) == {"voice gtts": Health.OK, "voice espeak-ng": Health.OK}
    voices["gtts"].failing = voices["espeak-ng"].failing = "hoarse"
    assert set(health(speech.voices(context(tmp_path))).values()) == {Health.FAIL}
    voices["gtts"].failing = ""
    asked_for = context(tmp_path, speech={"voices": ["piper", "gtts"]})
    assert health(speech.voices(asked_for))["voice piper"] is Health.WARN


@pytest.mark.parametrize("plugins", [{"log": {}}, {"speaker": {"enabled": False}}], ids=str)
def test_where_nothing_speaks_no_voice_is_needed_and_none_is_asked(tmp_path, voices, plugins):
    silent = context(tmp_path, plugins=plugins)
    (only,) = [*speech.voices(silent), *speech.sentences(silent)]
    assert only.health is Health.OK
    assert "[plugins.google_home] or [plugins.speaker]" in only.message
    assert not any(voice.said for voice in voices.values())


def test_sentences_that_are_not_recorded_are_counted(tmp_path, voices):
    from facesecure.storage.store import Store

    loud = context(tmp_path, plugins={"speaker": {}})
    with Store.open(loud.state_dir) as store:
        store.add_person("Anna", [enrolled_face(1)])
    needed = sentences(loud.config, ["Anna"])
    (only,) = speech.sentences(loud)
    assert only.health is Health.WARN
    assert f"{len(needed)} of {len(needed)} are not recorded" in only.message
    assert "facesecure speech prepare" in only.remedy

    voices["gtts"].failing = "no network"
    with SpeechService(loud.config.speech, loud.state_dir) as studio:
        for text in needed:
            studio.improve(text)
    (only,) = speech.sentences(loud)
    assert (only.health, only.message) == (
        Health.OK,
        f"{len(needed)} are recorded, {len(needed)} with a fallback voice for now",
    )

    voices["gtts"].failing = ""
    with SpeechService(loud.config.speech, loud.state_dir) as studio:
        for text in needed:
            studio.improve(text)
    (only,) = speech.sentences(loud)
    assert (only.health, only.message) == (Health.OK, f"all {len(needed)} are recorded")
