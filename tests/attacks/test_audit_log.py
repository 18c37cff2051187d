"""Somebody can write every file of the state directory, and has no key: what they do to the audit log is noticed."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from facesecure.config import FacesecureConfig
from facesecure.domain.actors import current_actor
from facesecure.services import audit
from facesecure.services.diagnostics import CHECKS, CheckContext, run_checks
from facesecure.storage.audit_log import HEAD_NAME, LOG_NAME, AuditLog
from facesecure.storage.keys import KEY_NAME, KEY_VARIABLE, write_key
from support.faults.table import attack

MODES = ("home", "away", "off", "away", "home", "off")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory whose log has six entries and whose key is elsewhere."""
    write_key(tmp_path / KEY_NAME)
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / KEY_NAME))
    return recorded(tmp_path / "state")


def recorded(state: Path) -> Path:
    for mode in MODES:
        audit.record(state, "armed", mode)
    assert breaks(state) == []
    return state


def breaks(state: Path) -> list[str]:
    """The sentences of the log's breaks; the doctor has the first three of them."""
    found = [one.sentence for one in audit.verify(state).breaks]
    context = CheckContext(FacesecureConfig(), None, state)
    failed = [one.message for one in run_checks(context, {"audit": CHECKS["audit"]}) if one.health == "fail"]
    assert failed[:3] == found[:3]
    return found


def lines(state: Path) -> list[bytes]:
    return (state / LOG_NAME).read_bytes().splitlines(keepends=True)


def put(state: Path, changed: list[bytes]) -> None:
    (state / LOG_NAME).write_bytes(b"".join(changed))


def edited(line: bytes, **members: object) -> bytes:
    return json.dumps({**json.loads(line), **members}).encode() + b"\n"


@attack(
    "entry of the audit log edited",
    how="each of time, actor, origin, action, outcome, number, previous hash; mode in the text; text with a new salt",
)
def test_an_edited_entry_is_named(state: Path, saw: Callable[[str], None]) -> None:
    genuine = lines(state)
    (subject,) = json.loads(genuine[2])["subjects"]
    changes: list[dict[str, object]] = [
        {"at": "2026-01-01T00:00:00+00:00"}, {"actor": "tom"}, {"origin": "daemon"}, {"action": "calibrated"},
        {"outcome": "failed"}, {"previous": "0" * 64}, {"hash": "0" * 64}, {"macs": {}}, {"subjects": []},
        {"subjects": [{**subject, "text": "home"}]}, {"subjects": [{**subject, "text": "home", "salt": "00"}]},
        {"subjects": [{"commitment": subject["commitment"], "becomes": None, "macs": {}}]},
    ]  # fmt: skip
    for change in changes:
        put(state, [*genuine[:2], edited(genuine[2], **change), *genuine[3:]])
        found = breaks(state)
        assert found, change
        assert "entry 3" in found[0]
    put(state, [*genuine[:2], edited(genuine[2], number=40), *genuine[3:]])
    assert "entry 3 is missing" in breaks(state)
    saw(f"{len(changes) + 1} of {len(changes) + 1} noticed, and the entry named")


def test_whatever_byte_is_changed_is_noticed_or_changes_nothing(state: Path) -> None:
    audit.record(state, "person-enrolled", "Zoë")
    audit.forget_name(state, "Zoë", "Anna")
    content, entries, chance = (state / LOG_NAME).read_bytes(), audit.verify(state).entries, random.Random(4)
    noticed = 0
    for _ in range(300):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] = chance.randrange(256)
        (state / LOG_NAME).write_bytes(changed)
        found = audit.verify(state)
        noticed += bool(found.breaks)
        assert found.breaks or found.entries == entries
    assert noticed > 250


@attack("entry of the audit log removed", how="each of the first five of six; two in the middle; the first three")
def test_a_removed_entry_is_missed(state: Path, saw: Callable[[str], None]) -> None:
    genuine = lines(state)
    for number in range(5):
        put(state, [*genuine[:number], *genuine[number + 1 :]])
        assert breaks(state) == [f"entry {number + 1} is missing"]
    put(state, [*genuine[:2], *genuine[4:]])
    assert breaks(state) == ["entries 3 to 4 are missing"]
    put(state, genuine[3:])
    assert breaks(state) == ["entries 1 to 3 are missing"]
    saw("7 of 7 noticed, and the missing entries named")


@attack("entries of the audit log reordered", how="two neighbours swapped; all six turned around")
def test_reordered_entries_are_named(state: Path, saw: Callable[[str], None]) -> None:
    one, two, three, *rest = lines(state)
    put(state, [one, three, two, *rest])
    (sentence,) = breaks(state)
    assert sentence.startswith("entry 2 of ")
    assert sentence.endswith("is not in its place: it stands after entry 3")
    put(state, [one, two, three, *rest][::-1])
    assert len(breaks(state)) == 5
    saw("noticed, and each entry named that is not in its place")


@attack(
    "entry inserted into the audit log",
    how="made up, in the middle and at the end; a genuine one a second time; a checkpoint in front of the rest",
)
def test_an_inserted_entry_is_named(state: Path, saw: Callable[[str], None]) -> None:
    genuine = lines(state)
    put(state, [*genuine[:3], edited(genuine[2], actor="tom", number=4), *genuine[3:]])
    assert any("was changed, or not written by facesecure" in one for one in breaks(state))
    put(state, [*genuine, edited(genuine[5], actor="tom", number=7)])
    assert any(one.startswith("entry 7 of") for one in breaks(state))
    put(state, [*genuine, genuine[1]])
    assert any("is not in its place" in one for one in breaks(state))
    forged = {"checkpoint": 3, "hash": json.loads(genuine[2])["hash"], "at": "2026-01-01T00:00:00+00:00", "breaks": 0}
    put(state, [json.dumps({**forged, "macs": {}}).encode() + b"\n", *genuine[3:]])
    assert breaks(state) == [
        "the checkpoint in line 1 was not written there by facesecure", "entries 1 to 3 are missing",
    ]  # fmt: skip
    saw("4 of 4 noticed, and the entry named")


