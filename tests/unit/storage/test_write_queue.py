"""While another process has locked the database, the daemon's writes wait in a journal and are made afterwards."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from facesecure.config import StoreConfig
from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus, PlannedDelivery
from facesecure.domain.errors import BusyError, StoreError, UsageError
from facesecure.storage import direct_writer, key_rotation, write_queue
from facesecure.storage.deferred_journal import Journal
from facesecure.storage.store import Store
from support.builders import NOON
from support.faults.household import wait_until
from support.faults.locks import locked
from support.store import enrolled_face, known, picture, sighting
from support.visitors import CHOOSE, faces

PENDING, ATTEMPTING, DELIVERED, EXPIRED, FAILED, WITHDRAWN = DeliveryState
LONG = 30.0
"""Seconds that are far more than a write may wait, and far less than SQLite waits for a lock, if it is ``patient``."""


@pytest.fixture
def database(state_dir: Path) -> Path:
    Store.open(state_dir).close()
    return state_dir / "facesecure.db"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite wait for a lock so long that whatever waits with it is not taken for a machine that is slow."""
    monkeypatch.setattr("facesecure.storage.database.BUSY_SECONDS", 4 * LONG)


def resident(state_dir: Path) -> Store:
    return Store.open(state_dir, resident=True)


def kill(store: Store) -> None:
    """Leave what a kill leaves: the journal on the disk, used by no process."""
    store._writer._stop.set()
    store._writer._wake.set()
    store._writer._thread.join(60)
    store._writer._journal.close()
    store._database.close()


def journal(state_dir: Path) -> Path:
    return state_dir / "facesecure.db-deferred"


def visit(identifier: str, person: int = 1, number: int = 0):  # type: ignore[no-untyped-def]
    when = NOON + timedelta(minutes=number)
    return replace(sighting(identifier, when=when, snapshot=picture(8, 8)), faces=faces(person, number))


def told(text: str, identifier: str = "") -> Alert:
    return Alert(AlertKind.STRANGER, text, identifier=identifier or text)


def planned(*channels: str) -> list[PlannedDelivery]:
    return [PlannedDelivery(channel, datetime.now(UTC) + timedelta(hours=1)) for channel in channels]


def everything(store: Store) -> None:
    """A visit and its alert, from the beginning to the delivery, as the daemon writes them."""
    store.record(visit("s1"))
    store.outbox.write(told("a stranger"), planned("log", "webhook"))
    store.outbox.mark("a stranger", "log", DeliveryStatus(ATTEMPTING, 1, "log"))
    store.outbox.mark("a stranger", "log", DeliveryStatus(DELIVERED, 1, "log"))
    store.update(replace(visit("s1"), closing=True, last_seen=NOON + timedelta(seconds=9)))
    store.visitors.group("s1", CHOOSE)


def made(store: Store) -> None:
    wait_until(lambda: not journal(store._database.path.parent).exists(), "end of what was deferred")


def states(store: Store) -> dict[tuple[str, str], DeliveryState]:
    return {(one.alert.text, d.channel): d.status.state for one in store.outbox.history() for d in one.deliveries}


def assert_everything(store: Store) -> None:
    (seen,) = store.sightings()
    assert (seen.identifier, seen.last_seen) == ("s1", NOON + timedelta(seconds=9))
    assert seen.snapshot is not None
    assert seen.snapshot.is_file()
    assert [np.array_equal(one.seen.face.image, two.face.image) for one, two in zip(
        store.faces_seen("s1"), visit("s1").faces, strict=True
    )] == [True] * 3  # fmt: skip
    assert states(store) == {("a stranger", "log"): DELIVERED, ("a stranger", "webhook"): PENDING}


@pytest.mark.usefixtures("patient")
def test_no_write_waits_for_the_lock_and_all_are_made_when_it_is_gone(database: Path) -> None:
    with resident(database.parent) as store:
        with locked(database):
            before = time.monotonic()
            everything(store)
            assert time.monotonic() - before < LONG
            assert store.sightings() == []
            assert journal(database.parent).stat().st_mode & 0o777 == 0o600
        made(store)
        assert_everything(store)
        wait_until(lambda: len(store.visitors.all()) == 1, "visitor")


def test_what_is_written_meanwhile_keeps_its_order(database: Path) -> None:
    with resident(database.parent) as store:
        with locked(database):
            for number in range(120):
                store.outbox.write(told(f"{number:03}"), planned("log"))
        made(store)
        with closing(sqlite3.connect(database)) as connection:
            rows = connection.execute("SELECT alert FROM deliveries ORDER BY id").fetchall()
    assert rows == [(f"{number:03}",) for number in range(120)]


def test_a_daemon_that_is_killed_meanwhile_writes_everything_at_its_next_start(database: Path) -> None:
    with locked(database):
        killed = resident(database.parent)
        everything(killed)
        kill(killed)
    with resident(database.parent) as store:
        assert_everything(store)
        assert not journal(database.parent).exists()
        assert store.visitors.group_left_over(CHOOSE) == 0
        wait_until(lambda: len(store.visitors.all()) == 1, "visitor")


