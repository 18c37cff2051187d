"""Failures: quick, with a helpful message, and with the volume restored."""

import time

import pytest

from facesecure.storage.signed_documents import SignedDocuments
from facesecure_plugins.google_home import speakers
from facesecure_plugins.google_home.volume import FILE_NAME
from support.cast.apps import App
from support.cast.google_home import Announcer
from support.cast.receiver import cast_device
from support.ports import free_port

QUIET = (0.2, True)


@pytest.mark.parametrize(
    ("script", "words", "advice"),
    [
        ({"launch_error": True}, "could not start its player: CANCELLED", "online"),
        ({"load_failed": "bare"}, "LOAD_FAILED", "online"),
        ({"load_failed": "full"}, "LOAD_FAILED (MEDIA_SRC_NOT_SUPPORTED)", "online"),
        ({"fetches": False}, "it never asked for the recording", "firewall"),
        ({"stuck_at": "BUFFERING"}, "it is BUFFERING after", "firewall"),
        ({"drops_at": "LAUNCH"}, "closed the connection", "same network"),
        ({"drops_at": "BUFFERING"}, "closed the connection", "same network"),
        ({"drops_at": "PLAYING"}, "closed the connection", "same network"),
        ({"taken_over": True}, "began to play and did not finish: YouTube took its place", None),
        ({"silent": True}, "accepts the connection but does not answer", "off and on"),
        ({"no_handshake": True}, "cannot be reached", "same network"),
    ],
    ids=lambda value: "-".join(map(str, *value.items())) if isinstance(value, dict) else None,
)
def test_every_way_to_fail_is_told_soon_and_leaves_the_volume_as_it_was(tmp_path, script, words, advice):
    with cast_device(volume=QUIET[0], muted=QUIET[1], **script) as device:
        with Announcer(tmp_path, devices=[device.address], attempt_seconds=4.0) as announcer:
            began = time.monotonic()
            error = announcer.fails()
            assert time.monotonic() - began < 30, "who hangs is given 39 s more"
        assert words in error.message
        assert device.address in error.message
        assert advice is None or advice in error.hint
        assert device.loudness == QUIET
        assert "finished" not in announcer.steps


def test_a_device_that_never_finishes_is_not_taken_at_its_word(tmp_path, monkeypatch):
    monkeypatch.setattr("facesecure_plugins.google_home.playback.SLACK_SECONDS", 0.2)
    with cast_device(stuck_at="PLAYING") as device, Announcer(tmp_path, devices=[device.address]) as announcer:
        announcer.voice.seconds = 0.3
        assert "did not finish: it is PLAYING after" in announcer.fails().message
        assert announcer.steps == ["fetched", "playing"]
        assert device.loudness == (0.35, False)


def test_the_app_is_ended_when_it_could_not_play_too(tmp_path):
    with cast_device(load_failed="bare") as device, Announcer(tmp_path, devices=[device.address]) as announcer:
        announcer.fails()
        assert len(device.diary.stopped) == 1
        assert device.script.app is None


def test_nobody_at_the_address(tmp_path):
    with Announcer(tmp_path, devices=[f"127.0.0.1:{free_port()}"]) as announcer:
        error = announcer.fails()
    assert "cannot be reached" in error.message
    assert "refused" in error.message


def test_a_device_that_drops_mid_play_and_comes_back_gets_its_volume_and_peace(tmp_path):
    with cast_device(drops_at="PLAYING", volume=0.15) as device:
        with Announcer(tmp_path, devices=[device.address]) as announcer:
            announcer.fails()
        assert device.diary.connections == 2
        assert device.loudness == (0.15, False)
        assert device.script.app is None


def lost_while_loud(device, announcer):
    """An announcement whose device is gone, at the announcement's volume, before it could be set back."""
    device.script.drops_at, device.script.silent_after_drop = "PLAYING", True
    announcer.fails()
    assert device.loudness == (0.6, False)


def test_a_device_that_comes_back_later_is_set_back_then(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(speakers, "RESTORE_RETRY_SECONDS", (0.05, 0.05))
    with cast_device(volume=0.0) as device, Announcer(tmp_path, devices=[device.address]) as announcer:
        lost_while_loud(device, announcer)
        assert "was not restored" in caplog.text
        device.script.silent = False
        eventually(lambda: device.loudness == (0.0, False))
        eventually(lambda: SignedDocuments(tmp_path).read(FILE_NAME) == {"volumes": []})


def test_a_daemon_that_was_killed_meanwhile_sets_it_back_when_it_runs_again(tmp_path, monkeypatch):
    with cast_device(volume=0.0, muted=True) as device:
        with Announcer(tmp_path, devices=[device.address]) as announcer:
            lost_while_loud(device, announcer)
        device.script.silent = False
        monkeypatch.setattr(speakers, "RESTORE_RETRY_SECONDS", (0.05, 0.05))
        with Announcer(tmp_path, devices=[device.address]):
            eventually(lambda: device.loudness == (0.0, True))


def test_the_next_announcement_does_not_take_the_last_ones_volume_for_the_usual_one(tmp_path):
    with cast_device(volume=0.05) as device, Announcer(tmp_path, devices=[device.address]) as announcer:
        lost_while_loud(device, announcer)
        device.script.silent, device.script.drops_at = False, None
        announcer.say()
        assert device.loudness == (0.05, False)


def test_what_is_owed_is_readable_by_nobody_else(tmp_path):
    with cast_device(volume=0.05, app=App("X")) as device, Announcer(tmp_path, devices=[device.address]) as announcer:
        announcer.say()
    assert (tmp_path / FILE_NAME).parent.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def eventually(true, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
