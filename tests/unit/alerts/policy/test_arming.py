"""A mode holds until another one is set, also across restarts and power cuts."""

import json
import os
import threading

import pytest

from facesecure.alerts.policy.arming import Armed, Arming
from facesecure.domain.errors import StoreError
from facesecure.domain.mode import Mode
from facesecure.storage.signed_documents import SignedDocuments
from support.builders import NOON


def test_until_somebody_says_otherwise_it_is_what_the_configuration_starts_with(tmp_path):
    assert Arming(tmp_path, Mode.AWAY).armed == Armed(Mode.AWAY, None)


def test_what_was_said_last_holds_after_a_restart(tmp_path):
    arming = Arming(tmp_path)
    arming.arm(Mode.AWAY, lambda: NOON)
    arming.arm(Mode.OFF, lambda: NOON)
    assert Arming(tmp_path, Mode.HOME).armed == Armed(Mode.OFF, NOON)


def test_arming_tells_what_it_was_before(tmp_path):
    assert Arming(tmp_path).arm(Mode.OFF) == Armed(Mode.HOME, None)


def test_the_file_is_for_its_owner_only(tmp_path):
    arming = Arming(tmp_path / "state")
    arming.arm(Mode.OFF)
    assert arming.path.stat().st_mode & 0o777 == 0o600


DAMAGED = [
    b"",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b'{"version": 2, "mode": "off", "since": null}',
    b'{"version": 1, "mode": "disarm", "since": null}',
    b'{"version": 1, "mode": "off", "since": "2026-05-01T12:00:00"}',
    b'{"version": 1, "mode": "off", "since": 7}',
    b'{"version": 1, "mode": "off"}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_never_disarms_and_is_told_of(tmp_path, content, caplog):
    (tmp_path / "arming.json").write_bytes(content)
    if content.startswith(b'{"'):
        SignedDocuments(tmp_path).write("arming.json", json.loads(content))
    assert Arming(tmp_path, Mode.OFF).armed.mode is Mode.HOME
    assert Arming(tmp_path, Mode.AWAY).armed.mode is Mode.AWAY
    assert "arming.json cannot be understood" in caplog.text


def test_a_file_that_is_not_signed_never_disarms(tmp_path, caplog):
    Arming(tmp_path).arm(Mode.AWAY)
    (tmp_path / "arming.json").write_text('{"version": 1, "mode": "off", "since": null}')
    assert Arming(tmp_path).armed.mode is Mode.HOME
    assert "its signature is missing" in caplog.text
    assert "armed home until the mode is set again" in caplog.text


def test_a_file_that_is_a_folder_is_a_damaged_one(tmp_path, caplog):
    (tmp_path / "arming.json").mkdir()
    assert Arming(tmp_path).armed.mode is Mode.HOME
    assert "cannot read" in caplog.text


def test_a_disk_that_takes_nothing_changes_the_mode_and_says_that_it_will_not_last(tmp_path, monkeypatch):
    arming = Arming(tmp_path)

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facesecure.storage.signed_documents.write_durably", full)
    with pytest.raises(StoreError, match="No space left"):
        arming.arm(Mode.AWAY)
    assert arming.armed.mode is Mode.AWAY


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for somebody else")
def test_what_root_writes_for_the_service_the_service_can_read(tmp_path):
    os.chown(tmp_path, 65534, 65534)
    arming = Arming(tmp_path)
    arming.arm(Mode.AWAY)
    found = arming.path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (65534, 65534, 0o600)


def test_two_who_arm_at_once_leave_one_whole_answer(tmp_path):
    arming = Arming(tmp_path)
    modes = [Mode.AWAY, Mode.OFF, Mode.HOME, Mode.AWAY]
    threads = [threading.Thread(target=arming.arm, args=(mode,)) for mode in modes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = json.loads(arming.path.read_bytes())
    assert kept["mode"] == arming.armed.mode.value
    assert Arming(tmp_path).armed == arming.armed


def test_whoever_armed_while_the_daemon_was_starting_is_heeded(tmp_path):
    starting = Arming(tmp_path)
    Arming(tmp_path).arm(Mode.AWAY)
    starting.refresh()
    assert starting.armed.mode is Mode.AWAY


def test_a_new_mode_is_told_at_once_also_one_that_cannot_be_written(tmp_path):
    told = []
    arming = Arming(tmp_path / "state", on_change=lambda: told.append(arming.armed.mode))
    arming.arm(Mode.AWAY)
    arming.refresh()
    assert told == [Mode.AWAY, Mode.AWAY]
    arming.path.unlink()
    arming.path.mkdir()
    with pytest.raises(StoreError):
        arming.arm(Mode.OFF)
    assert told[2:] == [Mode.OFF]


def test_with_an_exit_delay_the_mode_before_applies_until_it_is_over(tmp_path):
    seconds = [0.0]
    arming = Arming(tmp_path, Mode.OFF, exit_delay=60, steady=lambda: seconds[0])
    assert arming.arm(Mode.AWAY).mode is Mode.OFF
    assert (arming.armed.mode, arming.intended, arming.leaving) == (Mode.OFF, Mode.AWAY, 60)
    seconds[0] = 59
    arming.arm(Mode.AWAY)
    assert arming.leaving == 1, "whoever arms again and again puts nothing off"
    seconds[0] = 60
    assert (arming.armed.mode, arming.leaving) == (Mode.AWAY, None)
    arming.arm(Mode.AWAY)
    assert arming.armed.mode is Mode.AWAY, "what is armed stays armed"


def test_a_restart_ends_the_exit_delay(tmp_path):
    Arming(tmp_path, exit_delay=60).arm(Mode.AWAY)
    assert Arming(tmp_path, exit_delay=60).armed.mode is Mode.AWAY


def test_another_mode_ends_the_exit_delay(tmp_path):
    arming = Arming(tmp_path, exit_delay=60)
    arming.arm(Mode.AWAY)
    arming.arm(Mode.HOME)
    assert (arming.armed.mode, arming.leaving) == (Mode.HOME, None)
    arming.arm(Mode.AWAY, at_once=True)
    assert arming.armed.mode is Mode.AWAY
