"""The audit log: what is written, what survives, what can be forgotten, and that it then still verifies."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facesecure.domain.actors import CONTROL_SOCKET, Actor
from facesecure.domain.errors import StoreError
from facesecure.storage.audit_check import Verification, check
from facesecure.storage.audit_entries import MOST_SUBJECTS
from facesecure.storage.audit_log import HEAD_NAME, LOCK_NAME, LOG_NAME, LOST, AuditLog
from facesecure.storage.audit_retention import prune
from facesecure.storage.keys import KEY_NAME, find_key, next_path, read_key, write_key
from facesecure.storage.store import Store
from support.faults.disks import fill, small_disk
from support.store import environment

ANNA = Actor("anna", CONTROL_SOCKET)
WRITER = """
import itertools, sys
from pathlib import Path
from facesecure.domain.actors import Actor
from facesecure.storage import audit_log
audit_log._PATIENCE = 60.0  # on a slow disk: the other one syncs, and whoever waits is not served in turn
log = audit_log.AuditLog(Path(sys.argv[1]))
for number in itertools.islice(itertools.count(), int(sys.argv[2])):
    log.record(Actor("anna", "command line"), "armed", [f"{sys.argv[3]}-{number}"])
    print(f"{sys.argv[3]}-{number}", flush=True)
