"""Opening the database: permissions, damage, foreign files, and two processes at once."""

from __future__ import annotations

import inspect
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from facesecure.domain.errors import StoreError
from facesecure.storage import database
from facesecure.storage.store import Store
from facesecure.storage.tables import HEAD, Base
from support.databases.new import MigratedOnce
from support.store import enrolled_face, environment, run_python, sighting

NEXT = """
from alembic import op
revision, down_revision = "9999", "NOW"
def upgrade():
    op.execute("CREATE TABLE holidays (id INTEGER)")
""".replace("NOW", HEAD)


@pytest.fixture
def later_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package of a later release, with one more migration; returns that migration's file."""
    migrations = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    second = migrations / "versions" / "9999_holidays.py"
    second.write_text(NEXT)
    monkeypatch.setattr(database, "MIGRATIONS", migrations)
    monkeypatch.setattr(database, "HEAD", "9999")
    return second


def test_a_new_store_is_for_its_owner_only(state_dir: Path) -> None:
    with Store.open(state_dir) as store:
        store.record(sighting("one"))
        assert state_dir.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in state_dir.iterdir()} == {0o600}


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path) -> None:
    odd = tmp_path / "100% größe?mode=ro#1 'x'"
    with Store.open(odd) as store:
        store.record(sighting("one"))
    assert (odd / "facesecure.db").exists()


def test_every_connection_is_durable_and_checks_its_links(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_configure", inspect.unwrap(database._configure))  # as it is outside of tests
    with Store.open(state_dir) as store, store._database.read() as session:
        connection = session.connection()

        def pragma(name: str) -> object:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 2, "FULL: a commit survives a power cut"
        assert pragma("foreign_keys") == 1
        assert pragma("busy_timeout") == 10_000


def test_the_migrations_make_exactly_the_models(state_dir: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(database.MIGRATIONS)).get_current_head() == HEAD
    with Store.open(state_dir) as store, store._database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_alembic_is_loaded_only_to_migrate(state_dir: Path) -> None:
    code = """
import sys
from pathlib import Path
from facesecure.storage.store import Store
Store.open(Path(sys.argv[1])).close()
print("alembic" in sys.modules)
"""
    assert [run_python(code, state_dir).stdout.strip() for _ in range(2)] == ["True", "False"]


def test_migrations_leave_other_peoples_logging_alone(state_dir: Path) -> None:
    code = """
import logging, sys
from pathlib import Path
mine = logging.getLogger("mine")
logging.basicConfig(level=logging.INFO)
from facesecure.storage.store import Store
Store.open(Path(sys.argv[1])).close()
print(mine.disabled, logging.getLogger().level)
"""
    assert run_python(code, state_dir).stdout.split() == ["False", "20"]


def test_an_older_database_is_migrated_and_keeps_its_people(state_dir: Path, request: pytest.FixtureRequest) -> None:
    with Store.open(state_dir) as store:
        store.add_person("Tom", [enrolled_face()])
    request.getfixturevalue("later_version")
    with Store.open(state_dir) as store:
        assert [person.name for person in store.people()] == ["Tom"]
    assert database.inspect(state_dir / "facesecure.db") == "9999"


def test_the_tests_own_databases_are_those_that_the_migrations_make(tmp_path: Path) -> None:
    made = []
    once = MigratedOnce(database._migrate._migrate)  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "_migrate", once)
        for name in ("migrated", "like it"):
            Store.open(tmp_path / name).close()
            with closing(sqlite3.connect(tmp_path / name / "facesecure.db")) as connection:
                schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid")
                rows = [line for line in connection.iterdump() if line.startswith("INSERT") and '"keys"' not in line]
                made.append((schema.fetchall(), rows))
                assert connection.execute("SELECT count(*) FROM keys").fetchone() == (1,)
    assert made[0] == made[1]


