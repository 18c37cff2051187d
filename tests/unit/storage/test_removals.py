"""What goes with a person who is removed, and what may still be written afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.config import StoreConfig
from facesecure.domain import Alert, AlertKind, Sighting, Subject, Verdict, VerdictKind
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus, PlannedDelivery
from facesecure.domain.names import FORGOTTEN
from facesecure.storage import database
from facesecure.storage.store import Store
from support.faults.traces import found, sealed_values, spellings
from support.store import STRANGER, known, sighting
from support.visitors import faces, known_to, visit

NAME = "Zoë Quartz"
NOW = datetime.now(UTC)
GREY = 128


@pytest.fixture
def daemon(state_dir: Path) -> Iterator[Store]:
    """The store of a running daemon, which is not told of removals."""
    with Store.open(state_dir, resident=True) as opened:
        yield opened


@pytest.fixture
def household(store: Store) -> Store:
    store.add_person(NAME, known_to(1))
    store.add_person("Tom", known_to(2))
    return store


def scene() -> np.ndarray:
    """A smooth picture, which JPEG keeps as it is, within a value or two."""
    row = np.linspace(20, 90, 200).astype(np.uint8)
    return np.repeat(np.repeat(row[None, :, None], 150, 0), 3, 2)


def made(identifier: str, person: int, verdict: Verdict = STRANGER, when: datetime = NOW) -> Sighting:
    """A visit of ``person`` with faces and a snapshot of the whole scene."""
    return replace(sighting(identifier, verdict, when, scene()), faces=faces(person))


def shown(store: Store, identifier: str) -> np.ndarray:
    path = store.sighting(identifier).snapshot
    assert path is not None
    return cv2.imread(str(path))


def without_name(state_dir: Path) -> bool:
    return found(state_dir, spellings(NAME)) == []


def test_of_a_snapshot_taken_while_the_person_stood_there_too_only_the_own_face_stays(household):
    household.record(made("hers", 1, known(NAME)))
    household.record(made("beside", 3, when=NOW + timedelta(seconds=3)))
    household.record(made("before", 3, when=NOW - timedelta(minutes=5)))
    household.remove_person(NAME)
    image = shown(household, "beside")
    assert abs(image[20, 10].astype(int) - scene()[20, 10]).max() < 12, "the face of the visit itself"
    assert abs(image[100:, 100:].astype(int) - GREY).max() < 6, "nothing of who stood beside it"
    assert household.sighting("hers").snapshot is None
    assert abs(shown(household, "before")[100, 100].astype(int) - scene()[100, 100]).max() < 6


@pytest.mark.parametrize("subject", [None, Subject.PERSON], ids=str)
def test_a_snapshot_without_a_face_of_its_own_goes_when_the_person_stood_there(household, subject):
    """A box around somebody seen from behind is no face's: it may be the person's own."""
    household.record(made("hers", 1, known(NAME)))
    movement = replace(made("movement", 3, Verdict(VerdictKind.UNIDENTIFIED, "no face")), track=None, faces=())
    movement = replace(movement, subject=subject, box=movement.box if subject else None)
    path = household.record(movement).snapshot
    assert path is not None
    household.remove_person(NAME)
    assert not path.exists()
    assert household.sighting("movement").snapshot is None


def test_visits_in_which_the_person_was_not_recognised_are_theirs_too(household):
    number = visit(household, "unrecognised", 1, when=NOW - timedelta(days=2))
    other = visit(household, "other", 3, when=NOW - timedelta(days=2, hours=1))
    assert number != other
    household.remove_person(NAME)
    assert household.faces_seen("unrecognised") == []
    assert household.sighting("unrecognised").snapshot is None
    assert [one.identifier for one in household.visitors.all()] == [other]
    assert len(household.faces_seen("other")) == 3


@pytest.mark.parametrize("verdict", [known(NAME), replace(known("Tom"), second_name=NAME, why=f"more than {NAME}")])
def test_a_visit_that_ends_after_the_removal_brings_nothing_back(household, daemon, state_dir, verdict):
    visit_of_hers = made("open", 1 if verdict.name == NAME else 2, verdict)
    daemon.record(visit_of_hers)
    household.remove_person(NAME)
    daemon.update(replace(visit_of_hers, closing=True, last_seen=NOW + timedelta(minutes=1)))
    assert without_name(state_dir)
    stored = household.sighting("open")
    assert stored.last_seen == NOW + timedelta(minutes=1)
    if verdict.name == NAME:
        assert stored.name == FORGOTTEN
        assert stored.snapshot is None
        assert household.faces_seen("open") == []
        assert list(state_dir.glob("snapshots/*/*/*/open.jpg")) == []
    else:
        assert stored.name == "Tom"
        assert len(household.faces_seen("open")) == 3
        assert abs(shown(household, "open")[100:, 100:].astype(int) - GREY).max() < 6


def test_a_daemon_that_has_not_noticed_yet_records_nobody(household, daemon, state_dir):
    household.remove_person(NAME)
    daemon.record(made("late", 1, known(NAME.upper()), when=datetime.now(UTC)))
    daemon.record(replace(made("later", 1, when=datetime.now(UTC)), supersedes="late"))
    assert household.sighting("late").name == FORGOTTEN
    assert household.faces_seen("late") == household.faces_seen("later") == []
    assert household.sighting("late").snapshot is None
    assert without_name(state_dir)
    assert list(household.sightings(name=NAME)) == []


def test_alerts_and_their_errors_are_written_without_the_name(household, daemon, state_dir):
    seen = made("open", 1, known(NAME))
    path = daemon.record(seen).snapshot
    household.remove_person(NAME)
    text, speech = f"{NAME} is at the front door", f"It is {NAME}, or {NAME}'s twin."
    alert = Alert(AlertKind.KNOWN, text, speech, replace(seen, snapshot=None, faces=()), path)
    daemon.outbox.write(alert, [PlannedDelivery("log", NOW + timedelta(hours=1))])
    failed = DeliveryStatus(DeliveryState.PENDING, 1, "log", f"cannot say '{NAME}' ({NAME.casefold()}!)", NOW)
    daemon.outbox.mark(alert.identifier, "log", failed)
    (stored,) = household.outbox.pending()
    assert stored.alert.text == f"{FORGOTTEN} is at the front door"
    assert stored.alert.speech == f"It is {FORGOTTEN}, or {FORGOTTEN}'s twin."
    assert stored.alert.snapshot_path is None
    assert stored.deliveries[0].status.error == f"cannot say '{FORGOTTEN}' ({FORGOTTEN}!)"
    assert without_name(state_dir)


def test_who_is_renamed_is_written_under_the_new_name_from_then_on(household, daemon, state_dir):
    seen = made("open", 1, known(NAME))
    daemon.record(seen)
    household.rename_person(NAME, "Zelda")
    daemon.update(replace(seen, closing=True))
    daemon.record(made("late", 1, known(NAME), when=datetime.now(UTC)))
    assert {one.name for one in household.sightings()} == {"Zelda"}
    assert len(household.faces_seen("late")) == 3
    household.removals.finish(household.removals.named()[0])
    assert without_name(state_dir)


def test_who_is_enrolled_again_is_written_again(household, daemon):
    household.remove_person(NAME)
    household.add_person(NAME, known_to(1))
    daemon.record(made("again", 1, known(NAME), when=datetime.now(UTC)))
    assert household.sighting("again").name == NAME
    assert len(household.faces_seen("again")) == 3


def test_an_open_visit_of_a_forgotten_visitor_ends_without_faces(household, daemon):
    seen = made("open", 3)
    daemon.record(seen)
    daemon.update(replace(seen, closing=True))
    number = household.visitors.group("open", lambda *_: None)
    assert number
    household.visitors.forget(number)
    daemon.update(replace(seen, closing=True))
    assert household.faces_seen("open") == []
    assert household.sighting("open").snapshot is None
    assert household.removals.named() == []


def test_nothing_is_left_to_do_and_what_was_removed_is_remembered_for_a_week_only(household, state_dir):
    household.remove_person(NAME)
    (left,) = household.removals.named()
    assert left.erased
    household.removals.finish(left)
    assert household.removals.named() == []
    household.prune(StoreConfig(), datetime.now(UTC) + timedelta(days=8))
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection:
        # the hash of a random number stays, which tells other doors that somebody was removed
        assert [what[:7] for (what,) in connection.execute("SELECT what FROM forgotten")] == ["person:"]
    household.prune(StoreConfig(), datetime.now(UTC) + timedelta(days=4 * 365))
    assert not household.removals.removed_people()


def test_the_key_may_change_while_a_removal_is_not_finished(household):
    household.remove_person(NAME)
    household.rotate_key()
    (left,) = household.removals.named()
    assert left.name == NAME


def test_while_another_process_reads_the_log_a_removal_is_not_finished(household, state_dir, monkeypatch):
    monkeypatch.setattr(database, "_CHECKPOINT_TIMEOUT", 0.1)
    before = [one for table in ("faces", "templates") for one in sealed_values(state_dir, table, "person_id = 1")]
    with closing(sqlite3.connect(state_dir / "facesecure.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM faces").fetchone()
        household.remove_person(NAME)
        assert not household.removals.named()[0].erased
        assert found(state_dir, before) != [], "the log has them, for the reader"
    household.removals.erase()
    assert household.removals.named()[0].erased
    assert found(state_dir, before) == []
