"""The installed `sudo facesecure`: what runs inside it, and what root can still name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from support.faults.table import attack
from support.service.commandline import write_picture
from support.service.installed import PYTHON, STATE, UNIT, Service

pytestmark = pytest.mark.slow

QUIET = '[camera]\nsource = "rtsp://127.0.0.1:9/door"\nreconnect_max = 600.0\n[speech]\nvoices = ["fake"]\n'

PLANTED = "import os\nopen('/var/lib/facesecure/ran', 'a').write(f'{os.getuid()}\\n')\n"


@attack(
    "Python modules planted where it is run",
    how="usercustomize, sitecustomize, typer, json and facesecure itself in the state folder as current folder, in the "
    "user's modules below it, and in PYTHONPATH; PYTHONSTARTUP; by root's command and by the service",
)
def test_no_planted_module_runs(service: Service, saw: Callable[[str], None]) -> None:
    service.configure(QUIET)
    service.system.write("/srv/planted.py", PLANTED)
    names = ("usercustomize", "sitecustomize", "typer", "json", "facesecure", "rich", "pydantic")
    service.as_user(
        f'cd {STATE}; for folder in . .local/lib/python3.*/site-packages "$(echo .local/lib/python3.11/site-packages)";'
        f"do mkdir -p $folder; for name in {' '.join(names)}; do cp /srv/planted.py $folder/$name.py; done; done",
    )
    done = service.system.run(
        "sh", "-c", f"cd {STATE} && facesecure people list", PYTHONPATH=STATE, PYTHONSTARTUP=f"{STATE}/typer.py",
        PYTHONUSERBASE=f"{STATE}/.local",
    )  # fmt: skip
    assert done.returncode == 0
    service.system.run("systemctl", "start", UNIT, timeout=120)
    service.system.run("systemctl", "reload", UNIT)
    service.stop()
    assert not service.system.exists(f"{STATE}/ran"), service.system.read(f"{STATE}/ran")
    saw(f"none of {2 * len(names)} modules ran, in a command of root's, at the start and at a reload of the service")


PROBE = """
import typer
app = typer.Typer()

@app.command()
def probe() -> None:
    import json
    import root_payload
    print(json.dumps(root_payload.tries()))
