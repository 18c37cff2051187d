"""What systemd is told, over a real socket where systemd-python is here."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.app import systemd
from facesecure.app.systemd import Reporter, notify
from facesecure.domain.errors import StoreError


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> None:
    systemd._warn_once.cache_clear()


@pytest.fixture
def systemd_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one: this environment's, or else Debian's, which fits where the Python is Debian's too."""
    for name in [name for name in sys.modules if name.split(".")[0] == "systemd"]:
        monkeypatch.delitem(sys.modules, name)  # the folder systemd/ of this project, taken for an empty package
    monkeypatch.setattr(sys, "path", [*sys.path, "/usr/lib/python3/dist-packages"])
    pytest.importorskip("systemd.daemon", reason="systemd-python is not here: apt install python3-systemd")


@pytest.fixture
def manager(systemd_python: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What a service manager hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_states_reach_the_service_manager_in_one_message(manager):
    notify("READY=1", "STATUS=watching")
    assert manager.recv(4096) == b"READY=1\nSTATUS=watching"


def test_outside_a_service_nobody_is_told(monkeypatch, caplog):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setitem(sys.modules, "systemd", None)
    notify("READY=1")
    assert caplog.records == []


def test_a_service_manager_that_has_gone_is_said_once_and_harms_nothing(systemd_python, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    for _ in range(3):
        notify("WATCHDOG=1")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "cannot be notified" in caplog.text


def test_a_missing_systemd_python_is_said_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setitem(sys.modules, "systemd", None)
    for _ in range(3):
        notify("WATCHDOG=1")
    assert len(caplog.records) == 1
    assert "python3-systemd is not installed" in caplog.text


def _reported(lines: list[str | Exception]) -> list[str]:
    """What is told when how things stand is asked that often."""
    told: list[str] = []

    def line() -> str:
        now = lines.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    reporter = Reporter(line, lambda *states: told.extend(states))
    while lines:
        reporter.report()
    return told


def test_what_has_not_changed_is_not_said_again():
    assert _reported(["watching", "watching", "watching, 1 person"]) == ["STATUS=watching", "STATUS=watching, 1 person"]


def test_a_state_that_cannot_be_read_is_said_and_said_no_more_once_it_can():
    told = _reported(["watching", StoreError("the disk is gone", "find it"), "watching"])
    unreadable = "STATUS=watching, but its state cannot be read: see the journal"
    assert told == ["STATUS=watching", unreadable, "STATUS=watching"]


def test_a_status_is_one_line_whatever_it_is_made_of():
    assert _reported(["watching\nREADY=0"]) == ["STATUS=watching READY=0"]


def test_the_status_follows_what_happens(manager):
    standing = ["watching"]
    with Reporter(lambda: standing[-1], interval=0.02):
        assert manager.recv(4096) == b"STATUS=watching"
        standing.append("watching, 1 person")
        assert manager.recv(4096) == b"STATUS=watching, 1 person"
    assert "status" not in {thread.name for thread in threading.enumerate()}


def test_outside_a_service_the_state_is_never_asked(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    asked: list[str] = []

    def standing() -> str:
        asked.append("nobody listens")
        return "watching"

    with Reporter(standing, interval=0.01):
        time.sleep(0.05)
    assert asked == []
