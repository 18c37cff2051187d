"""SIGTERM to a real daemon in the middle of something: it ends within three seconds, and has lost nothing."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from support.faults.household import BUSY
from support.service.journey import wait_for_lines

pytestmark = pytest.mark.slow

WITHIN = 3.0


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes every call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


@contextmanager
def daemon(state: Path, config: str) -> Iterator[subprocess.Popen[str]]:
    state.mkdir(exist_ok=True)
    (state / "door.toml").write_text(config)
    words = ["-v", "--config", str(state / "door.toml"), "--state-dir", str(state), "run"]
    command = [sys.executable, "-m", "facesecure", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def stopped(process: subprocess.Popen[str]) -> str:
    """SIGTERM, and the end in time. Returns what was said."""
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - began < WITHIN + BUSY, said
    assert process.returncode == 0, said
    return said


def table(state: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(state / "facesecure.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute(query).fetchall()


def test_a_visit_that_goes_on_is_brought_to_its_end(door_clip, household, tmp_path):
    state, log = tmp_path / "state", tmp_path / "alerts.jsonl"
    shutil.copytree(household, state)
    camera = f'[camera]\nsource = "file:{door_clip}"\nfile_speed = "real"\n[plugins.log]\nfile = "{log}"\n'
    with daemon(state, camera) as process:
        (told,) = wait_for_lines(log, "known", 1, timeout=60)
        stopped(process)
    ((first, last),) = table(state, "SELECT first_seen, last_seen FROM sightings ORDER BY first_seen LIMIT 1")
    assert last > first
    assert last >= told["last_seen"].replace("T", " ")[:19]


def test_a_plugin_that_hangs_is_left_behind_and_its_alert_waits_for_the_next_start(door_clip, tmp_path):
    state, log = tmp_path / "state", tmp_path / "alerts.jsonl"
    with silent_server() as port:
        hung = f'[plugins.webhook]\nurl = "http://127.0.0.1:{port}/"\nanswer_seconds = 60\nattempt_seconds = 60\n'
        camera = f'[camera]\nsource = "file:{door_clip}"\nfile_speed = "real"\n[plugins.log]\nfile = "{log}"\n'
        with daemon(state, camera + hung) as process:
            wait_for_lines(log, "stranger", 1, timeout=60)
            stopped(process)
    waiting = table(state, "SELECT 1 FROM deliveries WHERE channel = 'webhook' AND state IN ('pending', 'attempting')")
    assert waiting != []
    assert json.loads(log.read_text().splitlines()[0])["kind"] == "stranger"
    assert table(state, "SELECT kind FROM sightings") != []


def test_a_camera_that_says_nothing_is_left_behind(tmp_path):
    with (
        silent_server() as port,
        daemon(tmp_path / "state", f'[camera]\nsource = "rtsp://127.0.0.1:{port}/door"\ntimeout = 60.0\n') as process,
    ):
        assert process.stderr is not None
        assert any("people enrolled" in line for line in process.stderr)
        time.sleep(1.0)
        stopped(process)
