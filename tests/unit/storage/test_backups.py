"""Rolling backups, and a damaged database that gives way to one of them."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.config import StoreConfig
from facesecure.domain.errors import StoreError
from facesecure.storage import backups
from facesecure.storage.backups import Backups, damage
from facesecure.storage.store import Store
from support.builders import NOON
from support.faults.traces import all_sealed_values, found
from support.store import enrolled_face, known, run_python, sighting
from support.visitors import visit

DAY = timedelta(days=1)


def copies(state_dir: Path) -> list[str]:
    """The days of the backups, the newest first."""
    return [path.stem.split("-")[2] for path in Backups(state_dir / "facesecure.db").all()]


def names(store: Store) -> list[str]:
    return [person.name for person in store.people()]


@pytest.fixture
def enrolled(state_dir: Path) -> Path:
    """The database of a store in which Tom is enrolled; it has been backed up."""
    with Store.open(state_dir) as store:
        store.add_person("Tom", [enrolled_face(1), enrolled_face(2)])
    return state_dir / "facesecure.db"


def test_an_enrolment_is_backed_up_as_the_store_closes(enrolled: Path) -> None:
    (backup,) = Backups(enrolled).all()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(backup.parent.stat().st_mode) == 0o700
    assert damage(backup) is None
    assert [path.name for path in backup.parent.iterdir()] == [backup.name], "one file, without a log"


def test_a_look_at_the_store_makes_no_backup(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        store.record(sighting("one"))
        store.people()
    assert copies(state_dir) == []


def test_the_last_three_days_are_kept_and_of_each_the_last_copy(state_dir: Path) -> None:
    with Store.open(state_dir, resident=True) as store:
        for hour in range(5 * 24):
            store.prune(StoreConfig(keep_days=0), NOON + timedelta(hours=hour))
        assert copies(state_dir) == ["20260506", "20260505", "20260504"]
        store.add_person("Tom", [enrolled_face()])
        store.prune(StoreConfig(keep_days=0), NOON + 5 * DAY - timedelta(hours=1))
        assert copies(state_dir) == ["20260506", "20260505", "20260504"]
    shutil.copy(Backups(state_dir / "facesecure.db").all()[0], state_dir / "facesecure.db")
    with Store.open(state_dir) as store:
        assert names(store) == ["Tom"]


def test_a_quiet_hour_writes_nothing(state_dir: Path) -> None:
    with Store.open(state_dir, resident=True) as store:
        store.prune(StoreConfig(keep_days=0), NOON)
        (before,) = Backups(state_dir / "facesecure.db").all()
        inode = before.stat().st_ino
        store.prune(StoreConfig(keep_days=0), NOON + timedelta(hours=1))
        assert before.stat().st_ino == inode


def test_a_clock_that_jumps_back_loses_no_new_copy_for_an_old_one(state_dir: Path) -> None:
    with Store.open(state_dir, resident=True) as store:
        for day in (10, 11, 12, -20_000):
            store.prune(StoreConfig(keep_days=0), NOON + day * DAY)
    assert copies(state_dir) == ["19710729", "20260513", "20260512"]


def test_what_a_killed_process_left_half_made_goes_in_time(enrolled: Path) -> None:
    fresh, old = (enrolled.parent / "backups" / f".facesecure-000009-20260501.db.{n}.part" for n in (1, 2))
    fresh.touch()
    old.touch()
    os.utime(old, (0, 0))
    Backups(enrolled).make(NOON)
    assert (fresh.exists(), old.exists()) == (True, False)


def test_a_copy_that_another_process_clears_away_is_made_again(enrolled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied, drafts = backups._copy, list[Path]()

    def cleared(path: Path, draft: Path) -> None:
        copied(path, draft)
        drafts.append(draft)
        if len(drafts) == 1:
            Backups(path).clear()

    monkeypatch.setattr(backups, "_copy", cleared)
    made = Backups(enrolled).make(NOON)
    assert Backups(enrolled).all() == [made]
    assert len(drafts) == 2


def test_backups_that_two_threads_make_and_clear_at_once_do_not_disturb_each_other(enrolled: Path) -> None:
    copies_ = Backups(enrolled)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(copies_.renew, NOON) for _ in range(12)]:
            done.result()
    assert len(copies_.all()) == 1


def test_no_backup_is_made_where_the_disk_is_nearly_full(enrolled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(enrolled.parent)._replace(free=20_000_000)
    monkeypatch.setattr(backups.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(StoreError, match="20 MB are free") as caught:
        Backups(enrolled).make(NOON)
    assert "max_faces_mb" in (caught.value.hint or "")
    assert len(Backups(enrolled).all()) == 1


def test_space_that_just_does_not_do_is_not_given_as_what_is_needed(
    enrolled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = enrolled.stat().st_size + backups._SPARE
    usage = shutil.disk_usage(enrolled.parent)._replace(free=needed - 1)
    monkeypatch.setattr(backups.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(StoreError) as caught:
        Backups(enrolled).make(NOON)
    has, wants = re.findall(r"([\d.]+) MB", str(caught.value))
    assert float(has) < float(wants)


def test_a_full_disk_never_keeps_somebody_from_being_enrolled(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from facesecure.storage.store import Store
from support.store import enrolled_face
with Store.open(Path(sys.argv[1])) as store:
    store.add_person("Tom", [enrolled_face()])
print([person.name for person in Store.open(Path(sys.argv[1])).people()])
"""
    done = run_python(code, tmp_path, mount=f"mount -t tmpfs -o size=4m none {tmp_path}")
    assert done.stdout.strip() == "['Tom']", done.stderr
    assert "no backup is made" in done.stderr


def overwritten_head(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(4096))


