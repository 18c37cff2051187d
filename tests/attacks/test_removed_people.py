"""Nothing of who was removed is in any byte of any file, however the removal was done, interrupted or overtaken."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from facesecure.config import FacesecureConfig, StoreConfig
from facesecure.domain import Verdict, VerdictKind
from facesecure.domain.names import FORGOTTEN
from facesecure.recognition import calibration
from facesecure.services.audit import record
from facesecure.services.drill.report import DrillReport, Step, load_reports, save_report
from facesecure.services.people import finish_removals, forget_person, rename_person
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.signed_recordings import sign
from facesecure.storage.store import Store
from support.faults.table import attack
from support.faults.traces import SEALED, found, sealed_values, spellings, uids
from support.store import known, sighting
from support.visitors import CHOOSE, faces, known_to, visit

NAME = "Zoë Quartz"
CONFIG = FacesecureConfig()
NOW = datetime.now(UTC)
EVENTS = {"open", "os.remove", "os.rename", "os.link", "os.truncate", "sqlite3.connect"}
"""What Python reports before it is done; a kill before each, and so after each, is tried."""


@dataclass(frozen=True)
class Household:
    """A state directory in which NAME has left traces, and the pieces of them that must go and that may stay."""

    state: Path
    gone: list[bytes]
    kept: list[bytes]


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """A household after months: visits, a calibration, a drill, recordings, backups, a damaged database aside."""
    state = tmp_path_factory.mktemp("traces") / "state"
    random = np.random.default_rng(5)
    with Store.open(state) as store:
        store.add_person(NAME, known_to(1))
        store.add_person("Tom", known_to(2))
        for number in range(3):
            picture = random.integers(0, 256, (150, 200, 3), np.uint8)
            when = NOW - timedelta(days=number)
            made = sighting(f"hers-{number}", known(NAME), when, picture)
            store.record(replace(made, faces=faces(1, number)))
        toms = Verdict(VerdictKind.KNOWN, f"Tom, not {NAME}", "Tom", 0.7, NAME, 0.3, 9.0, 3)
        visit(store, "toms-visit", 2, verdict=toms, when=NOW - timedelta(hours=5))
        visit(store, "unknown", 3, when=NOW - timedelta(hours=7))
        visit(store, "unrecognised", 1, 4, when=NOW - timedelta(hours=9))
        sealed_before = {table: sealed_values(state, table) for table in SEALED}
        owned = [store.sighting(f"hers-{number}").snapshot for number in range(3)]
        pictures = [path.read_bytes()[2000:2064] for path in owned if path]
        hers = sealed_values(state, "faces", "person_id = 1") + sealed_values(state, "templates", "person_id = 1")
        hers += sealed_values(state, "seen_faces", "sighting LIKE 'hers%' OR sighting = 'unrecognised'")
        store._database.back_up()
    kept = [one for values in sealed_before.values() for one in values if one not in hers]
    plain = [*spellings(NAME), *uids(state)[:2]]
    shutil.copy(state / "facesecure.db", state / "backups" / "damaged-20260101T000000.0Z.db")
    shutil.copy(state / "facesecure.db", state / "backups" / ".facesecure-000009-20260101.db.part1")
    leave_files(state)
    return Household(state, [*pictures, *hers, *plain], kept)


def leave_files(state: Path) -> None:
    """A calibration, reports of drills, recordings, a chart and the audit log, all with the name."""
    record(state, "visitor-named", "visitor 7", NAME.upper())
    SignedDocuments(state).write(calibration.FILE_NAME, {"people": {NAME: {}}, "made_by": "an earlier version"})
    (state / calibration.CHART_NAME).write_bytes(NAME.encode())
    report = DrillReport(
        NOW, (Step("judged", 1.0, note=f"3 faces, 0.2 like {NAME} at most"),), True, True, f"not {NAME}"
    )
    save_report(report, state)
    (state / "drills" / "old.json").write_text(f"{NAME} unsigned")
    (state / "drills" / ".half.part").write_text(NAME)
    (state / "facesecure.db-deferred.damaged").write_text(NAME)
    (state / "speech").mkdir(mode=0o700)
    sign(state / "speech" / f"{'ab' * 32}.mp3", NAME.encode() + bytes(100))


def copy_of(household: Household, folder: Path) -> Path:
    state = folder / "state"
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(household.state, state)
    return state


def require_nothing_left(state: Path, household: Household) -> None:
    left = found(state, household.gone)
    assert left == []
    names = [str(path) for path in state.rglob("*") if "hers" in path.name or "unrecognised" in path.name]
    assert names == []


def test_the_traces_are_there_before(household):
    assert len(found(household.state, household.gone)) > len(household.gone) - 16, "capital and wide spellings are not"
    assert found(household.state, [NAME.encode()])
    assert found(household.state, household.kept) == household.kept


def test_after_a_removal_nothing_is_left_and_what_is_others_stays(household, tmp_path):
    state = copy_of(household, tmp_path)
    with Store.open(state) as store:
        forget_person(store, CONFIG, state, NAME)
        require_nothing_left(state, household)  # while it is open: the log counts, too
        assert {one.name for one in store.sightings(name=None)} >= {"Tom", FORGOTTEN}
        assert FORGOTTEN in store.sighting("toms-visit").verdict.why
        assert len(store.faces_seen("unknown")) == 3
    require_nothing_left(state, household)
    assert sorted(found(state, household.kept)) == sorted(household.kept)
    (report,) = load_reports(state)
    assert report.steps[0].note == f"3 faces, 0.2 like {FORGOTTEN} at most"


def test_a_rename_leaves_the_old_name_nowhere(household, tmp_path):
    state = copy_of(household, tmp_path)
    with Store.open(state) as store:
        rename_person(store, CONFIG, state, NAME, "Zelda")
        assert found(state, spellings(NAME)) == []
    assert found(state, spellings(NAME)) == []
    (report,) = load_reports(state)
    assert report.why == "not Zelda"


def test_removed_then_rotated_or_expired_nothing_comes_back(household, tmp_path):
    state = copy_of(household, tmp_path)
    with Store.open(state) as store:
        forget_person(store, CONFIG, state, NAME)
        store.rotate_key()
        require_nothing_left(state, household)
        assert found(state, household.kept) == [], "all is encrypted again"
        store.prune(StoreConfig(keep_days=1), NOW + timedelta(days=400))
        store._database.forget()
    assert found(state, [b"toms-visit", b"unknown", b"hers-"]) == [], "expired sightings are in no file"
    assert not list(state.rglob("*.jpg"))


def test_a_forgotten_visitor_is_nowhere(household, tmp_path):
    state = copy_of(household, tmp_path)
    theirs = sealed_values(state, "seen_faces", "sighting = 'unknown'")
    with Store.open(state) as store:
        path = store.sighting("unknown").snapshot
        assert path is not None
        number = store.visitors.group("unknown", CHOOSE)
        assert number is not None
        store.visitors.forget(number)
        assert not path.exists()
    assert found(state, theirs) == []


@pytest.mark.slow
@attack(
    "removal that is killed",
    how="`people remove` killed before each file that it opens, deletes or renames, and each connection to the "
    "database; then any command",
)
def test_a_removal_killed_at_any_step_is_finished_by_the_next_command(household, tmp_path, saw):
    kills, half_done = 0, 0
    while True:
        state = copy_of(household, tmp_path)
        if not killed_at(kills + 1, state):
            break
        kills += 1
        with Store.open(state) as store:
            removed = NAME not in {person.name for person in store.people()}
            finish_removals(store, CONFIG, state)
            if not removed:
                forget_person(store, CONFIG, state, NAME)
            assert store.removals.named() == []
        half_done += removed
        require_nothing_left(state, household)
        assert sorted(found(state, household.kept)) == sorted(household.kept)
    assert kills > 20, "too few moments to prove anything"
    assert 5 < half_done < kills
    saw(f"killed at {kills} moments, {half_done} of them half-way: the next command finished it, nothing was left")


def killed_at(step: int, state: Path) -> bool:
    """Remove NAME in a process that is killed before its ``step``-th event. Returns False if it came to its end."""
    child = os.fork()
    if not child:
        code = 1
        try:
            with Store.open(state) as store:
                kill_before(step)
                forget_person(store, CONFIG, state, NAME)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def kill_before(step: int) -> None:
    left = step

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event not in EVENTS or (event == "open" and not _writes(arguments)):
            return
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