def test_a_daemon_that_is_started_while_it_is_still_locked_knows_what_is_undelivered(database: Path) -> None:
    with resident(database.parent) as store:
        store.outbox.write(told("before"), planned("log", "webhook"))
    with locked(database):
        killed = resident(database.parent)
        everything(killed)
        killed.outbox.mark("before", "log", DeliveryStatus(DELIVERED, 1, "log"))
        kill(killed)
        with resident(database.parent) as store:
            left = [(one.alert.text, d.channel) for one in store.outbox.pending() for d in one.deliveries]
            assert left == [("before", "webhook"), ("a stranger", "webhook")]
            store.outbox.mark("before", "webhook", DeliveryStatus(DELIVERED, 1, "webhook"))
    with resident(database.parent) as store:
        assert states(store)["before", "webhook"] is DELIVERED
        assert_everything_but_before(store)


def assert_everything_but_before(store: Store) -> None:
    assert states(store)["a stranger", "log"] is DELIVERED
    assert [seen.identifier for seen in store.sightings()] == ["s1"]


def test_a_kill_between_the_database_and_the_removal_of_the_journal_repeats_nothing(database: Path) -> None:
    with locked(database):
        killed = resident(database.parent)
        everything(killed)
        kill(killed)
    kept = journal(database.parent).read_bytes()
    with resident(database.parent) as store:
        before = [(one, d) for one in store.outbox.history() for d in one.deliveries], store.sightings()
    journal(database.parent).write_bytes(kept)
    with resident(database.parent) as store:
        assert_everything(store)
        assert len(before[0]) == len([d for one in store.outbox.history() for d in one.deliveries])


@pytest.mark.parametrize("cut", [1, 9, 40])
def test_a_write_that_a_power_cut_cut_off_is_left_out_and_those_before_it_are_made(database: Path, cut: int) -> None:
    with locked(database):
        killed = resident(database.parent)
        killed.outbox.write(told("one"), planned("log"))
        killed.outbox.write(told("two"), planned("log"))
        kill(killed)
    os.truncate(journal(database.parent), journal(database.parent).stat().st_size - cut)
    with resident(database.parent) as store:
        assert states(store) == {("one", "log"): PENDING}
        store.outbox.write(told("three"), planned("log"))
        assert len(states(store)) == 2


