"""The unit as systemd itself reads it; what it does in a booted system is in tests/system."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[3] / "systemd"
UNIT = SYSTEMD / "facesecure.service"


@pytest.fixture
def analyze(tmp_path: Path):
    """``systemd-analyze``, run on the unit with programs that this machine has."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: apt install systemd")
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"/opt/facesecure/bin/facesecure|/bin/kill", shutil.which("true") or "", UNIT.read_text()))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["systemd-analyze", *words, str(unit)], capture_output=True, text=True, check=False)

    return run


def test_systemd_understands_every_word_of_it(analyze):
    """It ends with 0 for settings that it does not know, and only says so."""
    verified = analyze("verify", "--man=no")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_what_systemd_cannot_protect_is_little(analyze):
    judged = analyze("security", "--offline=true", "--threshold=15", "--no-pager")
    assert judged.returncode == 0, judged.stdout
    assert "Overall exposure level" in judged.stdout


def test_a_setting_that_systemd_does_not_know_would_be_noticed(analyze, tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(unit.read_text() + "\n[Service]\nProtectEverything=yes\n")
    assert "ProtectEverything" in analyze("verify", "--man=no").stderr


def test_the_folder_never_becomes_a_package_in_the_way_of_systemd_python():
    assert not (SYSTEMD / "__init__.py").exists()


def test_the_time_a_stop_may_take_is_within_what_systemd_allows():
    from facesecure.app.lifecycle import STOP_SECONDS

    allowed = re.search(r"^TimeoutStopSec=(\d+)s$", UNIT.read_text(), re.MULTILINE)
    assert allowed is not None
    assert STOP_SECONDS < 3 < int(allowed[1])


@pytest.mark.parametrize("script", ["install.sh", "uninstall.sh"])
def test_without_root_nothing_is_begun(script):
    nobody = 65534 if os.geteuid() == 0 else None
    with (SYSTEMD / script).open() as text:
        tried = subprocess.run(
            ["bash", "-s"], stdin=text, capture_output=True, text=True, check=False, user=nobody, cwd="/"
        )
    assert tried.returncode == 1
    assert "sudo make" in tried.stderr
