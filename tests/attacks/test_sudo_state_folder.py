"""A state folder that its owner, the service's user, prepared for the day root runs `sudo facesecure`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from support.faults.table import attack
from support.service.installed import PYTHON, STATE, UNIT, Service

pytestmark = pytest.mark.slow

SECRET = "/root/secret"
QUIET = '[camera]\nsource = "rtsp://127.0.0.1:9/door"\nreconnect_max = 600.0\n[speech]\nvoices = ["fake"]\n'
HANGS_AFTER = 60.0
COMMANDS = (
    ("people", "list"),
    ("status",),
    ("events", "list"),
    ("arm", "away"),
    ("calibrate",),
    ("drill", "--history"),
    ("key", "show"),
    ("models", "list"),
    ("visitors", "list"),
    ("alerts", "history"),
    ("speech", "prepare"),
    ("audit",),
    ("audit", "verify"),
    ("doctor",),
)
DATABASE = ("facesecure.db", "facesecure.db-wal", "facesecure.db-shm", "facesecure.db-journal")
FILES = (
    "audit.jsonl", "audit.json", "audit.lock", "audit.lost",
    "arming.json", "calibration.json", "calibration.png", "daemon.lock", "told.json", "key", ".room", "control.sock",
    "backups/facesecure-999999-20990101.db", "backups/suspect", "drills/20990101T000000Z.json", "models/planted.json",
    "models/planted.tflite", "speech/planted.mp3", "google_home/devices.json", "google_home/pending_volumes.json",
)  # fmt: skip
"""What commands open beside the database."""


LINKS = f"""
import os, shutil, sys
from pathlib import Path
target, files, folders = sys.argv[1], sys.argv[2].split(","), sys.argv[3:] and sys.argv[3].split(",")
os.chdir({STATE!r})
for file in map(Path, files):
    file.parent.mkdir(exist_ok=True)
    shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
    file.symlink_to(target)
    for pid in range(os.getpid(), os.getpid() + 400):
        (file.parent / f".{{file.name}}.{{pid}}.part").symlink_to(target)
for folder in folders:
    shutil.rmtree(folder, ignore_errors=True)
    os.symlink("/root", folder)