def test_a_journal_that_is_none_is_set_aside_and_the_daemon_starts(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal(database.parent).write_bytes(b"something else")
    with resident(database.parent) as store:
        everything(store)
        assert_everything(store)
    assert journal(database.parent).with_name("facesecure.db-deferred.damaged").read_bytes() == b"something else"
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/passwd")])
def test_what_is_no_file_in_the_place_of_the_journal_is_set_aside(database: Path, make: Callable[[Path], None]) -> None:
    before = Path("/etc/passwd").read_bytes()
    make(journal(database.parent))
    with resident(database.parent) as store:
        with locked(database):
            everything(store)
        made(store)
        assert_everything(store)
    assert Path("/etc/passwd").read_bytes() == before


def test_no_face_name_or_sentence_can_be_read_in_the_journal(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = list[bytes]()
    append = Journal.append
    monkeypatch.setattr(Journal, "append", lambda self, write: (plain.append(write), append(self, write))[1])
    with locked(database), resident(database.parent) as store:
        store.record(replace(visit("s1"), verdict=known("Grace Hopper")))
        store.outbox.write(told("Grace Hopper is at the door"), planned("log"))
        content = journal(database.parent).read_bytes()
    pieces = [write[at : at + 8] for write in plain for at in range(0, len(write) - 8, 8)]
    assert b"Grace Hopper" in b"".join(plain)
    assert len(pieces) > 100
    assert not [piece for piece in pieces if piece in content]


def test_a_write_that_was_moved_within_the_journal_is_not_made(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with locked(database):
        killed = resident(database.parent)
        killed.outbox.write(told("1"), planned("log"))
        killed.outbox.write(told("2"), planned("log"))
        kill(killed)
    content = journal(database.parent).read_bytes()
    half = 12 + (len(content) - 12) // 2
    journal(database.parent).write_bytes(content[:12] + content[half:] + content[12:half])
    with resident(database.parent) as store:
        assert states(store) == {}
    assert "is lost" in caplog.text


def test_the_log_and_the_status_say_who_has_locked_it_and_when_it_is_over(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with resident(database.parent) as store:
        with locked(database) as holder:
            everything(store)
            wait_until(lambda: f"locked by process {holder} (python" in caplog.text, "word of the lock")
            lag = store.lag
            assert lag is not None
            assert (lag.writes, lag.seconds > 0) == (5, True)
            assert f"5 writes wait for the database, locked by process {holder}" in lag.words
        made(store)
        wait_until(lambda: "5 deferred writes are made" in caplog.text, "word of the end")
        assert store.lag is None
    assert caplog.text.count("alerts are sent all the same") == 1


def test_an_alert_is_written_once_though_it_is_sent_twice_meanwhile(database: Path) -> None:
    with resident(database.parent) as store:
        with locked(database):
            assert store.outbox.write(told("one"), planned("log"))
            assert not store.outbox.write(told("one"), planned("log"))
        made(store)
        assert not store.outbox.write(told("one"), planned("log"))


def test_what_waits_is_bounded_and_alerts_find_room_after_sightings(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "MAX_SIGHTING_BYTES", 200_000)
    monkeypatch.setattr(write_queue, "MAX_WRITES", 50)
    with resident(database.parent) as store:
        with locked(database):
            kept = refused = 0
            for number in range(20):
                try:
                    store.record(visit(f"s{number}", number=number))
                    kept += 1
                except BusyError:
                    refused += 1
            assert kept > 0 < refused
            assert len(list((database.parent / "snapshots").rglob("*.jpg"))) == kept
            for number in range(50 - kept):
                store.outbox.write(told(str(number)), planned("log"))
            with pytest.raises(StoreError, match="wait for"):
                store.outbox.write(told("one too many"), planned("log"))
        made(store)
        assert len(store.sightings()) == kept
        assert len(store.outbox.history(100)) == 50 - kept


def test_writes_of_many_threads_around_a_lock_are_all_made(database: Path) -> None:
    with resident(database.parent) as store:

        def write(thread: int) -> None:
            for number in range(20):
                store.outbox.write(told(f"{thread}-{number}"), planned("log"))
                store.outbox.mark(f"{thread}-{number}", "log", DeliveryStatus(DELIVERED, 1, "log"))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            with locked(database):
                time.sleep(0.1)
        for thread in threads:
            thread.join()
        made(store)
        assert list(states(store).values()) == [] or set(states(store).values()) == {DELIVERED}
        assert len(store.outbox.history(1000)) == 80


def test_retention_leaves_the_snapshot_of_a_deferred_sighting(database: Path) -> None:
    with resident(database.parent) as store:
        with locked(database):
            file = store.record(visit("s1")).snapshot
            assert file is not None
            os.utime(file, (0, 0))
            with pytest.raises(BusyError):
                store.prune(StoreConfig(keep_days=0))
        store.prune(StoreConfig(keep_days=0))
        assert file.is_file()
        assert store.sightings()[0].snapshot == file


def test_what_was_deferred_while_another_process_rotates_the_key_is_made_with_the_new_one(database: Path) -> None:
    with resident(database.parent) as store:
        store.record(visit("before"))
        with store._writer._making:  # the daemon's thread comes too late
            with locked(database):
                store.record(visit("s1"))
            with Store.open(database.parent) as other:
                key_rotation.rotate(other._database)
            assert len(store.faces_seen("before")) == 3
        made(store)
        assert len(store.faces_seen("s1")) == 3


def test_who_is_removed_after_a_kill_does_not_come_back_out_of_the_journal(database: Path) -> None:
    with Store.open(database.parent) as store:
        store.add_person("Anna", [enrolled_face()])
    with locked(database):
        killed = resident(database.parent)
        killed.record(replace(visit("s1"), verdict=known("Anna")))
        kill(killed)
    with Store.open(database.parent) as store:
        store.remove_person("Anna")
    assert not journal(database.parent).exists()
    with resident(database.parent) as store:
        (seen,) = store.sightings()
        assert "Anna" not in (seen.name or "")
        assert store.faces_seen("s1") == []


def test_a_command_that_erases_waits_for_the_daemon_s_deferred_writes(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with resident(database.parent) as daemon:
        with locked(database):
            daemon.record(visit("s1"))
            with Store.open(database.parent) as command:
                monkeypatch.setattr(direct_writer, "SETTLE_SECONDS", 0.2)
                with pytest.raises(BusyError, match="another process"):
                    command.remove_person("Anna")
        monkeypatch.setattr(direct_writer, "SETTLE_SECONDS", 30.0)
        with Store.open(database.parent) as command:
            with pytest.raises(UsageError):
                command.remove_person("Anna")
            assert [seen.identifier for seen in command.sightings()] == ["s1"]


@pytest.mark.usefixtures("patient")
def test_a_daemon_that_stops_meanwhile_stops_soon_and_keeps_the_journal(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with locked(database):
        store = resident(database.parent)
        everything(store)
        before = time.monotonic()
        store.close()
        assert time.monotonic() - before < LONG
        assert "kept in" in caplog.text
        with pytest.raises(StoreError):
            store.outbox.write(told("too late"), planned("log"))
    with resident(database.parent) as store:
        assert_everything(store)


@pytest.mark.usefixtures("patient")
def test_people_are_polled_without_waiting(database: Path) -> None:
    with resident(database.parent) as store, locked(database):
        before = time.monotonic()
        assert store.people_revision(0.0) == 0
        assert time.monotonic() - before < LONG
