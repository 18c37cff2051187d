"""``facesecure events``."""

import csv
import io
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.domain import Subject, VerdictKind
from support.people import enrolled_face, sighting


@pytest.fixture
def seen(store):
    store.add_person("Anna", [enrolled_face(1)])
    store.record(sighting(1))
    store.record(sighting(2, VerdictKind.KNOWN, "Anna", supersedes=sighting(1).identifier))
    store.record(sighting(3, VerdictKind.UNIDENTIFIED, snapshot=False))
    return store


def identifiers(outcome):
    return [event["id"][:8] for event in outcome.json["events"]]


def test_what_was_seen_is_listed_newest_first_without_what_was_corrected(facesecure, seen):
    assert identifiers(facesecure("events", "list", "--json")) == ["00000003", "00000002"]
    assert identifiers(facesecure("events", "list", "--all", "--json")) == ["00000003", "00000002", "00000001"]
    assert identifiers(facesecure("events", "list", "--limit", 1, "--json")) == ["00000003"]


def test_the_list_can_be_narrowed(facesecure, seen):
    assert identifiers(facesecure("events", "list", "--kind", "known", "--json")) == ["00000002"]
    assert identifiers(facesecure("events", "list", "--name", "anna", "--json")) == ["00000002"]
    assert identifiers(facesecure("events", "list", "--since", "2031-05-30T12:03+00:00", "--json")) == ["00000003"]
    assert identifiers(facesecure("events", "list", "--until", "2031-05-30T12:03+00:00", "--json")) == ["00000002"]


def test_the_table_tells_who_and_why(facesecure, seen):
    outcome = facesecure("events", "list")
    assert "Anna" in outcome.out
    assert "why 2" in outcome.out


def test_what_moved_without_a_face_is_told_in_the_table_in_json_and_in_csv(facesecure, seen):
    seen.record(replace(sighting(4, VerdictKind.UNIDENTIFIED), subject=Subject.PERSON))
    seen.record(replace(sighting(5, VerdictKind.UNIDENTIFIED), subject=Subject.NOTHING))
    assert "unidentified (person)" in " ".join(facesecure("events", "list").out.split())
    events = facesecure("events", "list", "--json").json["events"]
    assert [event["subject"] for event in events] == ["", "person", None, None]
    rows = list(csv.DictReader(io.StringIO(facesecure("events", "export", "--format", "csv").out)))
    assert [row["subject"] for row in rows] == ["", "", "person", ""]
    shown = facesecure("events", "show", "00000004").out.splitlines()
    assert ["subject", "person"] in [line.split() for line in shown]


@pytest.fixture
def two_cameras(seen, tmp_path, monkeypatch):
    """A front door with sightings, a gate with one, a new camera without any, and a shed whose camera is gone."""
    seen.record(replace(sighting(4), source="gate"))
    seen.record(replace(sighting(5), source="Gate"))  # as it was written once
    seen.record(replace(sighting(6), source="shed"))
    config = tmp_path / "facesecure.toml"
    config.write_text(
        "".join(f'[[cameras]]\nname = "{name}"\nsource = "dir:."\n' for name in ("gate", "front door", "yard"))
    )
    monkeypatch.setenv("FACESECURE_CONFIG", str(config))


def test_the_list_can_be_narrowed_to_a_camera(facesecure, two_cameras):
    assert identifiers(facesecure("events", "list", "--camera", "GATE", "--json")) == ["00000005", "00000004"]
    assert identifiers(facesecure("events", "list", "--camera", "shed", "--json")) == ["00000006"]
    known = facesecure("events", "list", "--camera", "front door", "--kind", "known", "--json")
    assert identifiers(known) == ["00000002"]
    nothing = facesecure("events", "list", "--camera", "yard")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "no sighting matches\n")
    lines = facesecure("events", "export", "--camera", "gate").out.splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["gate", "Gate"]


@pytest.mark.parametrize("command", ["list", "export"])
def test_a_camera_that_there_is_none_of_is_wrong_usage(facesecure, two_cameras, command):
    outcome = facesecure("events", command, "--camera", "frnt door")
    assert (outcome.code, outcome.out) == (2, "")
    assert "there is no camera called 'frnt door'" in outcome.err
    assert "did you mean 'front door'?" in outcome.err


def test_nothing_seen_is_said_on_stderr(facesecure):
    outcome = facesecure("events", "list")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "no sighting yet\n")
    assert facesecure("events", "list", "--json").json == {"events": []}


def test_a_name_that_no_one_has_is_said_to_be_unknown(facesecure, seen):
    outcome = facesecure("events", "list", "--name", "Nemo")
    assert (outcome.code, outcome.out) == (0, "")
    assert "no person called 'Nemo' is enrolled" in outcome.err
    listed = facesecure("events", "list", "--name", "Nemo", "--json")
    assert (listed.json, listed.err) == ({"events": []}, outcome.err)
    assert outcome.err in facesecure("events", "export", "--name", "Nemo").err


def test_a_time_nobody_understands_is_refused(facesecure):
    assert facesecure("events", "list", "--since", "soon").code == 2
    assert facesecure("events", "list", "--kind", "cat").code == 2
    assert facesecure("events", "list", "--limit", 0).code == 2


def test_one_event_is_shown_by_the_beginning_of_its_id(facesecure, seen):
    shown = facesecure("events", "show", "00000002", "--json").json
    assert (shown["verdict"], shown["name"], shown["supersedes"]) == ("known", "Anna", "00000001feed")
    assert Path(shown["snapshot"]).read_bytes()[:2] == b"\xff\xd8"
    assert "why 2" in facesecure("events", "show", "00000002").out
    assert facesecure("events", "show", "0000").code == 2  # several
    assert facesecure("events", "show", "ffff").code == 2  # none


def test_an_export_is_one_object_a_line_oldest_first(facesecure, seen):
    lines = [json.loads(line) for line in facesecure("events", "export", "--all").out.splitlines()]
    assert [line["id"][:8] for line in lines] == ["00000001", "00000002", "00000003"]


def test_an_export_named_csv_is_one(facesecure, seen, tmp_path):
    file = tmp_path / "seen.csv"
    outcome = facesecure("events", "export", "--output", file)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", f"2 sightings written to {file}\n")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["name"] for row in rows] == ["Anna", ""]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_export_that_cannot_be_written_says_so(facesecure, seen, tmp_path):
    assert "cannot write" in facesecure("events", "export", "-o", tmp_path / "none" / "x.csv").err
    assert facesecure("events", "export", "-o", tmp_path).code == 2


def test_a_person_who_may_be_a_picture_is_shown_as_one(facesecure, store):
    why = "its surroundings moved with the face (5 of 5 times)"
    store.record(replace(sighting(2, VerdictKind.KNOWN, "Anna"), doubt=why))
    assert "Anna, or a picture" in facesecure("events", "list").out
    assert why in facesecure("events", "show", "00000002").out
    assert facesecure("events", "show", "00000002", "--json").json["doubt"] == why