"""


def secret(service: Service) -> None:
    service.system.write(SECRET, "a letter", mode=0o600)


def assert_untouched(service: Service) -> None:
    found = service.system.run("stat", "-c", "%U:%G %a %s %h", SECRET).stdout
    assert found == "root:root 600 8 1\n"
    assert service.system.read(SECRET) == "a letter"


def run_all(service: Service) -> list[int]:
    """Run each command as root; none may hang. Returns the exit codes."""
    codes = []
    for words in COMMANDS:
        done = service.system.run("facesecure", *words, check=False, timeout=HANGS_AFTER)
        assert "Traceback" not in done.stderr, done.stderr
        assert "this is a bug" not in done.stderr, f"{words}: {done.stderr}"
        codes.append(done.returncode)
    return codes


@attack(
    "snapshot paths planted in the database",
    how="rows of sightings whose snapshot is ../../../root/secret, /root/secret, snapshots/../../../root/secret, the "
    "database itself, and a name with a line feed; then list, export, remove, forget, and a start of the service",
)
def test_a_planted_snapshot_path_is_neither_shown_nor_deleted(service: Service, saw: Callable[[str], None]) -> None:
    secret(service)
    service.start()
    service.wait_for_alarm("stranger")
    service.stop()
    planted = [
        "../../../root/secret", SECRET, "snapshots/../../../../root/secret", "facesecure.db",
        "snapshots/2026/01/01/a\n.jpg", "snapshots/2026/01/01/../../../../facesecure.db",
    ]  # fmt: skip
    script = (
        "import sqlite3, sys, json, datetime\n"
        "db = sqlite3.connect(sys.argv[1])\n"
        "names = [row[1] for row in db.execute('PRAGMA table_info(sightings)')]\n"
        "row = list(db.execute('SELECT * FROM sightings').fetchone())\n"
        "for number, path in enumerate(json.loads(sys.argv[2])):\n"
        "    new = dict(zip(names, row))\n"
        "    new |= {'identifier': f'planted{number}', 'snapshot': path, 'snapshot_bytes': 10**9, 'visitor_id': None}\n"
        "    if number % 2:\n"
        "        new |= {column: '2020-01-01 00:00:00.000000' for column in ('first_seen', 'last_seen')}\n"
        "    new.pop('id', None)\n"
        "    holes = ','.join('?' * len(new))\n"
        "    db.execute(f'INSERT INTO sightings ({\",\".join(new)}) VALUES ({holes})', list(new.values()))\n"
        "db.commit()\n"
    )
    service.system.write("/srv/plant.py", script)
    service.system.run(
        "setpriv", "--reuid=facesecure", "--regid=facesecure", "--init-groups", PYTHON, "/srv/plant.py",
        f"{STATE}/facesecure.db", json.dumps(planted),
    )  # fmt: skip
    shown = {event["id"]: event["snapshot"] for event in service.events() if event["id"].startswith("planted")}
    assert shown
    assert set(shown.values()) == {None}
    exported = service.command("events", "export")
    assert "root/secret" not in exported
    service.start()  # which prunes old sightings and snapshots
    service.system.wait_for(lambda: service.status, "a status")
    service.stop()
    assert_untouched(service)
    assert service.events()
    assert service.system.exists(f"{STATE}/facesecure.db")
    saw(f"{len(planted)} of {len(planted)} shown without a snapshot, nothing outside of snapshots/ deleted or read")


@attack(
    "links in the state folder",
    how="links to a file of root's and to one that is not there in the place of the lock, every file, "
    "400 temporary names of each, and of the folders of backups, snapshots and recordings; twelve commands by root",
)
def test_links_in_the_state_folder_lead_nowhere(service: Service, saw: Callable[[str], None]) -> None:
    secret(service)
    service.configure(QUIET)
    service.command("people", "list")
    folders = ("backups", "snapshots", "speech", "drills", "models")
    plans = ((SECRET, (*FILES, *DATABASE), folders), (SECRET, FILES, ()), ("/root/planted", FILES, folders))
    for target, files, linked in plans:
        service.system.write("/srv/links.py", LINKS)
        service.as_user(f"{PYTHON} -I /srv/links.py {target} {','.join(files)} {','.join(linked)}")
        codes = run_all(service)
        assert 0 in codes, "nothing works at all"
        service.system.run("systemctl", "start", UNIT, check=False, timeout=120)
        service.system.run("systemctl", "stop", UNIT, check=False)
        assert_untouched(service)
        assert not service.system.exists("/root/planted")
        listed = service.system.run("find", "/root", "-maxdepth", "1", "-user", "facesecure").stdout
        assert listed == ""
        service.reset()
        service.configure(QUIET)
    saw(f"{len(plans) * len(COMMANDS)} commands, and three starts of the service: root's file as it was, nothing new")


@attack(
    "pipes in the state folder",
    how="a pipe that nobody writes to in the place of the lock and every file; twelve commands by root",
)
def test_a_pipe_in_the_state_folder_hangs_no_command(service: Service, saw: Callable[[str], None]) -> None:
    service.configure(QUIET)
    plans = ((*FILES, *DATABASE), FILES)
    for files in plans:
        service.reset()
        service.configure(QUIET)
        service.as_user(
            f"cd {STATE}; for file in {' '.join(files)}; do mkdir -p $(dirname $file); rm -rf $file; mkfifo $file; done"
        )
        run_all(service)
    for name in DATABASE:  # each alone: one that stops a command hides the next
        service.reset()
        service.command("people", "list")
        service.as_user(f"cd {STATE}; rm -rf {name}; mkfifo {name}")
        service.system.run("facesecure", "people", "list", check=False, timeout=HANGS_AFTER)
    count = len(plans) * len(COMMANDS) + len(DATABASE)
    saw(f"{count} of {count} commands end by themselves")


@attack(
    "a key planted in the state folder",
    how="a valid key file `key` in the state folder while root's key is in /etc/facesecure",
)
def test_a_key_planted_in_the_state_folder_is_not_used(service: Service, saw: Callable[[str], None]) -> None:
    service.configure(QUIET)
    service.as_user(f"HOME={STATE} {PYTHON} -I -m facesecure key make {STATE}/key")
    shown = json.loads(service.command("key", "show", "--json"))
    assert shown["path"] == "/etc/facesecure/key"
    saw("the key in /etc/facesecure is used, by root's commands and by the service")
