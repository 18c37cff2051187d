"""A database that an older facesecure wrote, as it wrote it, is brought up to date with all that is in it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.domain import Alert
from facesecure.domain.accounts import Role
from facesecure.domain.mode import Mode
from facesecure.services import accounts
from facesecure.services.sessions import token_hash, utc_now
from facesecure.storage import database
from facesecure.storage.store import Store
from facesecure.storage.tables import HEAD
from support.databases.earlier import remove_tables_after_0011 as _remove_tables_after_0011
from support.databases.earlier import remove_tables_after_0014
from support.faults.traces import all_sealed_values, found
from support.store import MODEL, sighting
from support.visitors import CHOOSE, visit

FIRST = Path(__file__).parents[2] / "support" / "databases" / "revision_0001.sql"
"""Dumped from a database that revision 0001 had written: Tom with two faces, and two sightings."""


@pytest.fixture
def first_database(state_dir: Path) -> Path:
    state_dir.mkdir()
    path = state_dir / "facesecure.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(FIRST.read_text())
    return path


def test_a_database_of_the_first_version_keeps_everything(state_dir: Path, first_database: Path) -> None:
    assert database.inspect(first_database) == "0001"
    with Store.open(state_dir) as store:
        assert database.inspect(first_database) == HEAD
        assert [(person.name, person.faces) for person in store.people()] == [("Tom", 2)]
        assert [(face.source, face.sighting) for face in store.faces_of("Tom")] == [("0.jpg", None), ("1.jpg", None)]
        assert [template.faces for template in store.templates(MODEL)] == [2]
        told, later = store.each_sighting()
        assert {told.identifier, later.identifier} == {"told-as-tom", "a-stranger"}
        assert store.sighting("told-as-tom").superseded_by == "a-stranger"
        assert store.sighting("told-as-tom").verdict.name == "Tom"
        assert store.sighting("told-as-tom").correction is None
        assert [one.doubt for one in store.each_sighting()] == ["", ""], "nothing spoke for a picture then"
    with closing(sqlite3.connect(first_database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_what_is_new_works_on_what_is_old(state_dir: Path, first_database: Path) -> None:
    with Store.open(state_dir) as store:
        assert store.visitors.group_left_over(CHOOSE) == 0
        assert visit(store, "first", 1) == visit(store, "second", 1, 1) == 1
        store.rename_person("Tom", "Thomas")
        assert store.sighting("told-as-tom").verdict.name == "Thomas"


def test_it_looks_as_if_it_had_been_made_today(state_dir: Path, first_database: Path, tmp_path: Path) -> None:
    Store.open(state_dir).close()
    Store.open(tmp_path / "new").close()
    assert _columns(first_database) == _columns(tmp_path / "new" / "facesecure.db")


def plain_values(path: Path) -> list[bytes]:
    """A piece of every face and embedding, as a version before encryption wrote them."""
    with closing(sqlite3.connect(path)) as connection:
        crops = connection.execute("SELECT crop_png FROM faces").fetchall()
        embeddings = connection.execute(
            "SELECT embedding FROM faces UNION ALL SELECT embedding FROM templates"
        ).fetchall()
    return [value[40:72] for (value,) in crops + embeddings]


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
def test_what_was_kept_plain_is_encrypted_and_leaves_no_plain_byte(
    state_dir: Path, first_database: Path, killed: bool
) -> None:
    copy = "INSERT INTO faces SELECT id + 50, person_id, crop_png, embedding, model_sha256, quality, source, added_at"
    with closing(sqlite3.connect(first_database)) as connection:
        for table in ("faces", "templates"):
            connection.execute(f"UPDATE {table} SET embedding = randomblob(768)")
        connection.execute(f"{copy} FROM faces")
        connection.execute("DELETE FROM faces WHERE id > 50")  # free pages, as old faces leave
        connection.commit()
    plain = plain_values(first_database)
    assert len(plain) == 5
    assert len(found(state_dir, plain)) == 5
    if killed:  # the log of a process that was killed still holds faces
        with closing(sqlite3.connect(first_database)) as connection:
            connection.execute("UPDATE faces SET source = 'the same'")
            connection.commit()
            log = first_database.with_name("facesecure.db-wal").read_bytes()
            database_file = first_database.read_bytes()
        first_database.write_bytes(database_file)
        first_database.with_name("facesecure.db-wal").write_bytes(log)
        assert any(value in log for value in plain)
    with Store.open(state_dir) as store:
        assert found(state_dir, plain) == []
        assert len(store.templates(MODEL)) == 1
    assert found(state_dir, plain) == []
    assert len(found(state_dir, all_sealed_values(state_dir))) == 5


def test_a_migration_that_is_interrupted_begins_again(
    state_dir: Path, first_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, broken, ignore=shutil.ignore_patterns("__pycache__"))
    with (broken / "versions" / "0002_seen_faces.py").open("a") as file:
        file.write("\n\n_rest = _faces\n\n\ndef _faces() -> None:\n    raise KeyboardInterrupt\n")
    with monkeypatch.context() as patched:
        patched.setattr(database, "MIGRATIONS", broken)
        with pytest.raises(KeyboardInterrupt):
            Store.open(state_dir)
    assert database.inspect(first_database) == "0001"
    with Store.open(state_dir) as store:
        assert [person.faces for person in store.people()] == [2]


def test_alerts_find_their_sightings_and_nobody_has_reviewed_any(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        visit(store, "one", 1)
        store.outbox.write(Alert.about(sighting("one"), "A stranger is here."), [])
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection, connection:
        for index in ("ix_alerts_sighting", "ix_sightings_reviewed_at", "ix_sightings_source"):
            connection.execute(f"DROP INDEX {index}")
        connection.execute("ALTER TABLE alerts DROP COLUMN sighting")
        for table in ("passkeys", "push_subscriptions", "push_keys"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("ALTER TABLE sightings DROP COLUMN reviewed_at")
        _remove_tables_after_0011(connection)
        connection.execute("UPDATE alembic_version SET version_num = '0010'")
        for number, document in enumerate(("no JSON", "[]", '{"sighting": {"identifier": 7}}', '{"sighting": null}')):
            values = (f"other-{number}", "test", "2026-05-01 12:00:00.000000", document, "")
            connection.execute("INSERT INTO alerts VALUES (?, ?, ?, ?, ?)", values)
    with Store.open(state_dir) as store:
        visited = store.timeline.find("one")
        assert [one.alert.text for one in visited.alerts] == ["A stranger is here."]
        assert visited.reviewed_at is None
        assert store.timeline.to_review() == 1


def test_an_account_of_before_passkeys_gets_one(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        link = accounts.invite(store, "Anna", Role.OWNER)
        account = store.page.invitations.accept(token_hash(link.code), "a hash", utc_now())
        assert account is not None
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection, connection:
        _remove_tables_after_0011(connection)
        connection.execute("UPDATE alembic_version SET version_num = '0011'")
    with Store.open(state_dir) as store:
        made = store.page.passkeys.add(account, "phone", "localhost", b"id", b"key", 1, account.created_at)
        assert store.page.passkeys.find(b"id") == (made, account)
        assert store.page.accounts.problems() == []


def test_a_visit_of_before_its_mode_was_stored_is_kept(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        store.record(replace(sighting("one"), mode=Mode.AWAY))
    path = state_dir / "facesecure.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE sightings DROP COLUMN mode")
        remove_tables_after_0014(connection)
        connection.execute("UPDATE alembic_version SET version_num = '0013'")
    with Store.open(state_dir) as store:
        assert store.timeline.sighting("one").mode is None
        store.record(replace(sighting("two"), mode=Mode.OFF))
        store.update(replace(sighting("two"), closing=True))
        assert store.timeline.sighting("two").mode is Mode.OFF
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sightings SET mode = 'no mode'")
    with Store.open(state_dir) as store:
        assert store.timeline.sighting("two").mode is None


def _columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: connection.execute(f"PRAGMA table_info({table})").fetchall() for table in tables}
