"""The page as it is installed: begun by its socket, ended when idle, and shut away from all that is the daemon's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.page.house import photo_album
from support.service.installed import SOURCE, Service
from support.service.page import CERTIFICATES, UNIT, InstalledPage

QUIET = '[camera]\nsource = "rtsp://127.0.0.1:9/door"\nreconnect_max = 600.0\n'
TRIES = Path(__file__).parents[1] / "support" / "service" / "page_probe.py"
VISIT = f"{SOURCE}/tests/support/service/page_visit.py"
PROBE, OUTCOME = "/srv/page_probe.py", "/run/page-probe.json"
PROBING = f"""[Unit]
Requires=
[Service]
Type=oneshot
ExecStart=
ExecStart=/usr/bin/python3 {PROBE}
StandardOutput=truncate:{OUTCOME}
"""


@pytest.fixture
def page(service: Service) -> Iterator[InstalledPage]:
    """The page, closed; closed again afterwards."""
    page = InstalledPage(service)
    page.close()
    yield page
    page.close()


def test_a_browser_at_the_socket_starts_it_and_it_asks_the_daemon(service, page):
    service.start(QUIET)
    page.open()
    assert page.state == "inactive", "nothing runs until somebody looks"
    answer = page.get()
    assert page.state == "active"
    assert (answer["status"], answer["headers"]["location"].split("?")[0]) == (303, "/sign-in"), answer
    assert page.get("/sign-in")["status"] == 200
    assert service.system.run("ps", "-o", "user:20=", "-p", page.process).stdout.strip() == "facesecure-web"


def test_it_ends_when_nobody_looks_and_comes_back(service, page):
    service.start(f"{QUIET}[web]\nidle_minutes = 0.03\n")
    page.open()
    assert page.get("/sign-in")["status"] == 200
    first = page.process
    service.system.wait_for(lambda: page.state == "inactive", "the idle page to end", 20)
    assert service.system.property(UNIT, "Result") == "success"
    assert page.get("/sign-in")["status"] == 200
    assert page.process not in (0, first)


def test_without_a_daemon_it_says_so(service, page):
    page.open()
    answer = page.get("/sign-in")
    assert answer["status"] == 503
    assert "sudo systemctl start facesecure" in answer["text"]


def test_without_a_certificate_a_proxy_on_this_machine_reaches_it_and_nobody_else(service, page):
    service.start(QUIET)
    page.open(certificate=False)
    assert page.get("/sign-in", scheme="http")["status"] == 200
    service.system.run("ip", "address", "add", "192.0.2.77/32", "dev", "lo")
    try:
        with pytest.raises(AssertionError):
            page.get("/sign-in", scheme="http", address="192.0.2.77")
    finally:
        service.system.run("ip", "address", "del", "192.0.2.77/32", "dev", "lo")


def test_the_certificate_s_keys_are_root_s_and_the_certificate_is_for_the_doctor(service, page):
    page.open()
    modes = service.system.run("stat", "-c", "%n %U:%G %a", CERTIFICATES, *_in(service, CERTIFICATES))
    assert [line.removeprefix(CERTIFICATES) for line in modes.stdout.splitlines()] == [
        " root:root 755",
        "/authority.key root:root 600",
        "/authority.pem root:root 644",
        "/server.key root:root 600",
        "/server.pem root:root 644",
    ]
    assert "certificate for " in service.command("doctor", check=False)


def test_the_installed_page_is_set_up_by_a_link_and_enrols_from_photos(service, page, tmp_path):
    """Whoever decodes the photos does so within the page's own sandbox."""
    for photo in photo_album(tmp_path / "album", 4).iterdir():
        service.system.write(f"/srv/album/{photo.name}", photo.read_bytes())
    service.start(QUIET)
    page.open()
    link = json.loads(service.command("web", "setup", "Anna", "--json"))["link"]
    host = link.split("/")[2].split(":")[0]
    service.system.run("sh", "-c", f"grep -q {host} /etc/hosts || echo 127.0.0.1 {host} >>/etc/hosts")
    photos = _in(service, "/srv/album")
    brought = json.loads(
        service.system.run(
            "/usr/bin/python3", VISIT, link, f"{CERTIFICATES}/authority.pem", "Grace Hopper", *photos, timeout=120
        ).stdout
    )
    assert brought["now"].endswith("somebody is home")
    assert brought["good"] == "4 good pictures"
    assert brought["person"].endswith("/people/Grace Hopper")
    people = json.loads(service.command("people", "list", "--json"))["people"]
    assert [(one["name"], one["faces"]) for one in people] == [("Grace Hopper", 4)]


def _in(service: Service, folder: str) -> list[str]:
    return sorted(service.system.run("find", folder, "-type", "f").stdout.split())


@pytest.fixture(scope="module")
def outcome(installed: Any) -> Iterator[dict[str, str]]:
    """What came of each try in the page's place, while the daemon runs."""
    service = Service(installed, "")
    service.reset()
    page = InstalledPage(service)
    page.close()
    service.start(QUIET)
    service.system.write(PROBE, TRIES.read_text())
    page.open(PROBING)
    service.system.run("systemctl", "start", UNIT)
    yield json.loads(service.system.read(OUTCOME))
    page.close()
    service.reset()


@pytest.mark.parametrize("what", ["ask the daemon", "write /tmp"])
def test_what_it_needs_it_may_do(outcome, what):
    assert outcome[what] == "ok"


def test_its_certificate_and_key_are_lent_to_it(outcome):
    assert (outcome["certificate"], outcome["key"]) == ("-----BEGIN", "-----BEGIN")


@pytest.mark.parametrize("where", ["/", "/etc", "/opt/facesecure", "/run", "/run/facesecure-web", "/var", "/var/lib"])
def test_it_can_write_nowhere(outcome, where):
    assert outcome[f"write {where}"] in ("EROFS", "EACCES")


@pytest.mark.parametrize(
    "what",
    [
        *("list /var/lib/facesecure", "list /etc/facesecure", "list /run/facesecure", "list /root", "list /home"),
        *("control the daemon", "the authority's key"),
    ],
)
def test_it_sees_neither_faces_nor_keys_nor_settings(outcome, what):
    assert outcome[what] in ("EACCES", "ENOENT")


@pytest.mark.parametrize("family", ["INET", "INET6", "NETLINK"])
def test_it_opens_no_connection(outcome, family):
    assert outcome[f"socket {family}"] == "EAFNOSUPPORT"


@pytest.mark.parametrize(
    "what", ["writable and executable memory", "run a program of its own", "unshare", "become root"]
)
def test_it_runs_nothing_that_it_was_not_installed_with(outcome, what):
    assert outcome[what] in ("EPERM", "EACCES", "EINVAL")


def test_it_does_not_see_what_others_run(outcome):
    assert outcome["see process 1"] == "ENOENT"
