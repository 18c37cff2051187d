"""Two daemons on one state directory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from facesecure.app.instance_lock import LOCK_NAME, instance_lock
from facesecure.domain.errors import StoreError

_HOLD = """
import sys
from pathlib import Path
from facesecure.app.instance_lock import instance_lock
with instance_lock(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def holding(state: Path) -> subprocess.Popen[str]:
    """Another process that has ``state``, until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "mine\n"
    return process


def test_the_second_is_refused_and_told_who_the_first_is(tmp_path):
    with holding(tmp_path / "state") as other:
        with pytest.raises(StoreError, match=rf"is already running with .*state \(process {other.pid}\)") as refusal:
            instance_lock(tmp_path / "state").__enter__()
        assert refusal.value.exit_code == 1
        assert "--state-dir" in refusal.value.hint
        other.kill()


def test_a_killed_daemon_leaves_nothing_locked(tmp_path):
    with holding(tmp_path) as other:
        other.kill()
        other.wait()
    with instance_lock(tmp_path):
        assert (tmp_path / LOCK_NAME).read_text() == f"{os.getpid()}\n"


def test_the_next_daemon_may_begin_when_the_first_has_ended(tmp_path):
    for _ in range(2):
        with instance_lock(tmp_path):
            pass


def test_a_state_directory_is_made_for_its_owner_only(tmp_path):
    with instance_lock(tmp_path / "deep" / "state"):
        assert stat.S_IMODE((tmp_path / "deep" / "state").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "deep" / "state" / LOCK_NAME).stat().st_mode) == 0o600


def test_a_state_directory_that_cannot_be_used_is_said(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StoreError, match="as the state directory"):
        instance_lock(tmp_path / "state").__enter__()


def test_a_full_disk_is_no_reason_to_take_nobody_for_somebody(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facesecure.app.instance_lock.os.pwrite", full)
    with instance_lock(tmp_path), pytest.raises(StoreError, match="process unknown"), instance_lock(tmp_path):
        pass
