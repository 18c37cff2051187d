"""``facesecure demo --web``: a newcomer has the page before them, on what the demo saw."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from support.ports import free_port
from support.service.commandline import SETTINGS

WITHIN = 60.0
"""Seconds of one processor: on a machine that has nothing else to do, the link is there within them."""


@pytest.mark.slow
def test_within_a_minute_a_newcomer_has_a_link_that_opens_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in (*SETTINGS, "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    port = free_port()
    demo = subprocess.Popen(
        [sys.executable, "-m", "facesecure", "demo", "--web", "--port", str(port), "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=None, start_new_session=True,
    )  # fmt: skip
    stuck = threading.Timer(5 * WITHIN, demo.kill)
    stuck.start()
    try:
        assert demo.stdout is not None
        said = []
        while not said or "/invitation?code=" not in said[-1]:
            said.append(demo.stdout.readline())
            assert said[-1], said
        times = psutil.Process(demo.pid).cpu_times()
        used = times.user + times.system + times.children_user + times.children_system
        link = re.search(rf"http://localhost:{port}/invitation\?code=\S+", said[-1])
        assert link, said
        with urllib.request.urlopen(link[0], timeout=20) as answer:
            assert answer.status == 200
            assert 'type="password"' in answer.read().decode()
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(20) in (0, 130), rest
        assert "Traceback" not in "".join(said) + rest
    finally:
        stuck.cancel()
        with suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGKILL)  # the page's process with it
        demo.communicate()
    assert used < WITHIN
