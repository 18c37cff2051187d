"""``facesecure audit``."""

from __future__ import annotations

import pytest

from facesecure.domain.actors import command_line_actor
from support.store import enrolled_face

HEAD = ["number", "at", "user", "action", "about", "origin", "outcome"]


@pytest.fixture
def used(facesecure, store):
    """A command line after a mode was set, and a person renamed and forgotten."""
    store.add_person("Ana", [enrolled_face(1)])
    for words in (("arm", "away"), ("people", "rename", "Ana", "Anna"), ("people", "remove", "Anna", "--yes")):
        assert facesecure(*words).code == 0
    return facesecure


def test_who_did_what_is_listed_newest_last(used):
    header, *rows = used("audit").out.splitlines()
    assert header.split() == HEAD
    assert ["armed" in rows[0], "person-renamed" in rows[1], "person-removed" in rows[2]] == [True] * 3
    assert all("command line" in row and row.endswith("done") for row in rows)
    assert "somebody forgotten" in rows[2]
    assert "Anna" not in used("audit").out
    assert {entry["actor"] for entry in used("audit", "--json").json["entries"]} == {command_line_actor().name}


def test_the_list_is_what_audit_does_without_a_command(used):
    assert used("audit", "--limit", "1", "--json").json == used("audit", "list", "--limit", "1", "--json").json
    assert [entry["number"] for entry in used("audit", "--limit", "1", "--json").json["entries"]] == [3]
    assert used("audit", "--help").out.count("verify") > 1


def test_entries_are_filtered(used):
    assert [entry["action"] for entry in used("audit", "--action", "armed", "--json").json["entries"]] == ["armed"]
    assert [entry["subjects"] for entry in used("audit", "--subject", "AWAY", "--json").json["entries"]] == [["away"]]
    assert used("audit", "--since", "2099-01-01").err == "no entry matches\n"
    assert used("audit", "--actor", "nobody at all").err == "no entry matches\n"
    wrong = used("audit", "--action", "arm")
    assert (wrong.code, "did you mean 'armed'?" in wrong.err) == (2, True)


def test_nothing_recorded_is_no_error_and_makes_nothing(facesecure):
    assert facesecure("audit").err == "no entry yet\n"
    assert facesecure("audit", "verify").code == 0
    assert not facesecure.state.exists()


def test_a_complete_log_is_verified_with_its_end(used):
    said, end = used("audit", "verify").out.splitlines()
    assert said == "3 entries, and the chain is complete; it ends at"
    assert used("audit", "verify", "--expect", end[:20]).code == 0
    assert used("audit", "verify", "--json").json == {
        "ok": True, "entries": 3, "end": end, "breaks": [], "notes": [],
    }  # fmt: skip
    assert used("audit", "verify", "--expect", "nonsense").code == 2
    assert used("audit", "verify", "--expect", "9:" + "0" * 12).code == 1


def test_a_broken_log_is_said_by_verify_by_the_list_and_by_the_doctor(used):
    log = used.state / "audit.jsonl"
    first, _, third = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(first + third)
    broken = used("audit", "verify")
    assert (broken.code, broken.out) == (1, "entry 2 is missing\n")
    assert used("audit", "verify", "--json").json["breaks"] == [{"number": 2, "message": "entry 2 is missing"}]
    assert "facesecure audit verify" in used("audit").err
    assert used("audit", "--json").json["intact"] is False


def test_a_rotated_key_is_recorded(used):
    assert used("key", "rotate", "--yes").code == 0
    assert used("audit", "--json", "--limit", "1").json["entries"][0]["action"] == "key-rotated"
    assert used("audit", "verify").code == 0
