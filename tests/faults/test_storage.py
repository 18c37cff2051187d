"""The disk is full, read-only or damaged, or the database locked, under a real daemon."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from facesecure.storage.store import Store
from support.faults.disks import fill
from support.faults.household import Home, wait_until
from support.faults.locks import locked
from support.faults.table import fault

pytestmark = pytest.mark.slow


@contextmanager
def own_disk(folder: Path, size: str) -> Iterator[None]:
    """``folder`` is a small disk of its own, with what was in it."""
    if os.geteuid() != 0:
        pytest.skip("mounting a disk needs root")
    kept = folder.with_name(folder.name + "-before")
    folder.rename(kept)
    folder.mkdir(mode=0o700)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"this machine mounts nothing: {done.stderr.decode().strip()}")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@fault(
    "disk full",
    how="a disk of 16 MB for the state folder, filled to the last byte under the daemon, and emptied after two visits",
)
def test_the_disk_is_full_and_then_is_not(home: Home, saw: Callable[[str], None]) -> None:
    with own_disk(home.state, "16m"), home.watched() as daemon:
        home.wait_for_alerts(1)
        filler = fill(home.state)
        wait_until(lambda: strangers(home) >= 3, "word of two strangers", 60)
        said, meanwhile = daemon.line_with("is not on the disk"), len(home.alerts()) - 1
        assert "the disk is full" in daemon.said, daemon.said
        filler.unlink()
        wait_until(lambda: strangers(home) >= 5, "word of two more", 60)
        told = home.alerts()
        kept = {row[0] for row in home.rows("SELECT identifier FROM sightings")}
        assert told[-1]["sighting"] in kept, "nothing is kept though there is room again"
        query = "SELECT count(*) FROM deliveries WHERE state = 'delivered'"
        wait_until(lambda: home.rows(query)[0][0] >= len(told), "the mark of every delivery on the disk")
    assert said
    extra = [f"“{alert['text']}”" for alert in told if alert["kind"] == "service"]
    saw(
        f"{len(told)} of {len(told)} alerts told, {meanwhile} of them with no room, among them {', '.join(extra)}; "
        "with room again all of them are on the disk, and sightings are kept again"
    )


def strangers(home: Home) -> int:
    """How many strangers were told of."""
    return sum(alert["kind"] == "stranger" for alert in home.alerts())


@contextmanager
def sd_card(folder: Path) -> Iterator[Path]:
    """``folder`` is on an ext4 disk of its own, with what was in it. Yields the switch that makes the disk fail."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("making a disk needs root and mkfs.ext4")
    image, kept = folder.with_name("card.img"), folder.with_name(folder.name + "-before")
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    folder.rename(kept)
    folder.mkdir(mode=0o700)
    insert(image, folder)
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        subprocess.run(["sync", "--file-system", folder], check=True)
        found = subprocess.run(["findmnt", "-no", "SOURCE", folder], capture_output=True, text=True, check=True)
        yield Path("/sys/fs/ext4") / Path(found.stdout.strip()).name / "trigger_fs_error"
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def insert(image: Path, folder: Path) -> None:
    command = ["mount", "-o", "loop,errors=remount-ro", image, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine mounts nothing: {done.stderr.strip()}")


@fault(
    "state folder read-only",
    how="an ext4 disk that fails while the daemon runs, at which Linux makes it read-only; then started on it",
)
def test_the_state_folder_becomes_read_only(home: Home, saw: Callable[[str], None]) -> None:
    with sd_card(home.state) as switch:
        with home.watched() as daemon:
            home.wait_for_alerts(1)
            switch.write_text("1")
            told = home.wait_for_alerts(3, timeout=60)
            said = daemon.line_with("a sighting was not kept")
            assert "would be lost if facesecure" in daemon.said
            assert "Traceback" not in daemon.said
        with home.watched() as again:
            told = home.wait_for_alerts(len(told) + 2, timeout=60)
            started = again.line_with("cannot write its state")
            assert "Traceback" not in again.said
        assert "service" in {alert["kind"] for alert in told}
        subprocess.run(["umount", home.state], check=True)
        subprocess.run(["e2fsck", "-fy", home.state.with_name("card.img")], capture_output=True, check=False)
        insert(home.state.with_name("card.img"), home.state)
        with home.watched():
            home.wait_for_alerts(len(told) + 2)
            assert home.rows("SELECT name FROM people") == [("Grace Hopper",)]
    assert said
    assert started
    saw(
        f"both of 2 alerts told all the same; the log: “{said}”; started on it, it watches from memory: “{started}”, "
        "with an alert; after a repair the next start works and the family is known"
    )


@fault("database damaged", how="every page but the first overwritten in its middle, while the daemon does not run")
def test_a_damaged_database_is_restored_from_its_backup_and_that_is_told(
    home: Home, saw: Callable[[str], None]
) -> None:
    with Store.open(home.state) as store:
        store._database.back_up()
    damage(home.state / "facesecure.db")
    with home.watched() as daemon:
        (told, stranger) = home.wait_for_alerts(2)[:2]
        assert "Traceback" not in daemon.said
        restored = daemon.line_with("the database was damaged")
    assert (told["kind"], stranger["kind"]) == ("service", "stranger")
    assert home.rows("SELECT name FROM people") == [("Grace Hopper",)]
    assert restored
    saw(f"the backup took its place, the damaged file is kept beside it, the family is known; alert: “{told['text']}”")


@fault("database damaged, no backup", how="the same, with no backup left")
def test_without_a_backup_a_damaged_database_is_refused_and_left_alone(home: Home, saw: Callable[[str], None]) -> None:
    shutil.rmtree(home.state / "backups", ignore_errors=True)
    damage(home.state / "facesecure.db")
    before = (home.state / "facesecure.db").read_bytes()
    refused = home.run("run")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert (home.state / "facesecure.db").read_bytes() == before
    saw(f"it does not start, and leaves the file as it is: “{hint(refused.stderr)}”")


def damage(database: Path) -> None:
    chance, size = random.Random(3), 4096
    for end in ("-wal", "-shm"):
        database.with_name(database.name + end).unlink(missing_ok=True)
    with database.open("r+b") as file:
        for page in range(1, database.stat().st_size // size):
            file.seek(page * size + size // 4)
            file.write(chance.randbytes(size // 2))


def hint(stderr: str) -> str:
    """What the last error says to do."""
    return stderr.strip().splitlines()[-1].removeprefix("hint: ")


LATE = 5.0
"""Seconds that are more than a slow machine needs for an alert, and less than SQLite waits for a lock."""


@fault(
    "database locked",
    how="another process holds `BEGIN EXCLUSIVE` on it while two strangers come and three commands are typed; then not",
)
def test_the_database_is_locked(home: Home, saw: Callable[[str], None]) -> None:
    with home.watched() as daemon:
        home.wait_for_alerts(1)
        with locked(home.state / "facesecure.db") as holder:
            told = home.wait_for_alerts(3, timeout=60)
            lag = json.loads(home.run("status", "--json").stdout)["lag"]
            assert f"process {holder} " in lag["holder"]
            assert home.run("arm", "away").returncode == home.run("events", "list").returncode == 0
            assert f"is locked by process {holder} " in (doctor := home.run("doctor").stdout), doctor
        wait_until(lambda: not journal(home).exists(), "end of what was deferred")
        wait_until(lambda: unmarked(home) == [], "mark of every delivery")
        daemon.wait_for("deferred writes are made")
        said = daemon.line_with("deferred writes are made")
        assert "Traceback" not in daemon.said
    slowest = max(seconds_late(home, alert) for alert in told[1:])
    assert slowest < LATE
    assert len({alert["alert"] for alert in home.alerts()}) == len(home.alerts())
    assert_kept(home)
    saw(
        f"2 of 2 alerts told while it was locked, the slowest {slowest:.2f} s after its frame; `status` and `doctor` "
        f"say which process it is, `arm` and `events list` work; then {len(home.alerts())} of {len(home.alerts())} are "
        f"in the database, none twice, with their sightings and pictures: “{said}”"
    )


@fault(
    "kill -9 while the database is locked",
    how="SIGKILL to three daemons, one after another, up to half a second after its alert, the lock held all along",
)
def test_a_daemon_is_killed_while_the_database_is_locked(home: Home, saw: Callable[[str], None]) -> None:
    chance = random.Random(10)
    home.begin().wait_ready()  # it makes what only a first start makes
    home.kill()
    with locked(home.state / "facesecure.db"):
        for _ in range(3):
            before = len(home.alerts())
            daemon = home.begin()
            daemon.wait_ready()
            home.wait_for_alerts(before + 1, timeout=60)
            time.sleep(chance.uniform(0.0, 0.5))
            daemon.kill()
        assert journal(home).exists()
    with home.watched() as daemon:
        home.wait_for_alerts(len(home.alerts()) + 1)
        wait_until(lambda: unmarked(home) == [], "mark of every delivery")
        assert "Traceback" not in daemon.said
    alerts = [alert["alert"] for alert in home.alerts()]
    repeated = len(alerts) - len(set(alerts))
    assert repeated <= 3, "a kill repeats at most what was just being said"
    assert not journal(home).exists()
    assert_kept(home)
    saw(
        f"each of 3 starts on the locked database watches and tells; free again, the next one has {len(set(alerts))} "
        f"of {len(set(alerts))} alerts in the database with their sightings and pictures; {repeated} told twice"
    )


def journal(home: Home) -> Path:
    return home.state / "facesecure.db-deferred"


def unmarked(home: Home) -> list[tuple[Any, ...]]:
    """Alerts that were told and are not marked as delivered in the database."""
    delivered = {row[0] for row in home.rows("SELECT alert FROM deliveries WHERE state = 'delivered'")}
    return [alert["alert"] for alert in home.alerts() if alert["alert"] not in delivered]


def seconds_late(home: Home, alert: dict[str, Any]) -> float:
    """Seconds from the frame that an alert was decided on until it was marked as delivered."""
    (changed,) = home.rows(f"SELECT changed_at FROM deliveries WHERE alert = '{alert['alert']}'")[0]
    seen = datetime.fromisoformat(alert["last_seen"]).replace(tzinfo=None)
    return (datetime.fromisoformat(changed).replace(tzinfo=None) - seen).total_seconds()


def assert_kept(home: Home) -> None:
    """Everything that was told is in the database, every sighting has its picture, and no picture is without one."""
    kept = dict(home.rows("SELECT identifier, snapshot FROM sightings"))
    assert [alert for alert in home.alerts() if alert["sighting"] not in kept] == []
    files = {path.relative_to(home.state).as_posix() for path in (home.state / "snapshots").rglob("*.jpg")}
    assert {file for file in kept.values() if file} == files
    rows = home.rows("SELECT created_at, first_seen FROM sightings ORDER BY rowid")
    assert rows == sorted(rows)
