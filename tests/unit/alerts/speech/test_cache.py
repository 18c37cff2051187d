"""Recordings on the disk: private, complete, and found only by the sentence."""

import os
import stat
import time

import av
import pytest

from facesecure.alerts.speech.audio import finished, length
from facesecure.alerts.speech.cache import RECENT, SpeechCache
from facesecure.alerts.speech.voices.fake import FakeVoice

GOOD, POOR = FakeVoice(name="good"), FakeVoice(name="poor")
ANNA, BEN = "Anna is at the front door", "Ben is at the front door"


@pytest.fixture
def recordings(tmp_path):
    return SpeechCache(tmp_path, [GOOD, POOR])


def long_ago(path):
    os.utime(path, (time.time() - 2 * RECENT,) * 2)
    return path


def test_what_was_never_recorded_is_not_found_and_nothing_is_made(recordings, tmp_path):
    assert recordings.find(ANNA) is None
    assert recordings.sweep([]) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_found_by_its_sentence_in_a_process_that_did_not_write_it(recordings, tmp_path):
    path = recordings.write(ANNA, POOR, b"sound")
    found = SpeechCache(tmp_path, [GOOD, POOR]).find(ANNA)
    assert found is not None
    assert (found.path, found.rank) == (path, 1)
    assert path.read_bytes().endswith(b"sound")
    assert SpeechCache(tmp_path, [GOOD, POOR]).find(BEN) is None


def test_a_better_voice_is_preferred(recordings):
    recordings.write(ANNA, POOR, b"poor")
    recordings.write(ANNA, GOOD, b"good")
    assert recordings.find(ANNA).path.read_bytes().endswith(b"good")


def test_a_recording_that_others_made_or_changed_is_not_found(recordings, tmp_path, caplog):
    path, other = recordings.write(ANNA, GOOD, b"a stranger"), recordings.write(BEN, GOOD, b"Ben")
    genuine = path.read_bytes()
    assert recordings.find(ANNA).path == path
    for planted in (b"", b"Ben", other.read_bytes(), genuine + b"x", genuine[:-1], genuine[:40], genuine[:6]):
        path.write_bytes(planted)
        assert recordings.find(ANNA) is None
    assert caplog.text.count("was made or changed outside of facesecure: it is not played") == 7
    recordings.write(ANNA, GOOD, b"a stranger")
    assert path.read_bytes() == genuine


def test_a_signed_recording_is_one_that_players_understand(tmp_path):
    mp3 = finished(FakeVoice().say("A stranger is at the front door", "en"), 0.6)
    (tmp_path / "plain.mp3").write_bytes(mp3)
    signed = SpeechCache(tmp_path, [GOOD]).write(ANNA, GOOD, mp3)
    assert length(signed) == pytest.approx(length(tmp_path / "plain.mp3"), abs=0.001)
    with av.open(str(signed)) as container:
        assert container.format.name == "mp3"
        assert sum(frame.samples for frame in container.decode(audio=0)) > 16_000


@pytest.mark.parametrize(
    "other",
    [
        {"language": "fr"},
        {"silence": 0.7},
        {"voices": [FakeVoice(name="good", settings="slow")]},
        {"voices": [FakeVoice(name="another")]},
    ],
    ids=["language", "silence", "voice's settings", "voice"],
)
def test_other_settings_are_other_recordings(recordings, tmp_path, other):
    recordings.write(ANNA, GOOD, b"sound")
    assert SpeechCache(tmp_path, **{"voices": [GOOD], **other}).find(ANNA) is None


def test_only_the_owner_may_listen(recordings, tmp_path):
    path = recordings.write(ANNA, GOOD, b"sound")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.parent == tmp_path / "speech"


def test_a_files_name_tells_nobodys_name(recordings):
    path = recordings.write(ANNA, GOOD, b"sound")
    assert set(path.stem) <= set("0123456789abcdef")
    assert len(path.stem) == 64


def test_what_nobody_needs_any_more_is_swept_with_what_was_left_half_written(recordings):
    kept = long_ago(recordings.write(ANNA, GOOD, b"a"))
    doomed = long_ago(recordings.write(BEN, GOOD, b"b"))
    half = recordings.folder / ".abc.mp3.1.part"
    half.write_bytes(b"?")
    long_ago(half)
    assert recordings.sweep([ANNA]) == 2
    assert list(recordings.folder.iterdir()) == [kept]
    assert not doomed.exists()


def test_a_poorer_recording_is_swept_when_there_is_a_better_one_and_not_before(recordings):
    poor = long_ago(recordings.write(ANNA, POOR, b"poor"))
    assert recordings.sweep([ANNA]) == 0
    recordings.write(ANNA, GOOD, b"good")
    assert recordings.sweep([ANNA]) == 1
    assert not poor.exists()


def test_what_may_be_playing_just_now_is_not_swept(recordings):
    path = long_ago(recordings.write(BEN, GOOD, b"b"))
    recordings.touch(path)
    assert recordings.sweep([]) == 0
    assert path.exists()


def test_forgetting_spares_nothing_of_what_is_not_needed(recordings, tmp_path):
    old_language = SpeechCache(tmp_path, [GOOD], language="fr")
    for each, text in ((recordings, BEN), (old_language, "Ben est là")):
        each.write(text, GOOD, b"b")
    kept = recordings.write(ANNA, GOOD, b"a")
    assert recordings.sweep([ANNA], spare_recent=False) == 2
    assert list(recordings.folder.iterdir()) == [kept]


def test_it_grows_to_its_bound_and_loses_what_was_not_used_for_longest(tmp_path):
    recordings = SpeechCache(tmp_path, [GOOD], max_mb=0.0033)
    first, second = (recordings.write(text, GOOD, bytes(1000)) for text in "ab")
    os.utime(first, (1000, 1000))
    os.utime(second, (900, 900))
    third, fourth = (recordings.write(text, GOOD, bytes(1000)) for text in "cd")
    assert {*recordings.folder.iterdir()} == {first, third, fourth}


def test_one_that_is_larger_than_the_bound_is_kept_all_the_same(tmp_path):
    recordings = SpeechCache(tmp_path, [GOOD], max_mb=0.001)
    path = recordings.write("a", GOOD, bytes(5000))
    assert path.exists()


def test_a_disk_that_refuses_leaves_no_half_recording(recordings, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        recordings.write(ANNA, GOOD, b"sound")
    assert recordings.find(ANNA) is None
