"""From a camera's pictures to the sound that comes out of a loudspeaker: the whole daemon, and ALSA's file device."""

from __future__ import annotations

import shutil

import numpy as np

from facesecure.alerts.speech.announcements import phrases_of
from facesecure.alerts.speech.audio import decode
from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.app.assembly import run
from facesecure.domain import Subject
from support.service.journey import config_for
from support.speech.alsa import EVENING, PLAYED_RATE, samples, without_a_card


def test_an_evening_at_the_door_is_heard_and_nothing_else(household, door_clip, tmp_path, monkeypatch):
    played = without_a_card(tmp_path, monkeypatch)
    state_dir = tmp_path / "state"
    shutil.copytree(household, state_dir)
    config = config_for(door_clip, plugins={"speaker": {}}, speech={"voices": ["fake"], "language": "fr"})
    run(config, state_dir, exit_at_end=True)
    phrases = phrases_of(config)
    said = [phrases.known("Grace Hopper"), phrases.stranger(), phrases.unidentified(Subject.PERSON)]
    heard = samples(played.with_name(EVENING))[:, 0]
    with SpeechService(config.speech, state_dir) as studio:
        recordings = [decode(studio.recording(text), PLAYED_RATE).samples for text in said]
    start = 0
    for text, recording in zip(said, recordings, strict=True):
        found = _place(heard[start:], recording)
        assert found is not None, f"{text!r} was not heard in its turn"
        start += found + len(recording)
    assert np.abs(heard[start:]).max(initial=0) < 1e-3, "nothing more was said"


def _place(heard: np.ndarray, recording: np.ndarray) -> int | None:
    """Where ``recording`` is in ``heard``, before which is nothing but silence."""
    first, loud = (int(np.argmax(np.abs(sound) > 0.05)) for sound in (recording, heard))
    start = loud - first
    part = heard[max(0, start) : start + len(recording)]
    same = len(part) == len(recording) and float(np.abs(part - recording).max()) < 2e-3
    return start if same else None
