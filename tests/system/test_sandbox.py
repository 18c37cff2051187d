"""What the service may not do, tried by a program in its place: same unit, same user, another ExecStart."""

from __future__ import annotations

import io
import json
import tarfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from support.service.installed import UNIT, Service

PROBE = "/srv/probe.py"
OUTCOME = "/var/lib/facesecure/probe.json"
PROBING = f"""[Service]
Type=oneshot
WatchdogSec=0
Restart=no
ExecStart=
ExecStart=/usr/bin/python3 {PROBE} {OUTCOME}
"""
TRIES = Path(__file__).parents[1] / "support" / "service" / "sandbox_probe.py"


def _driver() -> bytes:
    """Return psycopg and libpq as they are installed here, as an archive with the folder ``driver``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("psycopg", "psycopg-binary"):
            for file in distribution(name).files or ():
                archive.add(str(file.locate()), f"driver/{file}")
    return packed.getvalue()


@pytest.fixture(scope="module")
def outcome(installed: Any) -> dict[str, str]:
    """What came of each try: "ok", or the error's name."""
    system, service = installed, Service(installed, "")
    service.reset()
    system.write(PROBE, TRIES.read_text())
    system.write("/srv/driver.tar", _driver())
    system.run("tar", "--extract", "--file=/srv/driver.tar", "--directory=/srv", "--no-same-owner")
    system.write("/home/householder/secret", "a letter", mode=0o644)
    system.write("/tmp/left-by-others", "a file")
    for name, major in (("mouse", 13), ("video7", 81), ("pcm", 116)):
        system.run("rm", "-f", f"/dev/{name}")
        system.run("mknod", "--mode=666", f"/dev/{name}", "c", major, 7)
    service.configure("", PROBING)
    system.run("systemctl", "start", UNIT)
    told: dict[str, str] = json.loads(system.read(OUTCOME))
    service.reset()
    return told


@pytest.mark.parametrize(
    "what",
    [
        *(
            "write /var/lib/facesecure",
            "write /run/facesecure",
            "write /tmp",
            "read /opt/facesecure",
            "the key",
            "the hub",
        ),
        *("socket INET", "socket INET6", "socket UNIX", "socket NETLINK"),
    ],
)
def test_what_it_needs_it_may_do(outcome, what):
    assert outcome[what] == "ok"


@pytest.mark.parametrize(
    "where",
    [
        "/",
        "/etc",
        "/etc/facesecure",
        "/opt/facesecure",
        "/srv",
        "/usr",
        "/var",
        "/var/lib",
        "/var/tmp/..",
        "/run",
        "/dev",
    ],
)
def test_it_can_write_nowhere_but_in_its_own_state(outcome, where):
    assert outcome[f"write {where}"] in ("EROFS", "EACCES", "EPERM")


@pytest.mark.parametrize("what", ["list /home", "read /home/householder/secret", "list /root"])
def test_it_cannot_see_anybodys_home(outcome, what):
    assert outcome[what] in ("EACCES", "ENOENT")


def test_it_cannot_see_what_others_left_in_tmp(outcome):
    assert outcome["read /tmp/left-by-others"] == "ENOENT"


def test_it_cannot_read_the_key_but_as_it_was_lent(outcome):
    assert outcome["read /etc/facesecure/key"] == "EACCES"


def test_it_opens_cameras_and_loudspeakers_and_no_other_device(outcome):
    """There is no driver for any of them here: that none answers shows that systemd did not stand in the way."""
    assert outcome["open /dev/video7"] == "ENXIO"
    assert outcome["open /dev/pcm"] == "ENXIO"
    assert outcome["open /dev/mouse"] == "EPERM"


@pytest.mark.parametrize("family", ["PACKET", "BLUETOOTH", "VSOCK", "ALG"])
def test_it_speaks_no_other_protocols(outcome, family):
    assert outcome[f"socket {family}"] == "EAFNOSUPPORT"


@pytest.mark.parametrize(
    "what", ["mount", "unshare", "setuid", "sethostname", "settime", "ptrace", "reboot", "bpf", "keyctl", "swapon"]
)
def test_it_can_do_nothing_to_the_machine(outcome, what):
    assert outcome[what] in ("EPERM", "EACCES", "ENOSYS")


def test_nothing_it_wrote_can_be_run_as_code(outcome):
    assert outcome["writable and executable memory"] == "EPERM"


def test_it_has_no_privilege_and_can_gain_none(outcome):
    assert outcome["capabilities"] == "0 0 0 0 0"
    assert outcome["no new privileges"] == "1"


def test_a_crash_leaves_no_faces_on_the_disk(outcome):
    assert outcome["core size"] == "(0, 0)"


def test_it_does_not_see_what_others_run(outcome):
    assert outcome["see process 1"] == "ENOENT"
