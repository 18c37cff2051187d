"""Somebody can write every file of the state directory, and has no key: they decide nothing about who is known."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from facesecure.app.demo.demo import enrol
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS, GRACE_HOPPER
from facesecure.domain import Alert
from facesecure.domain.deliveries import PlannedDelivery
from facesecure.domain.errors import StoreError
from facesecure.recognition.calibration import FILE_NAME
from facesecure.storage.keys import KEY_NAME, KEY_VARIABLE
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.signed_recordings import is_genuine
from facesecure.storage.store import Store
from facesecure.vision.inference.card_files import bundled_directory
from support.builders import NOON
from support.faults.film import Caller, film
from support.faults.household import Home
from support.faults.table import attack
from support.service.commandline import CommandLine, own_settings, write_picture
from support.service.journey import config_for
from support.store import enrolled_face, known, sighting
from support.visitors import CHOOSE, faces, visit

GRACE, EILEEN = GRACE_HOPPER.name, EILEEN_COLLINS.name
OLD_DUMP = Path(__file__).parents[1] / "support" / "databases" / "version_0_1.sql"
OLD_KEY = "facesecure-key-1:6ZzOrsPsa7Km24/AZAP9mu36Kva+TSnDeqBHe92dU0A=\n"
OFF = json.dumps({"version": 1, "mode": "off", "since": None})
ROWS = "(person_id, crop_png, embedding, model_sha256, quality, source, added_at, sighting)"
"""The columns of a face beside its number."""


@pytest.fixture(scope="session")
def two_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with its key beside it; Grace and Eileen are enrolled, and it is calibrated."""
    folder = tmp_path_factory.mktemp("two_people")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(folder / KEY_NAME))
        (folder / "state").mkdir(mode=0o700)
        (folder / KEY_NAME).write_text(OLD_KEY)
        (folder / KEY_NAME).chmod(0o600)
        enrol(config_for(folder / "none.mp4"), folder / "state")
    return folder


