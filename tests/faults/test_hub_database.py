"""The hub's PostgreSQL is killed, restarted, full, slow or gone: nothing that it confirmed is lost."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facesecure.domain.errors import HubError, HubFullError, HubRefusedError, HubUnreachableError
from facesecure.hub.connecting import HubAddress
from facesecure.hub.database import HubDatabase
from facesecure.hub.roles import make_hub
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import Estate, RecordKind
from facesecure.hub.store import HubStore, records
from support.faults.table import fault
from support.hub import a_door, a_record, a_sighting, door_of, new_id, postgres_hub
from support.postgres.server import ADMINISTRATOR, Server, made_server
from support.tls import Authority

pytest_plugins = ["support.postgres.fixtures"]

Saw = Callable[[str], None]
pytestmark = pytest.mark.slow


@dataclass
class Writer:
    """A door that writes records as fast as it can, and remembers which were confirmed."""

    store: HubStore
    pause: float = 0.0
    """Seconds, at most, between a row and its commit."""
    confirmed: list[str] = field(default_factory=list)
    errors: list[HubError] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while not self.stopped.is_set():
            identifier = new_id()
            try:
                self._write(identifier)
            except HubError as error:
                self.errors.append(error)
                time.sleep(0.05)
            else:
                self.confirmed.append(identifier)

    def _write(self, identifier: str) -> None:
        record = a_record(self.store, part=identifier)
        if not self.pause:
            self.store.records.put(record, 0)
            return
        with self.store.database.begin() as connection:
            records._insert(connection, record)
            time.sleep(random.random() * self.pause)

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()


@dataclass
class Reader:
    """A door that reads records by its cursor, as they come."""

    store: HubStore
    seen: list[str] = field(default_factory=list)
    cursor: int = 0

    def read(self) -> bool:
        """Read on, also over a lost connection; return whether there was anything."""
        try:
            found = self.store.records.after(self.cursor)
        except HubUnreachableError:
            return True
        self.seen += [record.identifier.partition(".")[2] for record in found]
        self.cursor = found[-1].revision if found else self.cursor
        return bool(found)


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def durable() -> Iterator[Server]:
    with made_server(durable=True) as server:
        yield server


def wrote_more(writers: list[Writer], before: list[int]) -> bool:
    return all(len(writer.confirmed) > old + 20 for writer, old in zip(writers, before, strict=True))


def wrote_more_while_read(writers: list[Writer], before: list[int], reader: Reader) -> bool:
    reader.read()
    return wrote_more(writers, before)


@fault(
    "hub killed while doors write",
    how="`kill -9` of every process of a real PostgreSQL, twice, while three doors write and a fourth reads",
)
def test_what_was_confirmed_outlives_a_killed_hub_and_reaches_the_reader(durable: Server, saw: Saw) -> None:
    with postgres_hub(durable) as hub:
        household = new_id()
        writers = [Writer(hub.join(household, f"door {number}")) for number in range(3)]
        reader = Reader(hub.join(household, "reader"))
        for _ in range(2):
            before = [len(writer.confirmed) for writer in writers]
            until(lambda: wrote_more_while_read(writers, before, reader))  # noqa: B023
            durable.kill()
            until(lambda: all(writer.errors for writer in writers))
            durable.start()
        before = [len(writer.confirmed) for writer in writers]
        until(lambda: wrote_more(writers, before))
        for writer in writers:
            writer.stop()
        while reader.read():
            pass
        confirmed = {identifier for writer in writers for identifier in writer.confirmed}
        assert confirmed <= set(reader.seen)
        assert len(reader.seen) == len(set(reader.seen))
        errors = [error for writer in writers for error in writer.errors]
        assert all(isinstance(error, HubUnreachableError) and error.hint for error in errors), errors
        saw(f"{len(confirmed)} of {len(confirmed)} confirmed rows kept and read, none twice; the doors connect again")


@fault(
    "many doors write to the hub at once",
    how="eight doors that write in transactions of different length, and two that read by their cursors all the time",
)
def test_a_reader_misses_no_row_of_many_writers(postgres: Server, saw: Saw) -> None:
    with postgres_hub(postgres) as hub:
        household = new_id()
        writers = [Writer(hub.join(household, f"door {number}"), 0.02 * (number % 3)) for number in range(8)]
        readers = [Reader(hub.join(household, f"reader {number}")) for number in range(2)]
        while not all(len(writer.confirmed) >= 40 for writer in writers):
            for reader in readers:
                reader.read()
        for writer in writers:
            writer.stop()
        written = {identifier for writer in writers for identifier in writer.confirmed}
        for reader in readers:
            while reader.read():
                pass
            assert set(reader.seen) == written
            assert len(reader.seen) == len(written)
        assert not [error for writer in writers for error in writer.errors]
        saw(f"{len(written)} rows: both readers have seen each exactly once")


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="facesecure-small-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("mounting a small disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()


@fault(
    "hub's disk full",
    how="a disk of 150 MB for a real PostgreSQL, filled to the last byte while a door writes, and emptied",
)
def test_a_full_disk_is_named_and_nothing_confirmed_is_lost(saw: Saw) -> None:
    settings = {"max_wal_size": "'32MB'"}
    with (
        small_disk(150) as disk,
        made_server(disk, durable=True, settings=settings) as server,
        postgres_hub(server) as hub,
    ):
        door = hub.join(new_id(), "door")
        kept = write_until_full(door, fill(disk))
        (disk / "filler").unlink()
        if server.process is None or server.process.poll() is not None:
            server.start()
        server.wait()
        until(lambda: written(door, "after"))
        for identifier in kept:
            assert door.records.get(RecordKind.VISITOR, f"{door_of(door)}.{identifier}") is not None
        saw(f"told as such; {len(kept)} of {len(kept)} confirmed rows are there, and with space writing goes on")


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)
    return filler


def write_until_full(door: HubStore, filler: Path) -> list[str]:
    """Write until the disk is told to be full; what is kept of it is returned."""
    os.truncate(filler, max(0, filler.stat().st_size - (4 << 20)))
    kept: list[str] = []
    for _ in range(2000):
        identifier = new_id()
        try:
            door.records.put(a_record(door, part=identifier, document=os.urandom(1 << 19)), 0)
        except HubFullError as error:
            return kept if "free space" in str(error) else []
        except HubUnreachableError:  # its log found no space, for which PostgreSQL stops
            return kept
        kept.append(identifier)
    raise AssertionError("the disk did not fill")


def written(door: HubStore, prefix: str) -> bool:
    with suppress(HubError):
        return door.records.put(a_record(door, part=f"{prefix}-{new_id()}"), 0) is not None
    return False


@fault(
    "hub restarted", how="a real PostgreSQL restarted while a door waits to be woken, and once more while it does not"
)
def test_a_door_finds_a_restarted_hub_again(durable: Server, saw: Saw) -> None:
    with postgres_hub(durable) as hub:
        household = new_id()
        door, other = hub.join(household, "door"), hub.join(household, "other")
        while door.database.wait(0.2):
            pass
        threading.Timer(0.3, durable.stop).start()
        with pytest.raises(HubUnreachableError) as caught:
            door.database.wait(60)
        assert caught.value.hint
        with pytest.raises(HubUnreachableError):
            door.database.wait(1)
        with pytest.raises(HubUnreachableError), door.notices.turn():
            pass
        until(lambda: durable.process is None)
        durable.start()
        until(lambda: _woken(door))
        with suppress(HubUnreachableError):
            other.doors.now()  # its connection was lost without a word
        other.records.put(a_record(other, part=new_id()), 0)
        assert door.database.wait(60)
        saw("the wait ends at once with a sentence; it connects again, and is woken by the next change")


def _woken(door: HubStore) -> bool:
    with suppress(HubError):
        return door.database.wait(0.1)
    return False


@dataclass
class Swallow:
    """Stands between a door and the hub, and can swallow all that is sent, as a dead router does."""

    target: int
    swallowing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets: list[socket.socket] = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self.sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.swallowing.is_set():
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for each in self.sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@fault(
    "network to the hub swallows everything",
    how="a relay that takes all bytes and passes none on, in the middle of a door's turn",
)
def test_a_door_does_not_wait_for_a_silent_hub(postgres: Server, saw: Saw) -> None:
    with postgres_hub(postgres) as hub:
        relay = Swallow(postgres.port)
        door = hub.join(new_id(), "door")
        address = hub.address(door_of(door))
        url = address.url.replace(f":{postgres.port}/", f":{relay.port}/")
        store = HubStore(
            HubDatabase(HubAddress(url, address.password, address.root)), door_of(door), door.people._member.household
        )
        store.doors.now()
        relay.swallowing.set()
        began = time.monotonic()
        with pytest.raises(HubUnreachableError), store.notices.turn(timeout=1.0) as turn:
            turn.add(a_sighting())
        took = time.monotonic() - began
        with pytest.raises(HubUnreachableError), store.notices.turn(timeout=1.0):
            pass
        relay.close()
        store.database.close()
        assert took < 8
        saw(f"told after {took:.1f} s; without a connection at once")


@fault(
    "false hub",
    how="another authority's certificate, one for another name, a wrong password, no such role, nobody there",
)
def test_a_door_signs_in_at_no_false_hub(postgres: Server, tmp_path: Path, saw: Saw) -> None:
    with postgres_hub(postgres) as hub:
        door = door_of(hub.manager)
        good = hub.address(door)
        other = Authority(tmp_path)
        for address, error, sentence in (
            (HubAddress(good.url, good.password, other.root), HubRefusedError, "not signed by the authority"),
            (
                HubAddress(good.url.replace("127.0.0.1", "localhost"), good.password, good.root),
                HubRefusedError,
                "another name",
            ),
            (HubAddress(good.url, "wrong", good.root), HubRefusedError, "does not accept this door's password"),
            (
                HubAddress(good.url.replace(role_of(door), role_of(new_id())), "x", good.root),
                HubRefusedError,
                "password",
            ),
            (HubAddress(good.url + "x", good.password, good.root), HubError, "no such database"),
            (HubAddress(good.url, good.password, tmp_path / "missing"), HubError, "is missing"),
            (
                HubAddress(good.url.replace(str(postgres.port), "1"), good.password, good.root),
                HubUnreachableError,
                "no connection",
            ),
        ):
            with pytest.raises(error, match=sentence) as caught:
                HubStore(HubDatabase(address), door, new_id()).doors.now()
            assert caught.value.hint
            assert (good.password or "-") not in str(caught.value)
        saw("7 of 7 refused with a sentence that names the reason, the password in none")


def test_a_client_certificate_is_shown_where_the_server_asks_for_one(tmp_path: Path) -> None:
    refused = pytest.raises(HubRefusedError, match="client certificate")
    with made_server(client_certificates="verify-ca") as server, refused, postgres_hub(server):
        pass


def test_with_verify_full_each_door_needs_the_certificate_of_its_own_role(tmp_path: Path) -> None:
    door, estate = a_door(new_id()), new_id()
    with made_server(client_certificates="verify-full") as server:

        def address(user: str, password: str, certificate: str | None) -> HubAddress:
            """Sign in as ``user`` with the certificate for another name, or the same, or none."""
            url = server.url(user, database)
            if certificate is None:
                return HubAddress(url, password, server.authority.root)
            folder = tmp_path / certificate
            folder.mkdir(exist_ok=True)
            server.authority.client_files(folder, certificate)
            return HubAddress(url, password, server.authority.root, folder / "client.pem", folder / "client.key")

        def asked(certificate: str | None) -> str:
            database = HubDatabase(address(role, "password", certificate))
            try:
                return HubStore(database, door.identifier, door.household).doors.estate().identifier
            finally:
                database.close()

        database, role = server.new_database(), role_of(door.identifier)
        made = Estate(estate, b"a" * 32, door.identifier, datetime.now(UTC))
        make_hub(address(ADMINISTRATOR, server.password, ADMINISTRATOR), made, door, "password", [])
        assert asked(role) == estate
        for wrong in (ADMINISTRATOR, role_of(new_id()), None):
            with pytest.raises(HubRefusedError):
                asked(wrong)
