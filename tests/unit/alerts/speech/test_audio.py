"""The sound of a recording, measured."""

from pathlib import Path

import numpy as np
import pytest

from facesecure.alerts.speech.audio import LOUDNESS, RATE, TAIL, Sound, decode, finished, length, powers


def tone(seconds: float, level: float, rate: int = RATE, pitch: float = 440.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def silence(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.zeros(round(seconds * rate), np.float32)


def loudness(sound: Sound) -> float:
    power = powers(sound)
    return float(10 * np.log10(power[power > power.max() * 1e-4].mean()))


@pytest.mark.parametrize("level", [0.01, 0.1, 0.9])
@pytest.mark.parametrize("rate", [16_000, 22_050, RATE])
def test_every_voice_comes_out_equally_loud_at_one_rate(level, rate):
    recording = decode(finished(Sound(tone(1.0, level, rate), rate), 0.5))
    assert recording.rate == RATE
    assert loudness(recording) == pytest.approx(LOUDNESS, abs=1.0)


def test_a_crack_in_a_quiet_voice_is_not_cut_off_at_full_scale():
    quiet = tone(1.0, 0.02)
    quiet[1000:1010] = 0.9
    recording = decode(finished(Sound(quiet, RATE), 0.0))
    assert np.abs(recording.samples).max() < 1.0
    assert 10 * np.log10(np.median(powers(recording))) > LOUDNESS - 6, "and the voice is not left quiet for it"


@pytest.mark.parametrize("before", [0.0, 0.6, 1.5])
def test_the_words_begin_after_the_silence_that_was_asked_for(before):
    sound = Sound(np.concatenate((silence(0.8), tone(1.0, 0.3), silence(0.9))), RATE)
    recording = decode(finished(sound, before))
    heard = np.flatnonzero(powers(recording) > 1e-4) * 0.02
    assert heard[0] == pytest.approx(before, abs=0.08), "what silence the voice left is taken away first"
    assert recording.seconds == pytest.approx(before + 1.0 + TAIL, abs=0.12)


def test_pauses_between_the_words_stay():
    sound = Sound(np.concatenate((tone(0.5, 0.3), silence(0.7), tone(0.5, 0.3))), RATE)
    assert decode(finished(sound, 0.0)).seconds == pytest.approx(1.7 + TAIL, abs=0.12)


def test_the_length_of_a_file_is_what_it_plays(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(finished(Sound(tone(2.0, 0.3), RATE), 0.5))
    assert length(path) == pytest.approx(2.5 + TAIL, abs=0.12)
    assert path.stat().st_size < 9_000 * length(path)


def test_the_file_tells_nothing_but_sound():
    mp3 = finished(Sound(tone(0.5, 0.3), RATE), 0.5)
    assert mp3[:2] == b"\xff\xf3", "it begins with a frame of MPEG-2 layer III, and no tag"
    assert b"ID3" not in mp3
    assert b"TAG" not in mp3[-128:]


@pytest.mark.parametrize("nothing", [np.empty(0, np.float32), np.zeros(RATE, np.float32)], ids=["empty", "silent"])
def test_silence_is_no_recording(nothing):
    with pytest.raises(ValueError, match="no audible sound"):
        finished(Sound(nothing, RATE), 0.5)


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xf3" + bytes(100), b"RIFF....WAVE"])
def test_what_is_no_sound_is_refused(data):
    with pytest.raises(ValueError, match="not a sound file"):
        decode(data)


def test_a_file_that_is_not_there_is_no_sound():
    with pytest.raises(ValueError, match="not a sound file"):
        length(Path("/nowhere/a.mp3"))


def test_sound_is_one_row_of_floats():
    with pytest.raises(ValueError, match="float32"):
        Sound(np.zeros((2, 3), np.float32), RATE)
    with pytest.raises(ValueError, match="float32"):
        Sound(np.zeros(3), RATE)
