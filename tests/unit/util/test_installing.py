"""Hints name the command that installs into the environment that runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from facesecure.util.installing import install_extra, pip_install

ROOT = Path(__file__).parents[3]
FOLDERS = ("daemon", "plugins", "training")
BARE = re.compile(r"(?<!-m )\bpip3? (install|download)\b")


def test_the_command_is_the_running_python_s_own(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/opt/face secure/bin/python")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert pip_install("gtts", "numpy>=2") == "sudo '/opt/face secure/bin/python' -m pip install gtts 'numpy>=2'"
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    assert install_extra("charts") == "'/opt/face secure/bin/python' -m pip install 'facesecure[charts]'"


def test_a_shell_can_run_it_and_pip_understands_it():
    command = pip_install("facesecure").replace(" install ", " install --dry-run --no-deps --no-index ")
    done = subprocess.run(["sh", "-c", command.removeprefix("sudo ")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "already satisfied: facesecure" in done.stdout


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_hint_says_pip_without_saying_whose(folder):
    """A bare pip installs where neither the service nor a working copy looks."""
    sources = [path for path in (ROOT / folder).rglob("*.py") if "util/installing.py" not in str(path)]
    assert sources
    assert [path for path in sources if BARE.search(path.read_text("utf-8"))] == []