"""
PAYLOAD = Path(__file__).parents[1] / "support" / "service" / "root_payload.py"


@attack(
    "code inside `sudo facesecure` wants root back",
    how="a plugin's command in a booted system that tries setuid, seteuid, setresuid, capset, su, mknod, TIOCSTI and "
    "root's files, with what the installed command leaves it",
)
def test_code_inside_the_installed_command_has_nothing_of_root(service: Service, saw: Callable[[str], None]) -> None:
    service.configure(QUIET)
    found = service.system.run(PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    service.system.write(f"{found}/root_probe.py", PROBE)
    service.system.write(f"{found}/root_payload.py", PAYLOAD.read_text())
    service.system.write(
        f"{found}/root_probe-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: root-probe\nVersion: 1\n"
    )
    service.system.write(
        f"{found}/root_probe-1.dist-info/entry_points.txt", "[facesecure.commands]\nalerts.probe = root_probe:app\n"
    )
    try:
        tried = json.loads(service.command("alerts", "probe"))
    finally:
        service.system.run("sh", "-c", f"rm -rf {found}/root_probe* {found}/root_payload*")
    numbers = service.system.run("id", "-u", "facesecure").stdout.strip()
    assert tried.pop("ids").split() == [
        *[numbers] * 4,
        *[service.system.run("id", "-g", "facesecure").stdout.strip()] * 4,
    ]
    assert set(tried.pop("capabilities").split()) == {"0" * 16}
    assert tried.pop("no new privileges") == "1"
    groups = service.system.run("id", "-G", "facesecure").stdout.split()
    assert tried.pop("groups").split() == sorted(groups, key=int)
    assert {what: how for what, how in tried.items() if how not in ("EPERM", "EACCES", "refused")} == {}
    saw(f"{len(tried)} of {len(tried)} tries refused; the groups of the service's user, no capability, no_new_privs")


def test_root_still_names_files_that_only_root_may_read_or_write(service: Service, tmp_path: Path) -> None:
    """Photos, a configuration, an export, a passphrase, an archive to read; exports, a chart, a recording to write."""
    service.configure(QUIET)
    for number, image in enumerate(enrolment_images()):
        path = write_picture(tmp_path / f"{number}.png", image)
        service.system.write(f"/root/photos/{number}.png", path.read_bytes(), mode=0o600)
    service.system.write("/root/passphrase", "correct horse battery staple\n", mode=0o600)
    service.system.write("/root/door.toml", QUIET, mode=0o600)
    service.system.run("chmod", "700", "/root", "/root/photos")
    run = service.command
    assert "ok: /root/door.toml" in run("config", "check", "/root/door.toml")
    run("--config", "/root/door.toml", "enroll", "Grace Hopper", "--images", "/root/photos")
    run("enroll", "Grace Hopper", "--images", "/root/photos/0.png", "/root/photos/1.png")
    assert "Grace Hopper" in run("identify", "/root/photos/0.png")
    run("people", "export", "/root/family.faces", "--passphrase-file", "/root/passphrase")
    run("people", "remove", "Grace Hopper", "--yes")
    run("people", "import", "/root/family.faces", "--passphrase-file", "/root/passphrase")
    assert [one["name"] for one in json.loads(run("people", "list", "--json"))["people"]] == ["Grace Hopper"]
    run("calibrate", "--chart", "/root/chart.png")
    run("events", "export", "--output", "/root/events.jsonl")
    run("speech", "say", "Hello", "--out", "/root/hello.mp3")
    listed = service.system.run("find", "/root", "-maxdepth", "1", "-type", "f", "-printf", "%f %u %m %s\\n").stdout
    made = {line.split()[0]: line.split()[1:] for line in listed.splitlines()}
    assert made["family.faces"][:2] == made["chart.png"][:2] == made["events.jsonl"][:2] == ["root", "600"]
    assert all(int(made[name][2]) > 0 for name in ("family.faces", "chart.png", "hello.mp3"))
    assert [name for name in made if name.startswith(".") and made[name][1] == "600" and "." in name[1:]] == []
    owners = set(service.system.run("find", STATE, "-printf", "%u\\n").stdout.split())
    assert owners == {"facesecure"}


def test_a_film_that_only_root_may_read_enrols(service: Service) -> None:
    service.configure(QUIET)
    service.system.run("sh", "-c", "cp /srv/door.mp4 /root/door.mp4 && chmod 600 /root/door.mp4")
    done = service.system.run("facesecure", "enroll", "Grace", "--video", "/root/door.mp4", check=False, timeout=120)
    assert "may not read" not in done.stderr
    assert "good" in done.stdout or "accepted" in done.stdout, done.stdout + done.stderr


def test_the_key_of_root_is_rotated_by_root_and_the_service_starts_with_it(service: Service, tmp_path: Path) -> None:
    service.configure(QUIET)
    for number, image in enumerate(enrolment_images()):
        path = write_picture(tmp_path / f"{number}.png", image)
        service.system.write(f"/root/photos/{number}.png", path.read_bytes(), mode=0o600)
    service.command("enroll", "Grace Hopper", "--images", "/root/photos")
    before = service.system.read("/etc/facesecure/key")
    service.command("key", "rotate", "--yes")
    assert service.system.read("/etc/facesecure/key") != before
    assert service.system.run("stat", "-c", "%U:%G %a", "/etc/facesecure/key").stdout == "root:root 600\n"
    assert not service.system.exists("/etc/facesecure/key.next")
    assert "Grace Hopper" in service.command("people", "list")
    service.start(QUIET)
    service.system.wait_for(lambda: "1 person" in service.command("status"), "the service to know her")
