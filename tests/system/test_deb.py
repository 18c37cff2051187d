"""The Debian package, installed, used, upgraded, removed and purged on a small Debian 12 that is really booted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deb.version import program_version
from facesecure.storage.keys import make_key
from support.service.booted import BootedSystem
from support.service.fixtures import make_clip_in
from support.service.installed import CLIP, CONFIG, STATE, UNIT, Service
from support.service.packages import DEB, Packages, answer_about_state, apt, require_booting, state_of
from support.service.page import InstalledPage

KEY = "/etc/facesecure/key"
OLD_UNIT = "[Service]\nExecStart=/bin/sleep 600\n[Install]\nWantedBy=multi-user.target\n"
OURS = ["/opt/facesecure", "/usr/local/bin/facesecure", "/usr/local/lib/systemd/system/facesecure.service"]
"""What `make install` installed, and the package replaces."""
LITTLE = 100 << 20
"""Less than the package takes."""


@pytest.fixture(scope="module")
def system(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedSystem]:
    """That Debian, booted, without a network; the package and a film of visitors lie in /srv."""
    require_booting()
    package = packages.built("bookworm")
    with BootedSystem({package: DEB}, base=packages.debian("bookworm")) as system:
        system.write("/srv/door.mp4", make_clip_in(tmp_path_factory.mktemp("clip")).read_bytes())
        yield system


@pytest.fixture(scope="module")
def service(system: BootedSystem) -> Service:
    return Service(system, DEB)


# The tests follow one machine through its life, in this order.


def test_a_full_disk_ends_the_installation_and_leaves_nothing(system):
    with system.nearly_full(LITTLE):
        said = apt(system, "install", DEB, check=False)
    assert "No space left on device" in said
    assert state_of(system) in ("", "not-installed")
    assert [path for path in ("/usr/lib/facesecure", "/etc/facesecure", STATE) if system.exists(path)] == []


def test_a_new_machine_is_told_what_to_do_next_and_gets_a_key_of_its_own(system):
    said = apt(system, "install", DEB)
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
    assert program_version() in service.command("--version")
    assert "/usr/lib/facesecure/" in system.run("/usr/lib/facesecure/bin/python", "-c", "import cv2; print(cv2)").stdout
    service.command("models", "verify", timeout=300)
    assert "Grace" in service.command("demo", "--out", "/tmp/demo", timeout=600)
    assert system.run("systemd-analyze", "verify", "--man=no", UNIT).stderr == ""


def test_a_purge_removes_people_visits_and_key_where_that_is_answered(system):
    answer_about_state(system, "true")
    apt(system, "purge", "facesecure")
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

    said = apt(system, "install", DEB)
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
    assert service.wait_for_alarm("stranger", 300)["MESSAGE"] == "A stranger is at the front door"
    assert "stranger" in [event["verdict"] for event in service.events()]
    page = InstalledPage(service)
    page.open()
    assert page.get("/sign-in")["status"] == 200


def test_the_same_package_again_restarts_what_ran_and_forgets_nothing(system, service):
    before, key, process = service.events(), system.read(KEY), service.process
    said = apt(system, "install", "--reinstall", DEB)
    assert "Next:" not in said
    assert (service.state, system.read(KEY), system.read(CONFIG)) == ("active", key, CLIP)
    assert service.process != process
    assert {event["id"] for event in before} <= {event["id"] for event in service.events()}
    assert InstalledPage(service).get("/sign-in")["status"] == 200


def test_removed_and_purged_it_keeps_people_visits_and_key_unless_told_otherwise(system):
    key = system.read(KEY)
    apt(system, "remove", "facesecure")
    assert not system.exists("/usr/lib/facesecure")
    assert system.read(CONFIG) == CLIP
    assert system.property(UNIT, "ActiveState") == "inactive"
    answer_about_state(system, "false")
    assert "people, visits and the key stay" in apt(system, "purge", "facesecure")
    assert (system.read(KEY), system.exists(f"{STATE}/facesecure.db")) == (key, True)
    assert system.run("sh", "-c", "find /etc/systemd /usr/local -name 'facesecure*'").stdout == ""


def test_nothing_is_left_running_and_no_unit_failed(system):
    assert json.loads(system.run("systemctl", "--failed", "--output=json", "list-units", "facesecure*").stdout) == []
    assert system.run("pgrep", "-u", "facesecure", check=False).returncode != 0
