"""A loudspeaker, played by the real aplay into ALSA's file device, and devices that fail."""

import os
import time

import numpy as np
import pytest

from facesecure.alerts.speech.audio import decode
from facesecure.alerts.speech.voices.fake import FakeVoice
from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError
from facesecure_plugins import speaker as speaker_module
from facesecure_plugins.speaker import RATE, SpeakerPlugin, _refused, devices
from support.speech.alsa import PLAYED_RATE, samples, without_a_card
from support.speech.plugin_context import plugin_context

ALERT = Alert(AlertKind.TEST, "A stranger is at the front door (2 earlier ones)", "A stranger is at the front door")


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """A machine that pauses makes no device seem to hang."""
    monkeypatch.setattr(speaker_module, "_CHECK_SECONDS", 60.0)


@pytest.fixture
def played(tmp_path, monkeypatch):
    return without_a_card(tmp_path, monkeypatch)


def speaker(provided, **settings):
    plugin = SpeakerPlugin(SpeakerPlugin.Config(**settings))
    plugin.attach(provided.context)
    return plugin


def program(tmp_path, monkeypatch, script):
    """Stands for aplay on a machine whose sound is in trouble."""
    path = tmp_path / "bin" / "aplay"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


@pytest.mark.parametrize("device", ["default", "kitchen"])
def test_what_comes_out_of_the_loudspeaker_is_the_recording_whole(played, tmp_path, device):
    with plugin_context(tmp_path) as provided:
        speaker(provided, device=device).send(ALERT)
        recording = decode(provided.speech.recording(ALERT.speech), RATE).samples
    heard = samples(played)
    assert PLAYED_RATE == RATE
    assert provided.voice.said == [ALERT.speech], "what is said is the sentence, without what was held back"
    assert (heard[:, 0] == heard[:, 1]).all()
    assert len(recording) <= len(heard) < len(recording) + 0.2 * RATE
    assert np.abs(heard[: len(recording), 0] - recording).max() < 1e-3
    assert np.abs(heard[len(recording) :]).max(initial=0) == 0


def test_its_volume_is_that_of_what_is_played(played, tmp_path):
    loudest = []
    with plugin_context(tmp_path) as provided:
        for volume in (1.0, 0.25, 0.0):
            speaker(provided, volume=volume).send(ALERT)
            loudest.append(float(np.abs(samples(played)).max()))
    assert loudest[1] == pytest.approx(loudest[0] / 4, rel=0.01)
    assert loudest[2] == 0


def test_a_drill_is_told_how_far_it_is(played, tmp_path):
    with plugin_context(tmp_path) as provided:
        speaker(provided).send(ALERT)
    assert provided.steps == [(ALERT.identifier, "playing"), (ALERT.identifier, "finished")]


def test_a_device_that_is_there_passes_its_check_without_a_sound(played, tmp_path):
    with plugin_context(tmp_path) as provided:
        speaker(provided).check()
    assert np.abs(samples(played)).max() == 0
    assert provided.steps == []


def test_a_device_that_is_not_there_is_told_with_those_that_are(played, tmp_path):
    with plugin_context(tmp_path) as provided:
        attic = speaker(provided, device="attic")
        for attempt in (attic.check, lambda: attic.send(ALERT)):
            with pytest.raises(PluginError, match=r"'attic' cannot be used: .*No such file") as refused:
                attempt()
            assert "no sound card" in refused.value.hint
    assert provided.steps == [(ALERT.identifier, "playing")], "and it never counts as finished"


def test_devices_are_named_as_the_configuration_wants_them(tmp_path, monkeypatch):
    listed = "null\\n    Discard all\\nplughw:CARD=Headphones,DEV=0\\n    bcm2835\\nhw:CARD=x\\ndefault\\n"
    program(tmp_path, monkeypatch, f"printf '{listed}'")
    assert devices() == ["plughw:CARD=Headphones,DEV=0", "default"]
    assert "there are: plughw:CARD=Headphones,DEV=0, default" in _refused("attic", "aplay: main:1: no").hint


@pytest.mark.parametrize(
    ("said", "to_do"),
    [
        ("aplay: main:831: audio open error: Permission denied", "group audio"),
        ("aplay: main:831: audio open error: Device or resource busy", "another program is using it"),
        ("", "no sound card"),
    ],
)
def test_what_is_wrong_with_a_device_comes_with_what_to_do(tmp_path, monkeypatch, said, to_do):
    program(tmp_path, monkeypatch, f'[ "$1" = -L ] && exit 1; cat >/dev/null; echo "{said}" >&2; exit 1')
    with plugin_context(tmp_path) as provided, pytest.raises(PluginError) as refused:
        speaker(provided).check()
    assert to_do in refused.value.hint


def test_a_device_that_hangs_is_left_when_its_time_is_up(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "exec sleep 20")
    began = time.monotonic()
    with plugin_context(tmp_path) as provided, pytest.raises(PluginError, match=r"did not finish within 0\.3 s"):
        speaker(provided, attempt_seconds=0.3).send(ALERT)
    assert time.monotonic() - began < 10
    assert provided.steps == [(ALERT.identifier, "playing")]


def test_a_device_that_is_unplugged_while_it_speaks_has_not_delivered(tmp_path, monkeypatch):
    program(
        tmp_path,
        monkeypatch,
        'head -c 1000 >/dev/null; echo "aplay: pcm_write:2178: write error: No such device" >&2; exit 1',
    )
    with plugin_context(tmp_path) as provided, pytest.raises(PluginError, match="No such device"):
        speaker(provided).send(ALERT)


def test_without_alsa_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with plugin_context(tmp_path) as provided, pytest.raises(PluginError, match="aplay is not installed") as refused:
        speaker(provided).check()
    assert refused.value.hint == "install it: sudo apt install alsa-utils"
    assert devices() == []


def test_without_a_voice_the_voices_reason_is_told(played, tmp_path):
    with plugin_context(tmp_path, FakeVoice(failing="hoarse")) as provided, pytest.raises(PluginError, match="hoarse"):
        speaker(provided).send(ALERT)
    assert not played.exists()


def test_a_damaged_recording_is_made_again(played, tmp_path):
    with plugin_context(tmp_path) as provided:
        provided.speech.recording(ALERT.speech).write_bytes(b"damaged")
        speaker(provided).send(ALERT)
    assert provided.steps[-1] == (ALERT.identifier, "finished")


def test_it_cannot_speak_before_it_was_lent_a_voice():
    with pytest.raises(PluginError, match="no speech service"):
        SpeakerPlugin(SpeakerPlugin.Config()).send(ALERT)