@pytest.fixture
def facesecure(
    two_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command line on a copy of it, whose key is elsewhere."""
    state = own_settings(tmp_path, monkeypatch)
    shutil.copytree(two_people / "state", state)
    shutil.copy2(two_people / KEY_NAME, tmp_path / KEY_NAME)
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / KEY_NAME))
    write_picture(tmp_path / "grace.png", GRACE_HOPPER.image())
    write_picture(tmp_path / "eileen.png", EILEEN_COLLINS.image())
    return CommandLine(state, capfd)


def who(facesecure: CommandLine, photo: str) -> str | None:
    """The name that the face in a photo is given."""
    outcome = facesecure("identify", facesecure.state.parent / f"{photo}.png", "--json")
    assert outcome.code == 0, outcome.err
    (face,) = outcome.json["images"][0]["faces"]
    name: str | None = face["name"]
    return name


def doctor(facesecure: CommandLine, check: str) -> list[str]:
    """What the doctor finds wrong of one check."""
    found = facesecure("doctor", "--json").json["checks"]
    return [one["message"] for one in found if one["check"].startswith(check) and one["status"] == "fail"]


def sql(state: Path, *statements: str) -> None:
    with closing(sqlite3.connect(state / "facesecure.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def rows(state: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(state / "facesecure.db")) as connection:
        return connection.execute(query).fetchall()


def laxer(document: dict[str, Any]) -> dict[str, Any]:
    """The calibration, with which Grace is whoever comes."""
    person = document["people"][GRACE]
    person["impostor"] |= {"mean": -0.99, "sd_between": 0.001, "sd_within": 0.001}
    person["genuine"] |= {"mean": 0.0, "sd_between": 1.0, "sd_within": 1.0}
    return {**document, "false_accept": 0.5}


@attack(
    "calibration.json is edited",
    how="a member's thresholds are lowered until a stranger passes, with the old signature, with none, with that of "
    "another file",
)
def test_an_edited_calibration_is_refused_and_the_default_holds(
    facesecure: CommandLine, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    assert facesecure("calibrate").code == 0
    path, documents = facesecure.state / FILE_NAME, SignedDocuments(facesecure.state)
    genuine = json.loads(path.read_bytes())
    assert (who(facesecure, "grace"), who(facesecure, "eileen")) == (GRACE, None)
    documents.write(FILE_NAME, laxer(documents.read(FILE_NAME)))
    assert who(facesecure, "eileen") == GRACE, "with the key it would let her in"
    documents.write("arming.json", laxer(documents.read(FILE_NAME)))
    foreign = json.loads((facesecure.state / "arming.json").read_bytes())
    (facesecure.state / "arming.json").unlink()
    edited = laxer(json.loads(json.dumps(genuine)))
    for planted in (edited, {name: edited[name] for name in edited if name != "signature"}, foreign):
        path.write_text(json.dumps(planted))
        caplog.clear()
        assert (who(facesecure, "grace"), who(facesecure, "eileen")) == (GRACE, None)
        assert "calibration.json was not written by facesecure with this key, or was changed since" in caplog.text
        (problem,) = doctor(facesecure, "calibration")
        assert "it is not used" in problem
        assert len(doctor(facesecure, "signatures")) == 1
    assert facesecure("calibrate").code == 0
    assert doctor(facesecure, "signatures") == []
    saw("3 of 3 refused: log and doctor say so, the safe default holds, `calibrate` mends it")


@attack(
    "mode, history of alerts and drills are edited",
    how="arming.json says off; told.json says that everybody has been announced; a drill that never was went well",
)
def test_a_planted_mode_disarms_nobody_and_planted_history_silences_nothing(
    two_people: Path, tmp_path: Path, saw: Callable[[str], None]
) -> None:
    shutil.copytree(two_people / "state", tmp_path / "state")
    film(tmp_path / "door.mp4", 20, [Caller(EILEEN_COLLINS, 1)])
    home = Home(tmp_path, tmp_path / "door.mp4", {KEY_VARIABLE: str(two_people / KEY_NAME)})
    try:
        assert home.run("arm", "away").returncode == 0
        (home.state / "arming.json").write_text(OFF)
        (home.state / "told.json").write_text('{"version": 1, "told": []}')
        (home.state / "drills").mkdir()
        drill = {"began_at": "2026-11-28T12:00:00+00:00", "steps": [], "done": True, "good": True, "why": "all well"}
        (home.state / "drills" / "2026-11-28T12-00-00Z.json").write_text(json.dumps(drill))
        daemon = home.begin()
        daemon.wait_ready()
        assert "armed home until the mode is set again" in daemon.said
        assert "told.json was not written by facesecure" in daemon.said
        (told,) = home.wait_for_alerts(1)
        assert told["kind"] == "stranger"
        status = json.loads(home.run("status", "--json").stdout)
        assert status["mode"] == "home"
        assert any("arming.json was not written by facesecure" in one for one in status["problems"])
        assert "arming.json was not written by facesecure" in home.run("status").stdout.replace("\n", " ")
        assert json.loads(home.run("drill", "--history", "--json").stdout) == {"drills": []}
        assert home.run("arm", "off").returncode == 0
        problems = json.loads(home.run("status", "--json").stdout)["problems"]
        assert [one for one in problems if "arming.json" in one] == []
        daemon.stop()
    finally:
        home.kill()
    saw("the daemon starts armed, says so in log and status, and announces the stranger; the drill does not count")


@attack(
    "a model is planted",
    how="a card of the name of a bundled model; a model of one's own without a signature, with an edited card, with "
    "another file; a file or card in place of a pulled one",
)
def test_a_planted_model_is_not_used(
    facesecure: CommandLine, tmp_path: Path, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    models = facesecure.state / "models"
    models.mkdir()
    card = json.loads((bundled_directory() / "mobilefacenet.json").read_bytes())
    lax = {**card, "score_model": {**card["score_model"], "impostor": card["score_model"]["genuine"]}}
    (models / "mobilefacenet.json").write_text(json.dumps(lax))
    shutil.copy2(bundled_directory() / "mobilefacenet.tflite", models)
    assert (who(facesecure, "grace"), who(facesecure, "eileen")) == (GRACE, None)
    assert "mobilefacenet.json is ignored: it has the name of a bundled model" in caplog.text
    assert any("has the name of a bundled model" in one for one in doctor(facesecure, "model mobilefacenet"))
    (models / "mobilefacenet.json").unlink()

    (tmp_path / "etc").mkdir()
    shutil.copy2(bundled_directory() / card["strangers"]["file"], models)
    for named in ("door", models / "door.tflite"):
        (tmp_path / "etc" / "facesecure.toml").write_text(f'[recognizer]\nmodel = "{named}"\n')
        (models / "door.json").write_text(json.dumps(card))
        (tmp_path / "door.mp4").touch()
        refused = facesecure("run", "--source", f"file:{tmp_path / 'door.mp4'}")
        assert refused.code != 0
        assert "the model is not used" in refused.err
        assert f"facesecure models trust {models / 'door.json'}" in refused.err.replace("\n", " ")
        assert facesecure("models", "trust", "door").code == 0
        assert who(facesecure, "grace") == GRACE
        signed = json.loads((models / "door.json").read_bytes())
        (models / "door.json").write_text(json.dumps(signed | {"score_model": lax["score_model"]}))
        assert "the model is not used" in facesecure("identify", tmp_path / "eileen.png").err
        (models / "door.json").write_text(json.dumps(signed | {"sha256": "0" * 64}))
        assert "the model is not used" in facesecure("identify", tmp_path / "eileen.png").err
        (models / "door.json").write_text(json.dumps(signed))
        assert who(facesecure, "grace") == GRACE
    shutil.copy2(bundled_directory() / "pnet.tflite", models / "mobilefacenet.tflite")
    assert "is damaged, or not the file its card was written for" in facesecure("identify", tmp_path / "grace.png").err

    (tmp_path / "etc" / "facesecure.toml").write_text('[detector]\nkind = "yunet"\n')
    pinned = json.loads((bundled_directory() / "downloadable" / "yunet.json").read_bytes())
    (models / pinned["file"]).write_bytes(b"a network of one's own")
    (models / "yunet.json").write_text(json.dumps(pinned | {"sha256": "0" * 64}))
    refused = facesecure("identify", tmp_path / "grace.png").err
    assert "is not the YuNet detector that this version uses" in refused
    assert "facesecure models pull yunet" in refused
    assert any("is not the card that this version" in one for one in doctor(facesecure, "model yunet"))
    saw("the bundled one is used; the others are refused with what to do, until `models trust` or `models pull`")


@attack(
    "people are rearranged in the database",
    how="names exchanged; a template or a face moved to another row, a person copied to a new one; the number of faces "
    "or the model of a template changed; the row of a removed person used again",
)
def test_nobody_gets_another_name_or_comes_back_by_rearranged_rows(
    facesecure: CommandLine, tmp_path: Path, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    state, refused = facesecure.state, 0
    with_eileen = facesecure("enroll", EILEEN, "--few", "--images", tmp_path / "eileen.png")
    assert with_eileen.code == 0, with_eileen.err
    ((grace,), (eileen,)) = (rows(state, f"SELECT id FROM people WHERE name = '{one}'")[0] for one in (GRACE, EILEEN))
    shutil.copytree(state, tmp_path / "before")
    exchanged = (
        "UPDATE people SET name = 'x', name_key = 'x' WHERE id = {eileen}",
        "UPDATE people SET name = '{EILEEN}', name_key = 'eileen collins' WHERE id = {grace}",
        "UPDATE people SET name = '{GRACE}', name_key = 'grace hopper' WHERE id = {eileen}",
    )
    uid = "UPDATE people SET uid = (SELECT uid FROM people WHERE id = {eileen}) WHERE id = {grace}"
    added = (
        "INSERT INTO people SELECT max(id) + 1, 'Mallory', 'mallory', created_at, uid, edition, seal FROM people",
        "UPDATE templates SET person_id = (SELECT max(id) FROM people) WHERE person_id = {eileen}",
    )
    for how in (
        exchanged,
        ("UPDATE templates SET person_id = {grace} WHERE person_id = {eileen}",),
        ("UPDATE templates SET person_id = {grace} WHERE person_id = {eileen}", uid),
        ("UPDATE faces SET person_id = {grace} WHERE person_id = {eileen}",),
        added,
        ("UPDATE people SET name = '{GRACE} ', name_key = 'other' WHERE id = {eileen}",),
        ("UPDATE people SET created_at = '2020-01-01 00:00:00.000000' WHERE id = {eileen}",),
    ):
        sql(state, *(one.format(grace=grace, eileen=eileen, GRACE=GRACE, EILEEN=EILEEN) for one in how))
        assert who(facesecure, "eileen") in (None, EILEEN)
        assert who(facesecure, "grace") in (None, GRACE)
        assert "Mallory" not in {template.name for template in _templates(state)}
        refused += 1
        shutil.rmtree(state)
        shutil.copytree(tmp_path / "before", state)
    sql(state, *(one.format(grace=grace, eileen=eileen, GRACE=GRACE, EILEEN=EILEEN) for one in exchanged))
    assert {problem.split(" is not")[0] for problem in doctor(facesecure, "signatures")} == {GRACE, EILEEN}
    assert "outside of facesecure" in facesecure("enroll", GRACE, "--images", tmp_path / "eileen.png", "--few").err
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "before", state)

    for column in ("faces = 99", "model_sha256 = 'a'"):  # many faces need less; of another model nothing is known
        sql(state, f"UPDATE templates SET {column} WHERE person_id = {eileen}")
        assert EILEEN not in {template.name for template in _templates(state)}
        refused += 1
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "before", state)

    assert facesecure("people", "remove", EILEEN, "--yes").code == 0
    with Store.open(state) as store:
        store.add_person("Ada", store.faces_of(GRACE)[:1])
    (ada,) = rows(state, "SELECT id FROM people WHERE name = 'Ada'")[0]
    assert ada == eileen, "SQLite uses the number of a removed row again"
    _put_back(state, tmp_path / "before", eileen, ada)
    assert who(facesecure, "eileen") is None
    with Store.open(state) as store, pytest.raises(StoreError, match="cannot be read"):
        store.faces_of("Ada")
    saw(f"{refused + 2} of {refused + 2}: nobody is given a name that is not theirs; log, doctor and `enroll` say so")


def _put_back(state: Path, before: Path, old: int, new: int) -> None:
    """Put the faces and templates that a removed person had into the row of the one who has that number now."""
    with closing(sqlite3.connect(state / "facesecure.db")) as connection:
        connection.execute("ATTACH ? AS before", (str(before / "facesecure.db"),))
        columns = ROWS.strip("()").replace("person_id", str(new), 1)
        connection.execute(f"INSERT INTO faces {ROWS} SELECT {columns} FROM before.faces WHERE person_id = {old}")
        connection.execute(
            "INSERT INTO templates (person_id, model_sha256, embedding, faces, made_at) "
            f"SELECT {new}, model_sha256, embedding, faces, made_at FROM before.templates WHERE person_id = {old}"
        )
        connection.commit()


def _templates(state: Path) -> list[Any]:
    with Store.open(state) as store:
        return store.templates()


@attack(
    "an earlier template is put back",
    how="a template that was made with a face that has been removed since, from a copy of the database",
)
def test_a_template_of_a_face_that_was_removed_is_not_used_again(
    facesecure: CommandLine, tmp_path: Path, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    with Store.open(facesecure.state) as store:
        first, second, *_ = store.faces_of(GRACE)
        store.add_person("Eve", [first, second])
    shutil.copytree(facesecure.state, tmp_path / "before")
    with Store.open(facesecure.state) as store:
        store.remove_face(store.face_numbers("Eve")[0])
        count = len([one for one in store.templates() if one.name == "Eve"])
    ((eve,),) = rows(facesecure.state, "SELECT id FROM people WHERE name = 'Eve'")
    _put_back(facesecure.state, tmp_path / "before", eve, eve)
    caplog.clear()
    assert len([one for one in _templates(facesecure.state) if one.name == "Eve"]) == count
    assert "a template of Eve is ignored" in caplog.text
    saw("ignored, and the log says so")


@attack(
    "marks and visits are changed",
    how="a mark turned against another person, dated back, moved to another visitor; a visit moved to a visitor who is "
    "to be enrolled",
)
def test_no_face_joins_a_visitor_and_no_mark_another_person(tmp_path: Path, saw: Callable[[str], None]) -> None:
    state = tmp_path / "state"
    model = faces(1)[0].model_sha256
    with Store.open(state) as store:
        assert (visit(store, "one", 1), visit(store, "two", 2), visit(store, "three", 3)) == (1, 2, 3)
        store.corrections.not_known("three", None, CHOOSE)
        marks = len(store.marked_strangers(model))
    assert marks == 3
    shutil.copytree(state, tmp_path / "before")
    for change in ("marked_at = '2020-01-01 00:00:00.000000'", "visitor_id = 1", "sighting = 'one'"):
        sql(state, f"UPDATE marked_faces SET {change}")
        with Store.open(state) as store:
            assert len(store.marked_strangers(model)) == 0
        shutil.rmtree(state)
        shutil.copytree(tmp_path / "before", state)
    sql(state, "UPDATE sightings SET visitor_id = 1 WHERE identifier = 'two'")
    with Store.open(state) as store:
        assert store.visitors.visits(1) == ["one"]
        assert {face.sighting for face in store.visitors.faces(1)} == {"one"}
        assert visit(store, "four", 2, 1) == 4, "the visitor that was moved away is matched to no one"
    saw("each changed mark is left out; of the visitor, only faces of visits that facesecure found are enrolled")


@attack(
    "recordings are exchanged",
    how="what is said of a stranger is replaced by what is said of another, by silence, by one's own, by "
    "one from before `key rotate`",
)
def test_an_exchanged_recording_is_not_played(
    facesecure: CommandLine, tmp_path: Path, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "facesecure.toml").write_text('[speech]\nvoices = ["fake"]\n')
    assert facesecure("speech", "prepare").code == 0
    recordings = sorted((facesecure.state / "speech").glob("*.mp3"))
    genuine = {path: path.read_bytes() for path in recordings}
    assert len(genuine) > 3
    assert all(map(is_genuine, recordings))
    for one, other in pairwise(recordings):
        one.write_bytes(genuine[other])
    recordings[-1].write_bytes(b"")
    assert not any(map(is_genuine, recordings))
    assert facesecure("speech", "prepare").code == 0, "which makes them again"
    assert caplog.text.count("it is not played") >= len(recordings)
    assert all(map(is_genuine, recordings))
    assert facesecure("key", "rotate", "--yes").code == 0
    assert all(map(is_genuine, recordings))
    recordings[0].write_bytes(genuine[recordings[0]])
    assert not is_genuine(recordings[0]), "one from before the rotation"
    saw(f"{len(recordings)} of {len(recordings)} are not played and are made again; the log says so")


@attack(
    "alerts are written into the database",
    how="the text and the name in an alert that waits to be sent are changed; an alert is added",
)
def test_a_forged_alert_is_not_sent(
    tmp_path: Path, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    state, planned = tmp_path / "state", [PlannedDelivery("log", NOON + timedelta(days=9999))]
    with Store.open(state) as store:
        for number in (1, 2):
            alert = Alert.about(sighting(f"visit-{number}", known("Anna")), "Anna is at the door")
            assert store.outbox.write(replace(alert, identifier=f"alert-{number}"), planned)
        store.outbox.write(replace(alert, identifier="alert-3"), planned)
    sql(
        state,
        "UPDATE alerts SET document = replace(document, 'Anna', 'Tom') WHERE identifier = 'alert-1'",
        "INSERT INTO alerts (identifier, kind, created_at, document, seal) "
        "SELECT 'alert-9', kind, created_at, document, seal FROM alerts LIMIT 1",
        "UPDATE deliveries SET alert = 'alert-9' WHERE alert = 'alert-2'",
    )
    with Store.open(state) as store:
        assert [one.alert.identifier for one in store.outbox.pending()] == ["alert-3"]
        assert caplog.text.count("it was written or changed outside of facesecure") == 2
        store.add_person("Anna", [enrolled_face(1)])
        store.rename_person("Anna", "Zoe")
        store.rotate_key()
        assert [one.alert.text for one in store.outbox.pending()] == ["Zoe is at the door"]
    saw("neither is sent, also after a rename and `key rotate`, and the log says so; the others are")


@attack(
    "the database is made to look older",
    how="its revision is set back, so that unsigned files are taken over again; a database of the older form without a "
    "single face of it; a trigger; a view; indexes, conditions and computed columns that refuse alerts",
)
def test_a_newer_state_cannot_be_made_an_older_one(
    facesecure: CommandLine, tmp_path: Path, saw: Callable[[str], None]
) -> None:
    state = facesecure.state
    assert facesecure("arm", "away").code == 0
    shutil.copytree(state, tmp_path / "before")
    (state / "arming.json").write_text(OFF)
    for change in (
        "UPDATE alembic_version SET version_num = '0005'",
        "CREATE TRIGGER quiet AFTER INSERT ON alerts BEGIN DELETE FROM alerts; END",
        "CREATE VIEW nobody AS SELECT * FROM people",
        "CREATE UNIQUE INDEX once ON alerts (kind)",
        "CREATE INDEX never ON alerts (abs(-9223372036854775808))",
        "CREATE INDEX few ON alerts (kind) WHERE abs(created_at) < 0",
        "ALTER TABLE alerts ADD COLUMN quiet CHECK (kind <> 'stranger')",
        "ALTER TABLE alerts ADD COLUMN loud GENERATED ALWAYS AS (json_extract(document, '$[')) VIRTUAL",
        "CREATE VIRTUAL TABLE search USING fts5 (name)",
    ):
        sql(state, change)
        refused = facesecure("people", "list")
        assert refused.code == 1
        assert "was changed outside of facesecure" in refused.err
        assert "armed home" in facesecure("status").out
        shutil.copy2(tmp_path / "before" / "facesecure.db", state / "facesecure.db")
        (state / "facesecure.db-wal").unlink(missing_ok=True)
    ((identifier,),) = rows(state, "SELECT identifier FROM keys")
    (state / "facesecure.db").unlink()
    with closing(sqlite3.connect(state / "facesecure.db")) as connection, connection:
        connection.executescript(OLD_DUMP.read_text())
        connection.execute("UPDATE keys SET identifier = ?", (identifier,))
        for table in ("faces", "templates", "seen_faces", "marked_faces"):
            connection.execute(f"UPDATE {table} SET embedding = randomblob(length(embedding))")
    assert "armed home" in facesecure("status").out
    assert facesecure("people", "list").code == 0
    assert "armed home" in facesecure("status").out
    saw("refused with what to do; the file that is not signed stays refused, and the mode is home")


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> CommandLine:
    """The state directory of version 0.1, which had disarmed, rehearsed an alarm, and had a model of its own."""
    state = own_settings(tmp_path, monkeypatch)
    (state / "drills").mkdir(parents=True, mode=0o700)
    (state / "models").mkdir()
    (state / KEY_NAME).write_text(OLD_KEY)
    (state / KEY_NAME).chmod(0o600)
    with closing(sqlite3.connect(state / "facesecure.db")) as connection:
        connection.executescript(OLD_DUMP.read_text())
    (state / "arming.json").write_text(OFF)
    (state / "speech").mkdir()
    (state / "speech" / f"{64 * 'a'}.mp3").write_bytes(b"a recording of version 0.1")
    drill = {"began_at": "2026-11-28T12:00:00+00:00", "steps": [], "done": True, "good": True, "why": "all well"}
    (state / "drills" / "2026-11-28T12-00-00Z.json").write_text(json.dumps(drill))
    shutil.copy2(bundled_directory() / "mobilefacenet.json", state / "models" / "door.json")
    for name in ("mobilefacenet.tflite", "mobilefacenet.strangers.npz"):
        shutil.copy2(bundled_directory() / name, state / "models")
    return CommandLine(state, capfd)


@attack(
    "files of the older version are planted after the upgrade",
    how="arming.json, a drill and a card without signature, which version 0.1 wrote, before and after the first start",
)
def test_the_files_of_an_older_version_are_taken_over_once(
    older: CommandLine, tmp_path: Path, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    state = older.state
    plain = {path: path.read_bytes() for path in (*state.glob("*/*.json"), *state.glob("*.json"))}
    assert "disarmed" in older("status").out, "before anything is migrated"
    with caplog.at_level(logging.WARNING):
        assert older.people() == {"Eve": 2, "Tom": 3}
    assert "signed for the first time, as version 0.1 left them: arming.json" in caplog.text
    assert all(b'"signature"' in path.read_bytes() for path in plain)
    assert ", recordings" in caplog.text
    assert is_genuine(state / "speech" / f"{64 * 'a'}.mp3")
    assert "disarmed" in older("status").out
    assert older("models", "verify", "door").code == 0
    assert len(older("drill", "--history", "--json").json["drills"]) == 1
    assert all(b"0005" not in _revision_of(path) for path in (state / "backups").glob("*.db"))
    for path, content in plain.items():
        path.write_bytes(content)
    caplog.clear()
    older.people()
    assert "signed for the first time" not in caplog.text
    assert "armed home" in older("status").out
    assert older("models", "verify", "door").code == 1
    assert older("drill", "--history", "--json").json == {"drills": []}
    saw(f"{len(plain)} files are signed at the first start, with a line in the log; the same files later are refused")


def _revision_of(database: Path) -> bytes:
    with closing(sqlite3.connect(database)) as connection:
        ((revision,),) = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(revision).encode()


@attack(
    "an old copy is put back after the key was rotated",
    how="the whole database and every file as they were before `key rotate`",
)
def test_rotation_signs_what_is_there_and_makes_old_copies_worthless(
    facesecure: CommandLine, tmp_path: Path, saw: Callable[[str], None]
) -> None:
    state = facesecure.state
    for words in (("calibrate",), ("arm", "off")):
        assert facesecure(*words).code == 0
    shutil.copytree(state, tmp_path / "before")
    assert facesecure("key", "rotate", "--yes").code == 0
    assert doctor(facesecure, "signatures") == []
    assert "disarmed" in facesecure("status").out
    assert (who(facesecure, "grace"), who(facesecure, "eileen")) == (GRACE, None)
    assert facesecure("arm", "away").code == 0
    for name in ("arming.json", "calibration.json"):
        shutil.copy2(tmp_path / "before" / name, state)
    assert len(doctor(facesecure, "signatures")) == 2
    assert "armed home" in facesecure("status").out
    shutil.copy2(tmp_path / "before" / "facesecure.db", state)
    (state / "facesecure.db-wal").unlink(missing_ok=True)
    refused = facesecure("people", "list")
    assert refused.code == 1
    assert "is not the key" in refused.err
    saw("documents, people and marks are signed with the new key; what is older is refused")
