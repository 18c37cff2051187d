"""The units of the page as systemd itself reads them; what they do in a booted system is in tests/system."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[3] / "systemd"
UNIT = SYSTEMD / "facesecure-web.service"
SOCKET = SYSTEMD / "facesecure-web.socket"


@pytest.fixture
def analyze(tmp_path: Path):
    """``systemd-analyze``, run on both units with a program that this machine has."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: apt install systemd")
    unit, door = tmp_path / UNIT.name, tmp_path / SOCKET.name
    unit.write_text(UNIT.read_text().replace("/opt/facesecure/bin/python", shutil.which("true") or ""))
    door.write_text(SOCKET.read_text())

    def run(*words: str, units: tuple[Path, ...] = (unit,)) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["systemd-analyze", *words, *map(str, units)], capture_output=True, text=True, check=False
        )

    return run, unit, door


def test_systemd_understands_every_word_of_them(analyze):
    run, unit, door = analyze
    verified = run("verify", "--man=no", units=(unit, door))
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_what_systemd_cannot_protect_is_next_to_nothing(analyze):
    run, _, _ = analyze
    judged = run("security", "--offline=true", "--threshold=5", "--no-pager")
    assert judged.returncode == 0, judged.stdout
    assert "Overall exposure level" in judged.stdout


def test_the_page_has_a_user_of_its_own_and_no_group_of_the_daemon_s():
    unit, users = UNIT.read_text(), (SYSTEMD / "facesecure.sysusers").read_text()
    assert "\nUser=facesecure-web\nGroup=facesecure-web\n" in unit
    assert "SupplementaryGroups" not in unit
    assert re.search(r"^u facesecure-web ", users, re.MULTILINE)
    assert "m facesecure-web" not in users


def test_it_has_neither_network_nor_state_and_what_it_takes_is_bounded():
    for setting in (
        "PrivateNetwork=yes",
        "RestrictAddressFamilies=AF_UNIX",
        "InaccessiblePaths=-/var/lib/facesecure -/etc/facesecure -/run/facesecure",
        "MemoryMax=768M",
        "TasksMax=64",
    ):
        assert f"\n{setting}\n" in UNIT.read_text()


def test_only_its_socket_starts_it_and_nothing_does_before_it_is_asked_for():
    assert "[Install]" not in UNIT.read_text()
    assert "WantedBy=sockets.target" in SOCKET.read_text()
    assert "enable" not in (SYSTEMD / "install.sh").read_text().split("machine() {")[1].split("\n}")[0]


def test_python_takes_no_module_from_the_environment():
    (command,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert command.startswith("/opt/facesecure/bin/python -I -m facesecure")


def test_the_daemon_may_write_where_the_page_asks_it():
    assert "\nReadWritePaths=-/run/facesecure-web\n" in (SYSTEMD / "facesecure.service").read_text()
    made = re.search(r"^d /run/facesecure-web +2750 facesecure facesecure-web -$",
                     (SYSTEMD / "facesecure.tmpfiles").read_text(), re.MULTILINE)  # fmt: skip
    assert made
