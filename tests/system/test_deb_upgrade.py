"""An older package in use on a booted Debian 13, upgraded with everything that it knows; the way back is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deb.version import program_version
from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.storage.tables import HEAD
from support.databases import earlier
from support.service.booted import BootedSystem
from support.service.commandline import write_picture
from support.service.fixtures import make_clip_in
from support.service.installed import CLIP, CONFIG, STATE, UNIT, Service
from support.service.packages import DEB, OLDER, OLDER_DEB, Packages, answer_about_state, apt, require_booting, state_of
from support.service.page import DOOR, InstalledPage

PATIENCE = 600.0
"""Seconds that a command may take on a busy machine."""
KEY = "/etc/facesecure/key"
REVISION = f"""
import sqlite3
store = sqlite3.connect("file:{STATE}/facesecure.db?mode=ro", uri=True)
print(store.execute("SELECT version_num FROM alembic_version").fetchone()[0])
"""


@pytest.fixture(scope="module")
def system(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedSystem]:
    """A Debian 13 without a network; both packages, photos of Grace and a film of visitors lie in /srv."""
    require_booting()
    folder = tmp_path_factory.mktemp("upgrade")
    share = {
        packages.older("trixie"): OLDER_DEB,
        packages.built("trixie"): DEB,
        Path(earlier.__file__): "/srv/earlier.py",
    }
    with BootedSystem(share, base=packages.debian("trixie")) as system:
        system.write("/srv/door.mp4", make_clip_in(folder).read_bytes())
        for number, image in enumerate(enrolment_images()):
            path = write_picture(folder / f"{number}.png", image)
            system.write(f"/srv/photos/{number}.png", path.read_bytes())
        yield system


@pytest.fixture(scope="module")
def service(system: BootedSystem) -> Service:
    return Service(system, DEB)


def _revision(system: BootedSystem) -> str:
    return system.run("/usr/bin/python3", "-c", REVISION).stdout.strip()


def _people(service: Service) -> list[dict[str, Any]]:
    return list(json.loads(service.command("people", "list", "--json"))["people"])


@pytest.fixture(scope="module")
def before(system: BootedSystem, service: Service) -> dict[str, Any]:
    """What the older version knew, after a visit, with settings of the user's own and the page open."""
    apt(system, "install", OLDER_DEB)
    service.command("enroll", "Grace Hopper", "--images", "/srv/photos", timeout=PATIENCE)
    system.write(CONFIG, CLIP)
    system.run("systemd-tmpfiles", "--create", "facesecure.conf")
    system.run("systemctl", "enable", "--now", UNIT, timeout=PATIENCE)
    service.command("web", "certificate")
    system.run("systemctl", "enable", "--now", DOOR)
    service.wait_for_alarm("known", PATIENCE)
    service.wait_for_alarm("stranger", PATIENCE)
    # Until the end of the film, something may still be stored.
    system.wait_for(lambda: "the source has ended" in system.journal_text(), "end of the film", PATIENCE)
    return {"people": _people(service), "events": service.events(), "key": system.read(KEY)}


# The tests follow one machine through its life, in this order.


def test_the_older_version_knows_a_person_and_saw_a_visit(service, before):
    assert OLDER in service.command("--version")
    assert [person["name"] for person in before["people"]] == ["Grace Hopper"]
    assert {"known", "stranger"} <= {event["verdict"] for event in before["events"]}
    assert InstalledPage(service).get("/sign-in")["status"] == 200


def test_an_upgrade_that_nobody_answers_ends_and_the_older_service_goes_on(system, service, before):
    system.run("/usr/bin/python3", "/srv/earlier.py", f"{STATE}/facesecure.db")
    process = service.process
    said = apt(system, "install", DEB, check=False)
    assert "end of file on stdin at conffile prompt" in said
    assert state_of(system) == "unpacked"
    assert (service.state, service.process, _revision(system)) == ("active", process, "0011")
    assert system.read(CONFIG) == CLIP


def test_the_answer_completes_it_with_everything_that_was_there(system, service, before):
    process = service.process
    said = apt(system, "install", "--fix-broken", stdin="N\n")
    assert "Next:" not in said
    assert program_version() in service.command("--version")
    assert (service.state, service.process != process, _revision(system)) == ("active", True, HEAD)
    assert (system.read(CONFIG), system.read(KEY)) == (CLIP, before["key"])
    assert _people(service) == before["people"]
    assert {event["id"] for event in before["events"]} <= {event["id"] for event in service.events()}
    enabled = system.run("systemctl", "is-enabled", UNIT, DOOR).stdout.split()
    assert enabled == ["enabled", "enabled"]
    assert InstalledPage(service).get("/sign-in")["status"] == 200


def test_everything_inside_works_on_debian_13(system, service):
    service.command("models", "verify", timeout=PATIENCE)
    assert "Grace" in service.command("demo", "--out", "/tmp/demo", timeout=PATIENCE)
    checks = json.loads(service.command("doctor", "--json", check=False, timeout=PATIENCE))["checks"]
    assert [check for check in checks if check["status"] == "fail" and check["check"] != "camera"] == []
    assert system.run("systemd-analyze", "verify", "--man=no", UNIT).stderr == ""


def test_an_older_version_is_refused_and_the_way_back_explained(system, service):
    process = service.process
    said = apt(system, "install", OLDER_DEB, check=False)
    assert "An older facesecure cannot read what a newer one stored" in said
    assert state_of(system) == "installed"
    assert program_version() in service.command("--version")
    assert (service.state, service.process) == ("active", process)
    assert system.run("sh", "-c", "find /usr/lib/facesecure/lib -name '*.pyc' | head -1").stdout, "it starts quickly"


def test_removed_and_purged_it_leaves_nothing_where_that_is_answered(system):
    answer_about_state(system, "true")
    apt(system, "purge", "facesecure")
    left = [path for path in (STATE, "/etc/facesecure", "/usr/lib/facesecure") if system.exists(path)]
    assert left == []
    assert system.run("sh", "-c", "find /etc/systemd -name 'facesecure*'").stdout == ""
    assert json.loads(system.run("systemctl", "--failed", "--output=json", "list-units", "facesecure*").stdout) == []
