"""The Debian package, installed, used, upgraded, removed and purged on a small Debian that is really booted.

``FACESECURE_DEB=FILE`` tries that package instead of building one, and ``FACESECURE_DEB_SUITE=trixie`` another Debian.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure import __version__
from facesecure.storage.keys import make_key
from support.service.booted import BootedSystem, unavailable
from support.service.fixtures import make_clip_in
from support.service.installed import CLIP, CONFIG, STATE, UNIT, Service
from support.service.page import InstalledPage

ROOT = Path(__file__).resolve().parents[2]
SUITE = os.environ.get("FACESECURE_DEB_SUITE", "bookworm")
KEY = "/etc/facesecure/key"
DEB = "/srv/facesecure.deb"
OLD_UNIT = "[Service]\nExecStart=/bin/sleep 600\n[Install]\nWantedBy=multi-user.target\n"
OURS = ["/opt/facesecure", "/usr/local/bin/facesecure", "/usr/local/lib/systemd/system/facesecure.service"]
"""What `make install` installed, and the package replaces."""


@pytest.fixture(scope="module")
def package() -> Path:
    """The package, built once with quick compression."""
    if given := os.environ.get("FACESECURE_DEB"):
        return Path(given)
    environment = {**os.environ, "COMPRESSION": "gzip"}
    built = subprocess.run(
        ["deb/build.sh", SUITE], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return ROOT / built.stdout.splitlines()[-1].partition(":")[0]


@pytest.fixture(scope="module")
def debian() -> Path:
    """The files of a small Debian, made by mmdebstrap and kept outside of the tree."""
    if why := unavailable():
        pytest.skip(why)
    if missing := [tool for tool in ("mmdebstrap", "dpkg-deb") if shutil.which(tool) is None]:
        why = f"{', '.join(missing)} is missing: apt install mmdebstrap dpkg-dev"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    if why := _unreachable():
        pytest.skip(why)
    made = subprocess.run(
        [ROOT / "tests/chroots/deb.sh", SUITE], capture_output=True, text=True, timeout=900, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return Path(made.stdout.splitlines()[-1])


def _unreachable() -> str:
    """Return why neither packages of Python's nor of Debian's can be had; nothing if they can."""
    try:
        for host in ("deb.debian.org", "pypi.org"):
            socket.getaddrinfo(host, 443)
    except OSError as error:
        return f"a package is built with the network: {error}"
    return ""


@pytest.fixture(scope="module")
def system(debian: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedSystem]:
    """That Debian, booted, without a network; the package and a film of visitors lie in /srv."""
    with BootedSystem({package: DEB}, base=debian) as system:
        system.write("/srv/door.mp4", make_clip_in(tmp_path_factory.mktemp("clip")).read_bytes())
        yield system


@pytest.fixture(scope="module")
def service(system: BootedSystem) -> Service:
    return Service(system, DEB)


def _apt(system: BootedSystem, *words: str) -> str:
    """Run apt-get without recommended packages, which would need a network, and return all that it printed."""
    quiet = ("apt-get", "-y", "--no-install-recommends", "--allow-downgrades")
    done = system.run(*quiet, *words, timeout=400, DEBIAN_FRONTEND="noninteractive")
    return done.stdout + done.stderr


def _answer(system: BootedSystem, remove: str) -> None:
    system.run("debconf-set-selections", stdin=f"facesecure facesecure/remove-state boolean {remove}\n")


# The tests follow one machine through its life, in this order.


def test_a_new_machine_is_told_what_to_do_next_and_gets_a_key_of_its_own(system):
    said = _apt(system, "install", DEB)
    assert "sudo facesecure enroll NAME --images PHOTOS" in said
    assert "sudo systemctl enable --now facesecure" in said
    modes = system.run("stat", "-c", "%n %U:%G %a", "/etc/facesecure", CONFIG, KEY, STATE).stdout.splitlines()
    assert modes == [
        "/etc/facesecure root:facesecure 750",
        f"{CONFIG} root:facesecure 640",
        f"{KEY} root:root 600",
        f"{STATE} facesecure:facesecure 700",
    ]
    assert system.run("systemctl", "is-enabled", UNIT, check=False).stdout == "disabled\n"


def test_everything_inside_works_without_a_network(system, service):
    assert __version__ in service.command("--version")
    assert "/usr/lib/facesecure/" in system.run("/usr/lib/facesecure/bin/python", "-c", "import cv2; print(cv2)").stdout
    service.command("models", "verify")
    assert "Grace" in service.command("demo", "--out", "/tmp/demo", timeout=300)
    assert system.run("systemd-analyze", "verify", "--man=no", UNIT).stderr == ""


def test_a_purge_removes_people_visits_and_key_where_that_is_answered(system):
    _answer(system, "true")
    _apt(system, "purge", "facesecure")
    left = [
        path for path in (STATE, "/etc/facesecure", "/usr/lib/facesecure", "/usr/bin/facesecure") if system.exists(path)
    ]
    assert left == []


def test_make_install_is_taken_over_with_key_configuration_state_and_what_ran(system, service, tmp_path):
    make_key(tmp_path / "key")
    for path in OURS[:2]:
        system.write(f"{path}/.installed" if path == OURS[0] else path, "old\n")
    system.write(OURS[2], OLD_UNIT)
    system.write(CONFIG, CLIP)
    system.write(KEY, (tmp_path / "key").read_bytes(), 0o600)
    system.write(f"{STATE}/mine", "kept\n")
    system.run("chown", "-R", "facesecure:facesecure", STATE)
    system.run("systemctl", "daemon-reload")
    system.run("systemctl", "enable", "--now", UNIT)

    said = _apt(system, "install", DEB)
    assert "people, key, configuration and state stay" in said
    assert [path for path in OURS if system.exists(path)] == []
    assert system.read(CONFIG) == CLIP
    assert system.run("cat", KEY).stdout.encode() == (tmp_path / "key").read_bytes()
    assert system.read(f"{STATE}/mine") == "kept\n"
    assert system.run("systemctl", "is-enabled", UNIT).stdout == "enabled\n"
    assert system.property(UNIT, "FragmentPath").endswith("/lib/systemd/system/facesecure.service")
    assert not system.property(UNIT, "FragmentPath").startswith("/usr/local")
    assert (service.state, system.property(UNIT, "User")) == ("active", "facesecure")


def test_a_visit_is_recorded_and_the_page_answers(system, service):
    assert service.wait_for_alarm("stranger", 60)["MESSAGE"] == "A stranger is at the front door"
    assert "stranger" in [event["verdict"] for event in service.events()]
    page = InstalledPage(service)
    page.open()
    assert page.get("/sign-in")["status"] == 200


def test_the_same_package_again_restarts_what_ran_and_forgets_nothing(system, service):
    before, key, process = service.events(), system.read(KEY), service.process
    said = _apt(system, "install", "--reinstall", DEB)
    assert "Next:" not in said
    assert (service.state, system.read(KEY), system.read(CONFIG)) == ("active", key, CLIP)
    assert service.process != process
    assert {event["id"] for event in before} <= {event["id"] for event in service.events()}
    assert InstalledPage(service).get("/sign-in")["status"] == 200


def test_removed_and_purged_it_keeps_people_visits_and_key_unless_told_otherwise(system):
    key = system.read(KEY)
    _apt(system, "remove", "facesecure")
    assert not system.exists("/usr/lib/facesecure")
    assert system.read(CONFIG) == CLIP
    assert system.property(UNIT, "ActiveState") == "inactive"
    _answer(system, "false")
    assert "people, visits and the key stay" in _apt(system, "purge", "facesecure")
    assert (system.read(KEY), system.exists(f"{STATE}/facesecure.db")) == (key, True)
    assert system.run("sh", "-c", "find /etc/systemd /usr/local -name 'facesecure*'").stdout == ""


def test_nothing_is_left_running_and_no_unit_failed(system):
    assert json.loads(system.run("systemctl", "--failed", "--output=json", "list-units", "facesecure*").stdout) == []
    assert system.run("pgrep", "-u", "facesecure", check=False).returncode != 0
