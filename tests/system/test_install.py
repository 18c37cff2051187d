"""make install and make uninstall, on a booted system and into a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from support.service.installed import CONFIG, STATE, UNIT

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = [
    "/opt/facesecure",
    "/etc/facesecure",
    "/usr/local/bin",
    "/usr/local/lib/systemd",
    "/usr/local/lib/sysusers.d",
]


def _listing(system) -> str:
    """Every installed file with owner, mode, size and time of change."""
    return system.run("find", *EVERYTHING, "-not", "-name", "__pycache__", "-printf", "%p %u:%g %m %s %T@\\n").stdout


def test_installing_again_changes_nothing(service):
    before = _listing(service.system)
    said = service.install()
    assert "facesecure is up to date" in said
    assert "sudo systemctl enable --now facesecure" in said
    assert "sudo facesecure web certificate" in said, "the page is opened by who wants it"
    assert _listing(service.system) == before


def test_what_was_set_and_the_key_survive_and_a_running_service_goes_on(service):
    service.start("# mine\n[camera]\nsource = 'rtsp://127.0.0.1:9/door'\n")
    process, key = service.process, service.system.read("/etc/facesecure/key")
    service.install()
    assert service.system.read(CONFIG).startswith("# mine\n")
    assert service.system.read("/etc/facesecure/key") == key
    assert service.process == process


def test_secrets_are_for_the_service_only(service):
    modes = service.system.run("stat", "-c", "%n %U:%G %a", "/etc/facesecure", CONFIG, "/etc/facesecure/key", STATE)
    assert modes.stdout.splitlines() == [
        "/etc/facesecure root:facesecure 750",
        f"{CONFIG} root:facesecure 640",
        "/etc/facesecure/key root:root 600",
        f"{STATE} facesecure:facesecure 700",
    ]


def test_the_unit_as_installed_is_what_systemd_understands(service):
    verified = service.system.run("systemd-analyze", "verify", "--man=no", UNIT)
    assert verified.stdout + verified.stderr == ""
    assert service.system.run("systemctl", "is-enabled", UNIT, check=False).stdout == "disabled\n"
    service.system.run("systemctl", "enable", UNIT)
    assert service.system.run("systemctl", "is-enabled", UNIT).stdout == "enabled\n"
    service.system.run("systemctl", "disable", UNIT)


def test_its_user_sees_cameras_and_loudspeakers_and_cannot_log_in(service):
    assert set(service.system.run("id", "-nG", "facesecure").stdout.split()) == {"facesecure", "video", "audio"}
    assert service.system.run("getent", "passwd", "facesecure").stdout.strip().endswith("/usr/sbin/nologin")


def test_uninstalling_takes_the_service_and_keeps_the_state_if_asked_to(service):
    service.start("[camera]\nsource = 'rtsp://127.0.0.1:9/door'\n")
    key = service.system.read("/etc/facesecure/key")
    assert "kept:" in service.uninstall("yes")
    system = service.system
    units = [f"/usr/local/lib/systemd/system/facesecure{name}" for name in (".service", "-web.service", "-web.socket")]
    for gone in ("/opt/facesecure", "/usr/local/bin/facesecure", *units):
        assert not system.exists(gone)
    assert system.run("systemctl", "is-active", UNIT, check=False).stdout != "active\n"
    assert system.exists(f"{STATE}/facesecure.db")

    service.install()
    assert system.read("/etc/facesecure/key") == key
    service.start("[camera]\nsource = 'rtsp://127.0.0.1:9/door'\n")
    assert service.state == "active"

    service.uninstall("no")
    for gone in (STATE, "/etc/facesecure"):
        assert not system.exists(gone)
    for user in ("facesecure", "facesecure-web"):
        assert system.run("getent", "passwd", user, check=False).returncode != 0
    service.install()  # for the tests that follow


@pytest.fixture
def make(tmp_path, wheel):
    """``make``, with the folder and what is needed from this environment instead of a network."""
    if shutil.which("make") is None or Path(sys.base_prefix) != Path("/usr"):
        pytest.skip("needs make, and an environment of Debian's own Python")
    environment = {
        **os.environ,
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    folder = tmp_path / "image"

    def run(target: str, **settings: str) -> str:
        words = [
            f"{name}={value}" for name, value in {"DESTDIR": str(folder), "PACKAGE": str(wheel), **settings}.items()
        ]
        return subprocess.run(
            ["make", "--silent", "-C", str(ROOT), target, *words], env=environment, check=True, capture_output=True,
            text=True, timeout=300, stdin=subprocess.DEVNULL,
        ).stdout  # fmt: skip

    return run, folder


def test_a_folder_is_filled_and_emptied_and_the_machine_left_alone(make):
    run, folder = make
    run("install")
    scripts = [path for path in (folder / "opt/facesecure/bin").iterdir() if path.is_file() and not path.is_symlink()]
    first_lines = [path.read_bytes().splitlines()[0] for path in scripts]
    assert b"#!/opt/facesecure/bin/python" in first_lines, "they run where they will be"
    assert not any(bytes(folder) in line for line in first_lines)
    assert (folder / "etc/facesecure/facesecure.toml").stat().st_mode & 0o077 == 0
    assert not (folder / "etc/facesecure/key").exists(), "it would be the same on every machine"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert "up to date" in run("install")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before

    run("uninstall")
    assert (folder / "etc/facesecure/facesecure.toml").exists(), "nobody could be asked, so it is kept"
    run("uninstall", KEEP_STATE="no")
    assert [path for path in folder.rglob("*") if path.is_file()] == []
