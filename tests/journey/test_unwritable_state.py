"""The daemon starts where nothing can be written any more: on a card that failed, on a disk that stays full."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.alerts.policy.arming import Arming
from facesecure.domain.mode import Mode
from facesecure.storage.secret_files import SecretFiles
from facesecure.storage.store import Store
from support.faults.disks import fill, make_read_only, small_disk
from support.faults.household import Home


@pytest.fixture
def home(tmp_path: Path, door_clip: Path) -> Iterator[Home]:
    """A household whose state is on a disk of its own, and whose memory is a folder."""
    memory = tmp_path / "run"
    memory.mkdir(mode=0o700)
    with small_disk(tmp_path / "state", "8m") as state:
        Store.open(state).close()
        Arming(state).arm(Mode.AWAY)
        SecretFiles(state).write("identity", b"a door of the hub")
        home = Home(tmp_path, door_clip, {"RUNTIME_DIRECTORY": str(memory)})
        yield home
        home.kill()


def service_alerts(home: Home) -> list[str]:
    return [alert["text"] for alert in home.alerts() if alert["kind"] == "service"]


@pytest.mark.slow
def test_on_a_read_only_disk_the_daemon_watches_from_memory_and_says_so(home: Home) -> None:
    before = sorted(path.name for path in home.state.iterdir())
    make_read_only(home.state)
    with home.watched() as daemon:
        alerts = home.wait_for_alerts(2)
        status = home.run("status")
        assert {"service", "stranger"} <= {alert["kind"] for alert in alerts}, alerts
        (copy,) = (path for path in (home.folder / "run").iterdir() if path.is_dir())
        assert copy.stat().st_mode & 0o777 == 0o700
        assert SecretFiles(copy).read("identity") == b"a door of the hub"
        assert {path.stat().st_mode & 0o077 for path in copy.iterdir()} == {0}
        assert "CRITICAL" in daemon.said
        assert "Traceback" not in daemon.said
    (told,) = service_alerts(home)
    assert told.startswith(f"The disk cannot be written: facesecure cannot write its state in {home.state} (Read-only")
    assert "armed away" in status.stdout, status
    assert "cannot write its state" in status.stdout
    assert [path.name for path in (home.folder / "run").iterdir()] == [], "the copy goes with the daemon"
    assert sorted(path.name for path in home.state.iterdir()) == before


@pytest.mark.slow
def test_what_a_killed_daemon_left_in_memory_gives_way_and_a_second_one_is_refused(home: Home) -> None:
    make_read_only(home.state)
    first = home.begin()
    first.wait_ready()
    assert home.run("run").returncode == 1
    first.kill()
    with home.watched():
        assert len([path for path in (home.folder / "run").iterdir() if path.is_dir()]) == 1


@pytest.mark.slow
def test_on_a_disk_with_no_room_and_nothing_to_let_go_it_watches_from_memory_too(home: Home) -> None:
    fill(home.state)
    with home.watched() as daemon:
        home.wait_for_alerts(2)
    assert "No space left" in service_alerts(home)[0]
    assert "Traceback" not in daemon.said


@pytest.mark.slow
def test_on_a_full_disk_with_old_snapshots_it_starts_where_it_is_and_tells_that_they_went(home: Home) -> None:
    folder = home.state / "snapshots" / "2026" / "11" / "01"
    folder.mkdir(parents=True)
    for number in range(5):
        (folder / f"visit-{number}.jpg").write_bytes(bytes(1_000_000))
    fill(home.state)
    with home.watched() as daemon:
        home.wait_for_alerts(2)
        assert home.rows("SELECT count(*) FROM sightings") != [(0,)]
    assert service_alerts(home) == ["The disk is full: 4 MB of old films, snapshots and backups were removed"]
    assert "Traceback" not in daemon.said


@pytest.mark.slow
def test_a_database_that_can_no_longer_be_read_gives_way_to_its_backup(home: Home) -> None:
    (home.state / "backups").mkdir(mode=0o700)
    shutil.copyfile(home.state / "facesecure.db", home.state / "backups" / "facesecure-000001-20261122.db")
    with (home.state / "facesecure.db").open("r+b") as file:
        file.write(bytes(4096))
    make_read_only(home.state)
    with home.watched() as daemon:
        home.wait_for_alerts(2)
    assert "was replaced by the backup" in daemon.said


@pytest.mark.slow
def test_other_commands_still_refuse_a_disk_that_they_cannot_write(home: Home) -> None:
    make_read_only(home.state)
    refused = home.run("people", "list")
    assert refused.returncode == 1
    assert "cannot write" in refused.stderr