"""


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "state")


def shown(found: Verification) -> list[str | None]:
    return [subject.shown for entry in found.entries for subject in entry.subjects]


def writer(log: AuditLog, count: int, name: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(log.folder), str(count), name]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment())


def test_entries_are_listed_as_they_were_recorded(log: AuditLog) -> None:
    at = datetime(2031, 5, 30, 18, 0, tzinfo=UTC)
    log.record(ANNA, "armed", ["away"], at=at)
    log.record(ANNA, "person-enrolled", ["Zoë Quartz"], "failed")
    found = check(log)
    assert (found.breaks, found.notes, found.lost) == ((), (), ())
    first, second = found.entries
    assert (first.number, first.at, first.actor, first.action, first.outcome) == (1, at, ANNA, "armed", "done")
    assert (second.number, second.outcome, second.previous) == (2, "failed", first.hash)
    assert shown(found) == ["away", "Zoë Quartz"]


def test_a_log_that_does_not_exist_is_complete(log: AuditLog) -> None:
    assert check(log) == Verification((), (), (), (), check(log).end)
    assert not log.folder.exists()


def test_many_and_long_subjects_are_bounded(log: AuditLog) -> None:
    log.record(ANNA, "people-exported", [f"person {number} \x1b[2J" + "x" * 500 for number in range(500)])
    (entry,) = check(log).entries
    assert len(entry.subjects) == MOST_SUBJECTS
    assert entry.subjects[-1].text == f"and {501 - MOST_SUBJECTS} more"
    assert all(len(subject.text or "") <= 120 and "\x1b" not in (subject.text or "") for subject in entry.subjects)
    assert log.path.stat().st_size < 20_000


def written(log: AuditLog) -> list[Path]:
    """Return what may hold a name: all but the key, which has all sorts of letters by chance."""
    return [path for path in log.folder.iterdir() if path.name != KEY_NAME]


def test_a_forgotten_name_leaves_no_trace_and_the_chain_holds(log: AuditLog) -> None:
    for subjects in (["Zoë"], ["visitor 7", "zoë"], ["Tom"]):
        log.record(ANNA, "person-enrolled", subjects)
    assert log.forget(lambda _, text: text.casefold() == "zoë", None) == 2
    log.record(ANNA, "armed", ["off"])
    assert shown(check(log)) == [None, "visitor 7", None, "Tom", "off"]
    assert check(log).breaks == ()
    assert all(b"Zo" not in path.read_bytes() for path in written(log))


def test_a_forgotten_name_goes_from_a_line_that_was_cut_short_or_damaged(log: AuditLog) -> None:
    log.record(ANNA, "armed", ["home"])
    with log.path.open("ab") as file:
        file.write(b'{"subjects":[{"text":"Zoe"\n{"text":"Zoe"')
    (log.folder / f".{LOG_NAME}.1.part").write_text("Zoe, by a process that was killed")
    log.forget(lambda _, text: text == "Zoe", None)
    assert all(b"Zoe" not in path.read_bytes() for path in written(log))
    assert [one.sentence for one in check(log).breaks] == ["line 2 cannot be understood: it is damaged or was changed"]


def test_a_renamed_person_is_shown_by_the_new_name_until_that_is_forgotten_too(log: AuditLog) -> None:
    log.record(ANNA, "person-enrolled", ["Ana"])
    log.forget(lambda _, text: text == "Ana", "Anna")
    assert (shown(check(log)), check(log).breaks) == (["Anna"], ())
    log.forget(lambda _, text: text == "Anna", None)
    assert (shown(check(log)), check(log).breaks) == ([None], ())


def test_a_rotated_key_seals_every_entry_again_and_the_old_one_none(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    with Store.open(tmp_path) as store:
        log.record(ANNA, "person-enrolled", ["Ana"])
        log.record(ANNA, "armed", ["away"])
        log.forget(lambda _, text: text == "Ana", "Anna")
        prune(log, None, max_bytes=1)
        ends, old = check(log).end, find_key(tmp_path)
        new = store.rotate_key()
    assert old is not None
    assert (check(log).breaks, check(log).end) == ((), ends), "the hashes stay, so that noted ends stay valid"
    assert old.identifier.encode() not in log.path.read_bytes()
    log.record(ANNA, "key-rotated")
    assert check(log).breaks == ()
    assert new.identifier.encode() in log.path.read_bytes()


def test_a_rotation_cut_short_leaves_a_log_that_fits_either_key(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.record(ANNA, "armed", ["away"])
    old = read_key(tmp_path / KEY_NAME)
    new = write_key(next_path(old))
    log.sign_again([old, new], trusted=old)
    assert check(log).breaks == ()
    next_path(old).replace(old.path)
    assert check(log).breaks == ()


def test_a_process_with_the_key_of_before_a_rotation_records_nothing_and_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(tmp_path)
    with Store.open(tmp_path) as store:
        log.record(ANNA, "armed", ["away"])
        (tmp_path / "credentials").mkdir()
        given = tmp_path / "credentials" / "facesecure.key"
        given.write_bytes((tmp_path / KEY_NAME).read_bytes())
        given.chmod(0o600)
        store.rotate_key()
    with monkeypatch.context() as patch:
        patch.setenv("CREDENTIALS_DIRECTORY", str(given.parent))
        with pytest.raises(StoreError, match="another key"):
            log.record(ANNA, "armed", ["off"])
    log.record(ANNA, "armed", ["home"])
    found = check(log)
    assert (found.breaks, [entry.action for entry in found.entries]) == ((), ["armed", LOST, "armed"])


def test_a_missing_key_is_never_replaced(tmp_path: Path) -> None:
    with Store.open(tmp_path):
        pass
    (tmp_path / KEY_NAME).unlink()
    with pytest.raises(StoreError, match="the key is missing"):
        AuditLog(tmp_path).record(ANNA, "armed", ["off"])
    assert not (tmp_path / KEY_NAME).exists()


def test_old_entries_are_pruned_behind_a_checkpoint_and_the_rest_verifies(log: AuditLog) -> None:
    now = datetime.now(UTC)
    for days in (400, 380, 2, 1):
        log.record(ANNA, "armed", [f"{days}"], at=now - timedelta(days=days))
    end = check(log).end
    assert prune(log, now - timedelta(days=365)) == 2
    found = check(log)
    assert (shown(found), found.breaks, found.end) == (["2", "1"], (), end)
    assert found.notes == (f"entries up to 2 ({(now - timedelta(days=380)).date()}) were pruned",)
    assert prune(log, now - timedelta(days=365)) == 0


def test_a_log_that_grows_too_large_loses_its_oldest_entries(log: AuditLog) -> None:
    for number in range(30):
        log.record(ANNA, "armed", [str(number)])
    for limit in (10_000, 5_000):
        prune(log, None, max_bytes=limit)
        assert log.path.stat().st_size <= limit
        assert (check(log).breaks, check(log).entries[-1].number) == ((), 30)


def test_pruning_everything_keeps_the_last_entry(log: AuditLog) -> None:
    for mode in ("home", "off"):
        log.record(ANNA, "armed", [mode])
    prune(log, datetime.now(UTC) + timedelta(days=1))
    log.record(ANNA, "armed", ["away"])
    assert (shown(check(log)), check(log).breaks) == (["off", "away"], ())


def test_breaks_are_still_counted_after_their_entries_are_pruned(log: AuditLog) -> None:
    for mode in ("home", "off", "away", "home"):
        log.record(ANNA, "armed", [mode])
    log.path.write_bytes(log.path.read_bytes().replace(b'"number":2', b'"number":2 ').replace(b'"off"', b'"xxx"'))
    assert len(check(log).breaks) == 1
    prune(log, None, max_bytes=1)
    assert check(log).breaks == ()
    assert "with 1 breaks among them" in check(log).notes[0]


def test_a_line_that_was_cut_short_by_a_power_cut_is_no_break(log: AuditLog) -> None:
    log.record(ANNA, "armed", ["away"])
    with log.path.open("ab") as file:
        file.write(b'{"number":2,"at":"20')
    assert check(log).breaks == ()
    log.record(ANNA, "armed", ["off"])
    assert (shown(check(log)), check(log).breaks) == (["away", "off"], ())


def test_a_head_that_is_one_entry_behind_is_no_break(log: AuditLog) -> None:
    log.record(ANNA, "armed", ["away"])
    before = (log.folder / HEAD_NAME).read_bytes()
    log.record(ANNA, "armed", ["off"])
    (log.folder / HEAD_NAME).write_bytes(before)
    assert check(log).breaks == ()
    log.record(ANNA, "armed", ["home"])
    assert (shown(check(log)), check(log).breaks) == (["away", "off", "home"], ())


def test_several_processes_write_one_chain(log: AuditLog) -> None:
    writers = [writer(log, 15, name) for name in ("one", "two")]
    said = [process.communicate(timeout=120)[0].split() for process in writers]
    found = check(log)
    assert found.breaks == ()
    assert [entry.number for entry in found.entries] == list(range(1, 31))
    for lines in said:
        assert [text for text in shown(found) if text in lines] == lines


def test_killed_writers_lose_nothing_that_they_reported(log: AuditLog) -> None:
    said = list[str]()
    for number in range(4):
        process = writer(log, 1000, f"life{number}")
        assert process.stdout is not None
        said += [process.stdout.readline().strip() for _ in range(3)]
        time.sleep(0.004 * number)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate(timeout=60)[0]
        said += [line.strip() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        found = check(log)
        assert found.breaks == ()
        assert set(said) <= set(shown(found))


def test_what_a_full_disk_keeps_from_being_recorded_is_counted(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "256k") as disk:
        log = AuditLog(disk)
        log.record(ANNA, "armed", ["home"])
        filler = fill(disk)
        room = 4096 - log.path.stat().st_size % 4096
        with pytest.raises(OSError, match="No space"):
            log.record(ANNA, "people-exported", [f"{number} " + "x" * 100 for number in range(room // 100 + 1)])
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                log.record(ANNA, "people-exported", ["x" * 100] * 20)
        assert AuditLog(disk).lost == 3
        assert check(log).breaks == ()
        assert check(log).lost == ("actions that could not be recorded since the last entry: 3",)
        filler.unlink()
        log.record(ANNA, "armed", ["off"])
        found = check(log)
        assert [entry.action for entry in found.entries] == ["armed", LOST, "armed"]
        assert (shown(found), found.breaks, found.lost) == (["home", "3", "off"], (), ())


def test_a_lock_that_is_never_released_delays_an_action_and_does_not_stop_it(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facesecure.storage.audit_log._PATIENCE", 0.2)
    log.record(ANNA, "armed", ["home"])
    with AuditLog(log.folder).locked():
        before = time.monotonic()
        with pytest.raises(StoreError, match=f"another process holds .*{LOCK_NAME}"):
            log.record(ANNA, "armed", ["off"])
        assert time.monotonic() - before >= 0.2
    log.record(ANNA, "armed", ["away"])
    assert [entry.action for entry in check(log).entries] == ["armed", LOST, "armed"]


def test_a_link_in_place_of_the_log_is_not_followed(log: AuditLog, tmp_path: Path) -> None:
    log.record(ANNA, "armed", ["home"])
    (tmp_path / "letter").write_text("a letter")
    log.path.unlink()
    (log.folder / LOG_NAME).symlink_to(tmp_path / "letter")
    with pytest.raises(OSError, match="symbolic links"):
        log.record(ANNA, "armed", ["off"])
    assert (tmp_path / "letter").read_text() == "a letter"
