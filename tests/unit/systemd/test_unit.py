"""The unit as systemd itself reads it; what it does in a booted system is in tests/system."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SYSTEMD = Path(__file__).parents[3] / "systemd"
UNIT = SYSTEMD / "facesecure.service"


@pytest.fixture
def analyze(tmp_path: Path):
    """``systemd-analyze``, run on the unit with programs that this machine has."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: apt install systemd")
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"/opt/facesecure/bin/python|/bin/kill", shutil.which("true") or "", UNIT.read_text()))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["systemd-analyze", *words, str(unit)], capture_output=True, text=True, check=False)

    return run


def test_systemd_understands_every_word_of_it(analyze):
    """It ends with 0 for settings that it does not know, and only says so."""
    verified = analyze("verify", "--man=no")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_what_systemd_cannot_protect_is_little(analyze):
    judged = analyze("security", "--offline=true", "--threshold=13", "--no-pager")
    assert judged.returncode == 0, judged.stdout
    assert "Overall exposure level" in judged.stdout


def test_python_takes_no_module_from_the_environment_or_the_state_folder():
    commands = re.findall(r"^Exec\w+=(/opt/.*)$", UNIT.read_text(), re.MULTILINE)
    assert len(commands) == 2
    assert all(command.startswith("/opt/facesecure/bin/python -I -m facesecure ") for command in commands)
    assert "PYTHONNOUSERSITE=1" in UNIT.read_text()
    assert 'exec /opt/facesecure/bin/python -I -m facesecure "$@"' in (SYSTEMD / "facesecure.sh").read_text()


def test_memory_and_tasks_are_bounded_and_only_what_took_too_much_is_killed():
    for setting in ("MemoryMax=1G", "TasksMax=256", "OOMPolicy=continue"):
        assert f"\n{setting}\n" in UNIT.read_text()


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


@pytest.fixture
def stubs(tmp_path):
    """``stubs("getconf", "echo 32")`` puts a program of that name first in PATH; returns the environment."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(name: str, script: str) -> dict[str, str]:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    return put


@pytest.mark.parametrize(
    "command", [["bash", "systemd/install.sh"], ["make", "--silent", "-f", "{root}/Makefile", ".venv/.made"]]
)
def test_a_32_bit_system_is_refused_at_once_with_the_reason(stubs, tmp_path, command):
    """Of the programs: the kernel of such a Pi may be a 64-bit one."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not here")
    environment = stubs("getconf", "echo 32") | {"DESTDIR": str(tmp_path / "image")}
    here = ROOT if command[0] == "bash" else tmp_path
    words = [word.format(root=ROOT) for word in command]
    tried = subprocess.run(words, cwd=here, env=environment, capture_output=True, text=True, check=False)
    assert tried.returncode != 0
    assert "this is a 32-bit system" in tried.stderr
    assert "install Raspberry Pi OS (64-bit)" in tried.stderr
    assert not (tmp_path / "image").exists()


_FUNCTIONS = """
eval "$(sed '/^main$/d' systemd/install.sh)"
venv=$1
pip() { echo "pip $* in $TMPDIR"; }
unpack_beside
camera_libraries
"""


@pytest.mark.parametrize("camera", [True, False])
def test_simplejpeg_is_replaced_where_picamera2_is_and_pip_unpacks_on_the_same_disk(tmp_path, camera):
    venv = tmp_path / "opt" / "facesecure"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text(f"#!/bin/sh\nexit {0 if camera else 1}\n")
    (venv / "bin" / "python").chmod(0o755)
    tried = subprocess.run(
        ["bash", "-c", _FUNCTIONS, "install.sh", str(venv)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    if camera:
        assert f"requirements/camera.txt in {tmp_path}/opt/.facesecure." in tried.stdout
        version = re.search(
            r"^simplejpeg==(\d+)\.(\d+)", (ROOT / "requirements" / "camera.txt").read_text(), re.MULTILINE
        )
        assert version, "no simplejpeg"
        assert (int(version[1]), int(version[2])) >= (1, 8), "older ones are built for numpy 1"
    else:
        assert tried.stdout == ""
    assert [path.name for path in (tmp_path / "opt").iterdir()] == ["facesecure"], "nothing is left behind"
