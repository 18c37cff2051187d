"""A recording is ready in time, whatever the voices do."""

import threading
import time
from types import SimpleNamespace

import pytest

from facesecure.alerts.speech import synthesizer
from facesecure.alerts.speech.audio import decode
from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.alerts.speech.voices.fake import FakeVoice
from facesecure.config import SpeechConfig
from facesecure.domain.errors import PluginError
from support.speech.hung_voice import LONGEST, hung_voices

STRANGER = "A stranger is at the front door"


def studio(tmp_path, *voices, urgent=60.0):
    """By default there is more time than any machine pauses."""
    return SpeechService(SpeechConfig(), tmp_path, list(voices), urgent=urgent)


def test_a_sentence_is_made_once_and_then_comes_from_the_disk(tmp_path):
    voice = FakeVoice()
    with studio(tmp_path, voice) as one:
        path = one.recording(STRANGER)
        assert one.recording(STRANGER) == path
        assert decode(path).seconds == pytest.approx(one.length(path))
    with studio(tmp_path, FakeVoice(failing="no network")) as after_a_restart:
        assert after_a_restart.recording(STRANGER) == path
    assert voice.said == [STRANGER]


def test_what_is_there_needs_no_voice_and_no_time(tmp_path):
    with studio(tmp_path, voice := FakeVoice()) as one:
        path = one.recording(STRANGER)
        voice.failing, voice.seconds = "it must not be asked", 5
        assert one.recording(STRANGER) == path


def test_the_next_voice_speaks_where_the_first_cannot(tmp_path):
    better, other = FakeVoice(name="better", failing="no network"), FakeVoice(name="other")
    with studio(tmp_path, better, other) as one:
        assert one.recorded(STRANGER) is None
        assert one.recording(STRANGER).is_file()
        assert one.recorded(STRANGER).rank == 1


@pytest.fixture
def no_time_passes(monkeypatch):
    """The shares are reckoned as if none did: a pause of the machine takes nothing from the voice after."""
    monkeypatch.setattr(synthesizer, "time", SimpleNamespace(monotonic=lambda: 0.0))


@pytest.mark.usefixtures("no_time_passes")
def test_a_voice_that_hangs_has_its_share_of_the_time_and_no_more(tmp_path):
    with hung_voices("slow") as slow, studio(tmp_path, *slow, FakeVoice(), urgent=4) as one:
        began = time.monotonic()
        one.recording(STRANGER)
        assert 1.9 < time.monotonic() - began < LONGEST / 2
        assert one.recorded(STRANGER).rank == 1


@pytest.mark.usefixtures("no_time_passes")
def test_what_a_slow_voice_says_too_late_is_there_the_next_time(tmp_path):
    with hung_voices("slow") as (slow,), studio(tmp_path, slow, FakeVoice(), urgent=4) as one:
        first = one.recording(STRANGER)
        slow.release()
        deadline = time.monotonic() + 60
        while one.recorded(STRANGER).rank and time.monotonic() < deadline:
            time.sleep(0.02)
        assert one.recording(STRANGER) != first
        assert first.exists(), "it may be playing still"


