"""What the use cases record in the audit log, by whom, and that none fails for it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.config import FacesecureConfig
from facesecure.domain import VerdictKind
from facesecure.domain.actors import CONTROL_SOCKET, DAEMON, Actor, acting
from facesecure.domain.errors import StoreError, UsageError
from facesecure.services import audit
from facesecure.services.corrections import correct_to_stranger
from facesecure.services.people import export_people, forget_person, remove_face, rename_person
from facesecure.services.visitors import forget_visitor
from facesecure.storage.store import Store
from support.store import enrolled_face, known, sighting
from support.visitors import CHOOSE, known_to, visit

CONFIG = FacesecureConfig()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state") as opened:
        yield opened


def told(store: Store) -> list[tuple[str, ...]]:
    """Each entry of a log that verifies: its action, what it is about, and its outcome unless it is done."""
    found = audit.verify(store.state_dir)
    assert found.breaks == ()
    return [
        (entry.action, *(one.shown or "-" for one in entry.subjects), *([] if entry.outcome == "done" else ["failed"]))
        for entry in found.entries
    ]


def test_people_are_audited_and_forgotten_here_too(store: Store) -> None:
    store.add_person("Ana", [enrolled_face(1), enrolled_face(2)])
    store.add_person("Tom", [enrolled_face(3)])
    export_people(store, io.BytesIO(), lambda: "correct horse battery")
    remove_face(store, "Ana", store.face_numbers("Ana")[0])
    rename_person(store, CONFIG, store.state_dir, "Ana", "Anna")
    assert told(store) == [
        ("people-exported", "Anna", "Tom"), ("face-removed", "Anna", "face 1"), ("person-renamed", "Anna"),
    ]  # fmt: skip
    forget_person(store, CONFIG, store.state_dir, "anna")
    assert told(store) == [
        ("people-exported", "-", "Tom"), ("face-removed", "-", "face 1"), ("person-renamed", "-"),
        ("person-removed", "-"),
    ]  # fmt: skip
    content = (store.state_dir / "audit.jsonl").read_bytes().lower()
    assert b"ana" not in content
    assert b"anna" not in content


def test_whoever_is_called_off_takes_no_mode_along(store: Store) -> None:
    store.add_person("Off", [enrolled_face(1)])
    audit.record(store.state_dir, "armed", "off")
    forget_person(store, CONFIG, store.state_dir, "Off")
    assert told(store) == [("armed", "off"), ("person-removed", "-")]


def test_visitors_and_corrections_are_audited(store: Store) -> None:
    store.add_person("Anna", known_to(1))
    visit(store, "visit-1", 2)
    visit(store, "visit-2", 3, verdict=known("Anna"))
    (visitor,) = store.visitors.all()
    forget_visitor(store, visitor.identifier)
    assert store.sighting("visit-2").kind is VerdictKind.KNOWN
    correct_to_stranger(lambda: CHOOSE, store, "visit-2", None)
    assert told(store) == [
        ("visitor-forgotten", f"visitor {visitor.identifier}"), ("sighting-corrected", "event visit-2", "a stranger"),
    ]  # fmt: skip


def test_wrong_usage_is_no_action(store: Store) -> None:
    with pytest.raises(UsageError):
        forget_person(store, CONFIG, store.state_dir, "Nobody Here")
    assert told(store) == []


def test_what_fails_is_recorded_without_the_name_of_who_may_not_exist(store: Store) -> None:
    with pytest.raises(StoreError), audit.audited(store.state_dir, "person-enrolled", "Zoë"):
        raise StoreError("the disk is full")
    assert told(store) == [("person-enrolled", "failed")]


def test_who_acts_is_recorded(store: Store) -> None:
    with acting(Actor("anna", CONTROL_SOCKET)):
        audit.record(store.state_dir, "armed", "off")
    audit.record(store.state_dir, "started", actor=DAEMON)
    entries = audit.verify(store.state_dir).entries
    assert [entry.actor for entry in entries] == [Actor("anna", CONTROL_SOCKET), DAEMON]


def test_an_action_does_not_fail_because_it_cannot_be_recorded(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.add_person("Ana", [enrolled_face(1)])
    (store.state_dir / "audit.jsonl").mkdir()
    rename_person_without_log = store.rename_person("Ana", "Anna")
    with audit.audited(store.state_dir, "person-renamed", "Anna"):
        pass
    assert rename_person_without_log.name == "Anna"
    assert "not recorded in the audit log: person-renamed" in caplog.text
    (store.state_dir / "audit.jsonl").rmdir()
    audit.record(store.state_dir, "armed", "off")
    assert told(store) == [("entries-lost", "1"), ("armed", "off")]


def test_each_entry_can_be_found_again_by_the_line_in_the_journal(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        audit.record(store.state_dir, "person-enrolled", "Zoë")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "facesecure.services.audit"]
    assert "Zoë" not in line
    noted = line.split()[1]
    assert audit.verify(store.state_dir, [noted]).breaks == ()
    (found,) = audit.verify(store.state_dir, [noted[:8] + "0" * 8]).breaks
    assert found.sentence == "entry 1 is another one than the one that was noted: the log was replaced"
    with pytest.raises(UsageError, match="no end of an audit log"):
        audit.verify(store.state_dir, ["1:ab"])


def test_the_daemon_prunes_the_log(store: Store) -> None:
    for mode in ("home", "off"):
        audit.record(store.state_dir, "armed", mode)
    store.prune(CONFIG.store)
    assert len(told(store)) == 2
    store.prune(CONFIG.store.model_copy(update={"audit_days": 1e-9}))
    assert told(store) == [("armed", "off")]


def test_entries_are_chosen(store: Store) -> None:
    store.record(sighting("one"))
    for action, subject in (("armed", "off"), ("drill-begun", "Front door"), ("armed", "away")):
        audit.record(store.state_dir, action, subject)
    entries = audit.verify(store.state_dir).entries
    by = entries[0].actor.name
    assert audit.select(entries, audit.Wanted()) == list(entries)
    assert audit.select(entries, audit.Wanted(action="armed", actor=by)) == [entries[0], entries[2]]
    assert audit.select(entries, audit.Wanted(subject="front DOOR")) == [entries[1]]
    assert audit.select(entries, audit.Wanted(since=entries[2].at)) == [entries[2]]
    assert audit.select(entries, audit.Wanted(actor="nobody")) == []
    with pytest.raises(UsageError, match="no action 'arm'"):
        audit.select(entries, audit.Wanted(action="arm"))