def test_a_migration_that_fails_half_way_changes_nothing(state_dir: Path, later_version: Path) -> None:
    later_version.write_text(NEXT + '    op.execute("CREATE TABLE oops (")\n')
    with pytest.raises(Exception, match="incomplete input"):
        Store.open(state_dir)
    assert database.inspect(state_dir / "facesecure.db") is None
    later_version.write_text(NEXT)
    Store.open(state_dir).close()
    assert database.inspect(state_dir / "facesecure.db") == "9999"


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(
    state_dir: Path, later_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(state_dir) as store:
        store.record(sighting("one"))
    monkeypatch.undo()
    before = (state_dir / "facesecure.db").read_bytes()
    with pytest.raises(StoreError, match=r"newer facesecure.*'9999'") as caught:
        Store.open(state_dir)
    assert "upgrade" in (caught.value.hint or "")
    assert (state_dir / "facesecure.db").read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(state_dir: Path) -> None:
    state_dir.mkdir()
    (state_dir / "facesecure.db").write_text("holiday pictures, please keep\n" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(state_dir)
    assert (state_dir / "facesecure.db").read_text().startswith("holiday")


def test_somebody_elses_database_is_refused_and_left_as_it_is(state_dir: Path) -> None:
    state_dir.mkdir()
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection:
        connection.execute("CREATE TABLE recipes (id)")
    before = (state_dir / "facesecure.db").read_bytes()
    with pytest.raises(StoreError, match="not one of facesecure's"):
        Store.open(state_dir)
    assert (state_dir / "facesecure.db").read_bytes() == before


def test_a_damaged_database_is_told(state_dir: Path) -> None:
    Store.open(state_dir).close()
    path = state_dir / "facesecure.db"
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 5000)
    with pytest.raises(StoreError, match="damaged") as caught:
        Store.open(state_dir)
    assert "backup" in (caught.value.hint or "")


def test_an_empty_file_is_an_empty_store(state_dir: Path) -> None:
    state_dir.mkdir()
    (state_dir / "facesecure.db").touch()
    with Store.open(state_dir) as store:
        assert store.people() == []


def test_a_folder_in_the_databases_place_is_told(state_dir: Path) -> None:
    (state_dir / "facesecure.db").mkdir(parents=True)
    with pytest.raises(StoreError, match="is a folder"):
        Store.open(state_dir)


def test_a_file_in_the_state_directorys_place_is_told(state_dir: Path) -> None:
    state_dir.write_text("")
    with pytest.raises(StoreError, match="state directory"):
        Store.open(state_dir)


def test_a_place_where_nothing_can_be_made_is_told() -> None:
    with pytest.raises(StoreError, match="/proc/facesecure") as caught:
        Store.open(Path("/proc/facesecure"))
    assert "--state-dir" in (caught.value.hint or "")


_OPEN = """
import sys
from pathlib import Path
from facesecure.domain.errors import StoreError
from facesecure.storage.store import Store
try:
    Store.open(Path(sys.argv[1]))
except StoreError as error:
    print("told:", error)
"""


@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
def test_a_read_only_state_directory_is_told(state_dir: Path, existing: bool) -> None:
    state_dir.mkdir()
    if existing:
        Store.open(state_dir).close()
    mount = f"mount --bind {state_dir} {state_dir} && mount -o remount,ro,bind {state_dir}"
    done = run_python(_OPEN, state_dir, mount=mount)
    assert done.stdout.startswith("told: cannot"), done.stderr
    assert "--state-dir DIR" in done.stdout


def test_somebody_elses_state_directory_is_told(state_dir: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    Store.open(state_dir).close()
    code = f"import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n{_OPEN}"
    for folder in (state_dir, *(parent for parent in state_dir.parents if "pytest-of-" in str(parent))):
        folder.chmod(0o755)
    done = run_python("import facesecure.storage.store\n" + code, state_dir)
    assert done.stdout.startswith("told: cannot"), done.stderr
    assert "who owns" in done.stdout


def test_a_full_disk_is_told_when_the_store_is_made(state_dir: Path) -> None:
    state_dir.mkdir()
    done = run_python(_OPEN, state_dir, mount=f"mount -t tmpfs -o size=32k none {state_dir}")
    assert "the disk is full" in done.stdout, done.stderr


def test_two_processes_may_make_the_store_at_once(state_dir: Path) -> None:
    code = """
import sys
from pathlib import Path
from facesecure.storage import database
from facesecure.storage.store import Store
from support.store import enrolled_face, sighting
database.BUSY_SECONDS = 60.0  # a slow disk may make the two others take longer than the ten that are usual
with Store.open(Path(sys.argv[1])) as store:
    for number in range(10):
        store.record(sighting(f"{sys.argv[2]}-{number}"))
        store.add_person(f"{sys.argv[2]}-{number}", [enrolled_face()])
"""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, state_dir, name], stderr=subprocess.PIPE, text=True, env=environment()
        )
        for name in ("first", "second", "third")
    ]
    assert [(writer.communicate(timeout=180)[1], writer.returncode) for writer in writers] == [("", 0)] * 3
    with Store.open(state_dir) as store:
        assert len(store.sightings()) == len(store.people()) == store.people_revision() == 30


def test_a_database_held_for_too_long_is_told(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with Store.open(state_dir) as store, closing(sqlite3.connect(state_dir / "facesecure.db")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process") as caught:
            store.record(sighting("one"))
        assert "try again" in (caught.value.hint or "")
        holder.rollback()
        store.record(sighting("one"))


def test_a_reader_does_not_wait_for_a_writer(state_dir: Path) -> None:
    with Store.open(state_dir) as store, store._database.write():
        assert store.people() == []