@attack(
    "end of the audit log cut off",
    how="the last two entries; all of them; the file; also its signed end; before the next entry and after it",
)
def test_a_log_that_was_cut_off_is_noticed_and_stays_so(state: Path, saw: Callable[[str], None]) -> None:
    genuine, head = lines(state), (state / HEAD_NAME).read_bytes()
    put(state, genuine[:4])
    why = "the end was cut off, or an older copy of the log was put back"
    assert breaks(state) == [f"the log ends at entry 4, and entries 5 to 6 are missing: {why}"]
    AuditLog(state).record(current_actor(), "armed", ["away"])
    assert breaks(state) == ["entries 5 to 6 are missing"]
    put(state, [])
    (state / HEAD_NAME).write_bytes(head)
    assert breaks(state) == [f"the log has no entry, and entries 1 to 6 are missing: {why}"]
    (state / LOG_NAME).unlink()
    assert breaks(state) == [f"the log has no entry, and entries 1 to 6 are missing: {why}"]
    put(state, genuine[:4])
    (state / HEAD_NAME).unlink()
    assert breaks(state) == [f"the signed end of the log, {state / HEAD_NAME}, is missing"]
    AuditLog(state).record(current_actor(), "armed", ["away"])
    (sentence,) = breaks(state)
    assert "the signed end of the log was missing or not genuine: entries before it may be missing" in sentence
    saw("6 of 6 noticed; the next entry does not cover it up")


@attack(
    "audit log replaced by an older copy",
    how="the log alone; with its signed end, while the daemon runs; the same with nothing running",
)
def test_an_older_copy_is_noticed(state: Path, tmp_path: Path, saw: Callable[[str], None]) -> None:
    shutil.copytree(state, tmp_path / "copy")
    for mode in MODES[:2]:
        audit.record(state, "armed", mode)
    end = audit.verify(state).end
    shutil.copy(tmp_path / "copy" / LOG_NAME, state)
    why = "the end was cut off, or an older copy of the log was put back"
    assert breaks(state) == [f"the log ends at entry 6, and entries 7 to 8 are missing: {why}"]
    shutil.copy(tmp_path / "copy" / HEAD_NAME, state)
    assert breaks(state) == [], "nothing in the state directory tells, unless somebody remembers"
    noted = [one.sentence for one in audit.verify(state, [f"8:{end.hash[:12]}"]).breaks]
    older = "an older copy of the state directory was put back, or a new log was begun"
    assert noted == [f"the log ends at entry 6, and had 8 entries before: {older}"]
    audit.record(state, "armed", "off")  # by a process that wrote entry 8
    assert breaks(state) == ["entries 7 to 8 are missing"]
    saw(
        "the log alone: noticed; with its signed end: noticed by the running daemon at the next entry, and with an end "
        "that the journal has (`facesecure audit verify --expect`)"
    )


@attack("audit log of another household", how="with and without its signed end; one of its entries among ours")
def test_a_log_of_another_household_is_noticed(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saw: Callable[[str], None]
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(write_key(tmp_path / "other.key").path))
        other = recorded(tmp_path / "other")
    genuine = lines(state)
    shutil.copy(other / LOG_NAME, state)
    why = "another household's, or from before the key was rotated"
    assert f"entries 1 to 6 are sealed with another key: {why}" in breaks(state)
    shutil.copy(other / HEAD_NAME, state)
    assert f"entries 1 to 6 are sealed with another key: {why}" in breaks(state)
    put(state, [*genuine[:3], lines(other)[3], *genuine[4:]])
    assert f"entry 4 is sealed with another key: {why}" in breaks(state)
    saw("3 of 3 noticed, and the entries named")


@attack(
    "damaged audit log",
    how="bytes that are no text, a number of 400 digits, a million brackets, 40 MB in a line, a pipe, a folder, a link",
)
def test_a_log_that_is_no_log_stops_nothing(state: Path, tmp_path: Path, saw: Callable[[str], None]) -> None:
    genuine = lines(state)
    for line in (b"\xff\xfe\x00", b'{"number":' + b"9" * 400 + b"}", b"[" * 1_000_000, b"x" * 40_000_000):
        put(state, [*genuine[:3], line + b"\n", *genuine[3:]])
        assert breaks(state) == ["line 4 cannot be understood: it is damaged or was changed"]
        audit.record(state, "armed", "home")
        genuine.append(lines(state)[-1])
        assert json.loads(genuine[-1])["number"] == len(genuine)
    (state / LOG_NAME).unlink()
    (state / LOG_NAME).mkdir()
    audit.record(state, "armed", "off")
    planted = f"{state / LOG_NAME} is a link or no regular file, so that nothing is recorded"
    assert breaks(state) == [planted]
    (state / LOG_NAME).rmdir()
    os.mkfifo(state / LOG_NAME)
    audit.record(state, "armed", "off")
    assert breaks(state) == [planted]
    (state / LOG_NAME).unlink()
    (state / LOG_NAME).symlink_to(tmp_path / "nowhere")
    audit.record(state, "armed", "off")
    assert (breaks(state), (tmp_path / "nowhere").exists()) == ([planted], False)
    (state / LOG_NAME).unlink()
    put(state, genuine)
    audit.record(state, "armed", "off")
    assert [entry.action for entry in audit.verify(state).entries][-2:] == ["entries-lost", "armed"]
    saw("each named; no action fails, and what could not be recorded is counted")
