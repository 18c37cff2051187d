"""Every sentence is recorded before it is needed, and again when people change."""

import time

import pytest

from facesecure.alerts.speech import synthesizer
from facesecure.alerts.speech.announcements import forget_all_but, phrases_of, sentences
from facesecure.alerts.speech.prerender import SpeechPrerenderer
from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.alerts.speech.voices.fake import FakeVoice
from facesecure.config import CameraConfig, FacesecureConfig, SpeechConfig
from facesecure.domain.errors import StoreError
from support.speech.hung_voice import LONGEST, hung_voices

QUICK = {"poll": 0.02, "interval": 0.1, "pause": 0.0}


class Household:
    """The enrolled people, as the store would return them."""

    def __init__(self, *names):
        self.names, self.revision, self.failing = list(names), 0, False

    def sentences(self):
        if self.failing:
            raise StoreError("the disk is gone")
        return sentences(FacesecureConfig(), self.names)

    def change(self, *names):
        self.names, self.revision = list(names), self.revision + 1

    def current_revision(self):
        return self.revision


def soon(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def studio(tmp_path):
    with SpeechService(SpeechConfig(), tmp_path, [FakeVoice(name="better"), FakeVoice(name="other")]) as one:
        yield one


def all_recorded(studio, texts):
    return all(studio.recorded(text) for text in texts)


def files(tmp_path):
    return list((tmp_path / "speech").iterdir())


def test_everything_the_household_can_need_is_recorded_at_the_start(studio, tmp_path):
    home = Household("Anna", "Ben")
    with SpeechPrerenderer(studio, home.sentences, home.current_revision, **QUICK) as prerenderer:
        soon(lambda: prerenderer.readiness.complete and prerenderer.readiness.needed)
    assert all_recorded(studio, home.sentences())
    assert len(files(tmp_path)) == len(home.sentences())
    assert studio.voices[0].said[0] == "A stranger is at the front door", "the most urgent first"


def test_somebody_new_is_recorded_when_they_are_enrolled(studio):
    home = Household("Anna")
    with SpeechPrerenderer(studio, home.sentences, home.current_revision, **{**QUICK, "interval": 60}) as prerenderer:
        soon(lambda: prerenderer.readiness.complete and prerenderer.readiness.needed)
        home.change("Anna", "Ben")
        soon(lambda: studio.recorded("Ben is at the front door"))
    assert studio.voices[0].said.count("Anna is at the front door") == 1, "what is there is not made again"


def test_somebody_who_was_removed_is_forgotten_by_the_daemon_too(studio, tmp_path, monkeypatch):
    monkeypatch.setattr("facesecure.alerts.speech.cache.RECENT", 0.05)
    home = Household("Anna", "Ben")
    with SpeechPrerenderer(studio, home.sentences, home.current_revision, **QUICK) as prerenderer:
        soon(lambda: prerenderer.readiness.complete and prerenderer.readiness.needed)
        home.change("Anna")
        soon(lambda: len(files(tmp_path)) == len(home.sentences()))
    assert studio.recorded("Anna is at the front door")


def test_without_a_network_the_next_voice_records_it_all_and_the_better_one_when_it_is_back(
    studio, monkeypatch, caplog
):
    caplog.set_level("INFO", "facesecure.alerts.speech")
    better, other = studio.voices
    better.failing = "no network"
    home = Household("Anna")
    with SpeechPrerenderer(studio, home.sentences, home.current_revision, **QUICK) as prerenderer:
        soon(lambda: prerenderer.readiness.recorded and prerenderer.readiness.recorded == prerenderer.readiness.needed)
        assert prerenderer.readiness.best == 0
        assert len(better.said) == 1, "a network that is gone is not asked for every sentence"
        better.failing = ""
        monkeypatch.setattr(synthesizer.VoiceBackoff, "resting", lambda self, name: False)
        soon(lambda: prerenderer.readiness.complete)
    assert "with a fallback voice for now" in caplog.text
    assert caplog.records[-1].getMessage() == f"all {len(home.sentences())} sentences are recorded"
    assert len(other.said) == len(home.sentences())


def test_where_no_voice_works_it_says_so_once_and_the_memory_is_let_go(studio, caplog):
    for voice in studio.voices:
        voice.failing = "broken"
    home = Household()
    with SpeechPrerenderer(studio, home.sentences, home.current_revision, **{**QUICK, "interval": 0.04}):
        soon(lambda: studio.voices[0].closed >= 3)
    assert len([one for one in caplog.records if "are not recorded yet" in one.getMessage()]) == 1


def test_a_store_that_fails_for_a_moment_ends_nothing(studio, caplog):
    home = Household("Anna")
    home.failing = True
    with SpeechPrerenderer(studio, home.sentences, home.current_revision, **{**QUICK, "interval": 0.04}) as prerenderer:
        soon(lambda: "the disk is gone" in caplog.text)
        home.failing = False
        soon(lambda: prerenderer.readiness.complete and prerenderer.readiness.needed)


def test_a_bug_in_what_it_is_given_ends_nothing(studio, caplog):
    given = [ZeroDivisionError("hm"), ["Anna is here"]]

    def one_after_the_other():
        thing = given[0] if len(given) == 1 else given.pop(0)
        if isinstance(thing, Exception):
            raise thing
        return thing

    with SpeechPrerenderer(studio, one_after_the_other, **{**QUICK, "interval": 0.04}):
        soon(lambda: studio.recorded("Anna is here"))
    assert "ZeroDivisionError" in caplog.text


def test_it_closes_in_a_second_though_a_voice_hangs(tmp_path):
    with hung_voices("hung") as (hung,), SpeechService(SpeechConfig(), tmp_path, [hung]) as studio:
        prerenderer = SpeechPrerenderer(studio, lambda: ["One", "Two", "Three"], **QUICK)
        soon(lambda: hung.said)
        began = time.monotonic()
        prerenderer.close()
        assert time.monotonic() - began < LONGEST / 3, "it does not wait for the voice"
        studio.close()
        assert hung.said == ["One"]


def test_what_was_said_of_who_was_removed_is_gone_at_once_in_every_language_and_voice(tmp_path):
    now = FacesecureConfig(speech=SpeechConfig(voices=["fake"]))
    before = FacesecureConfig(
        camera=CameraConfig(name="garage"), speech=SpeechConfig(voices=["fake"], language="fr", silence=0.2)
    )
    for config in (before, now):
        with SpeechService(config.speech, tmp_path) as studio:
            for text in [*sentences(config, ["Anna", "Ben"]), "Anna, hello Anna"]:
                studio.recording(text)
    phrases = phrases_of(now)
    assert forget_all_but(now, tmp_path, ["Ben"]) > 0
    with SpeechService(now.speech, tmp_path) as studio:
        assert not any(studio.recorded(text) for text in phrases.about("Anna"))
        assert all_recorded(studio, sentences(now, ["Ben"])), "and nobody else is"
    assert len(files(tmp_path)) == len(sentences(now, ["Ben"]))


def test_no_name_is_found_in_what_is_kept(tmp_path):
    config = FacesecureConfig(speech=SpeechConfig(voices=["fake"]))
    with SpeechService(config.speech, tmp_path) as studio:
        for text in sentences(config, ["Wilhelmina"]):
            studio.recording(text)
    kept = files(tmp_path)
    assert kept
    assert not any(b"wilhelmina" in path.read_bytes().lower() or "wilhelmina" in path.name.lower() for path in kept)


def test_where_nothing_was_ever_said_there_is_nothing_to_forget(tmp_path):
    assert forget_all_but(FacesecureConfig(), tmp_path, []) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_households_words_are_those_of_its_configuration():
    speech = SpeechConfig(language="fr", where="sous la véranda", phrases={"test": "Essai, rien de plus"})
    phrases = phrases_of(FacesecureConfig(speech=speech))
    assert phrases.stranger() == "Une personne inconnue est sous la véranda"
    assert phrases.test() == "Essai, rien de plus"