def overwritten_middle(path: Path) -> None:
    """Pages in the middle, as a bad card has them; the head is well, and the file opens."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size // 2))


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


DAMAGE: tuple[Callable[[Path], None], ...] = (overwritten_head, overwritten_middle, cut_short, emptied)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_database_gives_way_to_its_backup(
    enrolled: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(enrolled)
    spoilt = enrolled.read_bytes()
    with Store.open(enrolled.parent, resident=True) as store:
        assert names(store) == ["Tom"]
        assert len(store.faces_of("Tom")) == 2
        assert store.restored is not None
        assert store.restored.set_aside.read_bytes() == spoilt, "it is kept"
        assert stat.S_IMODE(enrolled.stat().st_mode) == 0o600
        store.record(sighting("one"))
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert str(store.restored.set_aside) in caplog.text
    with Store.open(enrolled.parent, resident=True) as store:
        assert store.restored is None, "once"
        assert len(store.sightings()) == 1


def test_a_log_of_the_damaged_database_does_not_spoil_the_restored_one(enrolled: Path) -> None:
    with Store.open(enrolled.parent) as store:
        for number in range(30):
            store.record(sighting(f"s{number}"))
        log = enrolled.with_name("facesecure.db-wal")
        kept = log.read_bytes()
    overwritten_middle(enrolled)
    log.write_bytes(kept)
    with Store.open(enrolled.parent, resident=True) as store:
        assert names(store) == ["Tom"]
        assert store.restored is not None
        assert store.restored.set_aside.with_name(store.restored.set_aside.name + "-wal").read_bytes() == kept
    assert damage(enrolled) is None


def test_a_damaged_backup_is_passed_over(state_dir: Path) -> None:
    path = state_dir / "facesecure.db"
    with Store.open(state_dir, resident=True) as store:
        store.add_person("Tom", [enrolled_face(1)])
        Backups(path).make(NOON)
        store.add_person("Ann", [enrolled_face(2)])
        overwritten_middle(Backups(path).make(NOON + DAY))
    overwritten_head(path)
    with Store.open(state_dir, resident=True) as store:
        assert names(store) == ["Tom"]


@pytest.mark.parametrize("damage", DAMAGE[:3])
def test_without_a_good_backup_a_damaged_database_is_refused_and_left(
    enrolled: Path, damage: Callable[[Path], None]
) -> None:
    for backup in Backups(enrolled).all():
        damage(backup)
    damage(enrolled)
    spoilt = enrolled.read_bytes()
    with pytest.raises(StoreError, match="no intact backup") as caught:
        Store.open(enrolled.parent, resident=True)
    assert "enrol again" in (caught.value.hint or "")
    assert enrolled.read_bytes() == spoilt


def test_only_the_daemon_restores(enrolled: Path) -> None:
    overwritten_head(enrolled)
    with pytest.raises(StoreError) as caught:
        Store.open(enrolled.parent)
    assert "backup" in (caught.value.hint or "") or "move the file away" in (caught.value.hint or "")
    assert sorted(path.name for path in (enrolled.parent / "backups").iterdir())[0].startswith("facesecure-")


def test_damage_that_is_found_while_it_runs_is_mended_at_the_next_start(
    enrolled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "_SMALL", 0)
    with Store.open(enrolled.parent, resident=True) as store:
        for number in range(8):
            visit(store, f"s{number}", number)
    with closing(sqlite3.connect(enrolled)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'seen_faces'").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with enrolled.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with Store.open(enrolled.parent, resident=True) as store:
        assert store.restored is None, "the start has no time to look at every picture of a large file"
        with pytest.raises(StoreError, match="damaged"):
            Backups(enrolled).make(NOON)
    with Store.open(enrolled.parent, resident=True) as store:
        assert store.restored is not None
        assert names(store) == ["Tom"]


def test_what_is_no_database_of_ours_is_never_replaced(enrolled: Path) -> None:
    enrolled.unlink()
    with closing(sqlite3.connect(enrolled)) as connection:
        connection.execute("CREATE TABLE recipes (id)")
    with pytest.raises(StoreError, match="not one of facesecure's"):
        Store.open(enrolled.parent, resident=True)


def test_a_database_that_was_taken_away_on_purpose_stays_away(enrolled: Path) -> None:
    enrolled.unlink()
    with Store.open(enrolled.parent, resident=True) as store:
        assert names(store) == []


def test_whoever_is_removed_leaves_the_backups_and_what_was_set_aside(state_dir: Path) -> None:
    name = "Thomas Quartz"  # long enough that no sealed face holds it by chance
    with Store.open(state_dir) as store:
        store.add_person(name, [enrolled_face(1), enrolled_face(2)])
    with Store.open(state_dir) as store:
        store.add_person("Ann", [enrolled_face(3)])
        visit(store, "one", 1, verdict=known(name))
    overwritten_middle(state_dir / "facesecure.db")
    with Store.open(state_dir, resident=True) as store:
        assert store.restored is not None
        traces = all_sealed_values(state_dir)
        store.remove_person(name)
        assert not store.restored.set_aside.exists()
    left = all_sealed_values(state_dir)
    assert len(left) == 3, "Ann's"
    assert sorted(found(state_dir, traces)) == sorted(left)
    assert found(state_dir, [name.encode(), name.lower().encode()]) == []
    assert len(Backups(state_dir / "facesecure.db").all()) == 1


def test_one_picture_that_is_taken_away_leaves_the_backups_too(enrolled: Path) -> None:
    with Store.open(enrolled.parent) as store:
        traces = all_sealed_values(enrolled.parent)
        store.remove_face(1)
    left = all_sealed_values(enrolled.parent)
    assert sorted(found(enrolled.parent, traces)) == sorted(set(traces) & set(left))
    assert len(set(traces) & set(left)) == 2