def test_no_voice_has_more_than_is_left_for_it_and_those_after(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(synthesizer, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    class Fails(FakeVoice):
        def say(self, text, language):
            clock[0] += 3.0
            return super().say(text, language)

    with hung_voices("hung") as hung:
        voices = [Fails(name="one", failing="hoarse"), *hung]
        with studio(tmp_path, *voices, urgent=3.5) as one, pytest.raises(PluginError) as refused:
            one.recording(STRANGER)
    assert "one: hoarse; hung: not ready within 0.5 s" in refused.value.message


def test_where_no_voice_works_every_reason_is_told_and_what_to_do(tmp_path):
    voices = FakeVoice(name="one", failing="no network"), FakeVoice(name="two", failing="not installed")
    with studio(tmp_path, *voices) as silent, pytest.raises(PluginError) as refused:
        silent.recording(STRANGER)
    assert "one: no network; two: not installed" in refused.value.message
    assert "espeak-ng" in refused.value.hint


def test_where_every_voice_hangs_the_alarm_is_told_so_in_time(tmp_path):
    with hung_voices("one", "two") as voices, studio(tmp_path, *voices, urgent=0.2) as one:
        began = time.monotonic()
        with pytest.raises(PluginError, match="not ready within"):
            one.recording(STRANGER)
        assert time.monotonic() - began < LONGEST / 2


def test_a_voice_with_a_bug_is_a_voice_that_failed(tmp_path):
    class Broken(FakeVoice):
        def say(self, text, language):
            raise ZeroDivisionError("division by zero")

    with studio(tmp_path, Broken(), FakeVoice(name="other")) as one:
        assert one.recording(STRANGER).is_file()
    with studio(tmp_path, Broken()) as one, pytest.raises(PluginError, match="ZeroDivisionError"):
        one.recording("Another sentence")


def test_a_voice_that_failed_lately_is_tried_last(tmp_path):
    better, other = FakeVoice(name="better", failing="no network"), FakeVoice(name="other")
    with studio(tmp_path, better, other) as one:
        one.improve("First")
        better.failing = ""
        one.recording("Second")
        assert better.said == ["First"]
        other.failing = "broken"
        assert one.recording("Third").is_file()
        assert better.said == ["First", "Third"]


def test_it_is_left_alone_for_longer_each_time_and_trusted_again_when_it_worked():
    clock = [0.0]
    rests = synthesizer.VoiceBackoff(lambda: clock[0])
    pauses = [rests.failed("gtts") for _ in range(12)]
    assert pauses[0] < 40
    assert 4 * pauses[0] < pauses[4] < 25 * pauses[0]
    assert pauses[-1] <= 1800 * 1.2
    assert rests.resting("gtts")
    clock[0] += 2200
    assert not rests.resting("gtts")
    rests.failed("gtts")
    rests.worked("gtts")
    assert not rests.resting("gtts")


def test_a_recording_by_a_poorer_voice_is_replaced_when_the_better_one_is_back(tmp_path, monkeypatch):
    better, other = FakeVoice(name="better", failing="no network"), FakeVoice(name="other")
    with studio(tmp_path, better, other) as one:
        assert one.improve(STRANGER).rank == 1
        assert not one.best(STRANGER)
        better.failing = ""
        assert one.improve(STRANGER).rank == 1, "it is left alone for a while"
        monkeypatch.setattr(synthesizer.VoiceBackoff, "resting", lambda self, name: False)
        assert one.improve(STRANGER).rank == 0
        assert one.best(STRANGER)
        assert len(other.said) == 1


def test_a_voice_that_is_not_installed_is_not_waited_for(tmp_path):
    class Absent(FakeVoice):
        def obstacle(self, language):
            return PluginError("not installed")

    absent = Absent(name="absent")
    with studio(tmp_path, absent, FakeVoice()) as one:
        one.improve(STRANGER)
        assert one.best(STRANGER)
    assert absent.said == []


def test_two_who_want_the_same_sentence_have_it_made_once(tmp_path):
    voice = FakeVoice(seconds=0.2)
    with studio(tmp_path, voice) as one:
        paths = []
        threads = [threading.Thread(target=lambda: paths.append(one.recording(STRANGER))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(paths)) == 1
    assert voice.said == [STRANGER]


def test_a_voice_is_never_asked_twice_at_once(tmp_path):
    busy, most = [0], [0]

    class Counting(FakeVoice):
        def say(self, text, language):
            busy[0] += 1
            most[0] = max(most[0], busy[0])
            time.sleep(0.02)
            busy[0] -= 1
            return super().say(text, language)

    with studio(tmp_path, Counting()) as one:
        threads = [threading.Thread(target=one.recording, args=(f"Sentence {n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1]


def test_a_disk_that_is_full_does_not_silence_an_alarm(tmp_path, monkeypatch, caplog):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facesecure.storage.signed_recordings.write_durably", full)
    with studio(tmp_path, FakeVoice()) as one:
        path = one.recording(STRANGER)
        assert one.length(path) > 1
        assert path.parent != tmp_path / "speech"
    assert not path.exists(), "and nothing is left of it"
    assert "No space left" in caplog.text


def test_a_damaged_recording_is_told_and_made_again(tmp_path):
    with studio(tmp_path, FakeVoice()) as one:
        path = one.recording(STRANGER)
        path.write_bytes(b"damaged")
        with pytest.raises(PluginError, match="damaged"):
            one.length(path)
        assert one.length(one.recording(STRANGER)) > 1


def test_it_closes_in_a_second_though_a_voice_hangs(tmp_path):
    with hung_voices("hung") as hung:
        one = studio(tmp_path, *hung, urgent=0.05)
        with pytest.raises(PluginError):
            one.recording(STRANGER)
        began = time.monotonic()
        one.close()
        assert time.monotonic() - began < LONGEST / 3, "it does not wait for the voice"
        with pytest.raises(PluginError, match="closed"):
            one.recording("Another sentence")


def test_the_voices_let_go_of_their_memory_when_they_rest_and_when_all_ends(tmp_path):
    voice = FakeVoice()
    with studio(tmp_path, voice) as one:
        one.release()
        assert voice.closed == 1
        one.recording(STRANGER)
    assert voice.closed == 2


def test_no_thread_is_left_over(tmp_path):
    before = set(threading.enumerate())
    with studio(tmp_path, FakeVoice()) as one:
        for number in range(5):
            one.recording(f"Sentence {number}")
    deadline = time.monotonic() + 10
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)  # the last one may still be about to end
    assert set(threading.enumerate()) <= before
