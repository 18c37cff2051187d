"""``facesecure people``."""

import json
import stat
import zipfile

import numpy as np
import pytest

from facesecure.store.store import Store
from support.people import MODEL, enrolled_face


@pytest.fixture
def family(store):
    store.add_person("Anna", [enrolled_face(1), enrolled_face(2, "b.jpg")])
    store.add_person("Björn 🦊", [enrolled_face(3)])
    return store


def test_everybody_is_listed_by_name(facesecure, family):
    assert [person["name"] for person in facesecure("people", "list", "--json").json["people"]] == ["Anna", "Björn 🦊"]
    outcome = facesecure("people", "list")
    assert "Björn 🦊" in outcome.out
    assert "\x1b" not in outcome.out


def test_nobody_is_said_on_stderr_with_what_to_do(facesecure):
    outcome = facesecure("people", "list")
    assert (outcome.code, outcome.out) == (0, "")
    assert "facesecure enroll" in outcome.err


def test_a_person_is_shown_whatever_the_case_of_the_name(facesecure, family):
    shown = facesecure("people", "show", "ANNA", "--json").json
    assert (shown["name"], len(shown["faces"])) == ("Anna", 2)
    assert shown["faces"][1]["source"] == "b.jpg"
    assert "b.jpg" in facesecure("people", "show", "anna").out


def test_a_person_is_shown_with_what_they_are_compared_by_and_who_looks_alike(facesecure, family):
    shown = facesecure("people", "show", "Anna", "--json").json
    assert [(template["faces"], template["model_sha256"]) for template in shown["templates"]] == [(2, MODEL)]
    anna, other = (template.embedding for template in family.templates())
    assert shown["closeness"] == [{"name": "Björn 🦊", "closeness": pytest.approx(float(anna @ other), abs=1e-5)}]
    told = facesecure("people", "show", "Anna").out
    assert "compared by a mean of 2 faces" in told
    assert f"Björn 🦊 {anna @ other:.2f}" in told


def test_a_name_that_is_markup_is_printed_as_it_is(facesecure, store):
    store.add_person("[red]x[bold]", [enrolled_face(1)])
    assert "[red]x[bold]" in facesecure("people", "list").out


@pytest.mark.parametrize(
    "words", [("show", "Eve"), ("rename", "Eve", "Eva"), ("remove", "Eve"), ("export", "f.zip", "Eve")]
)
def test_somebody_who_is_not_there_is_refused_and_those_who_are_named(facesecure, family, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = facesecure("people", *words)
    assert outcome.code == 2
    assert "Eve" in outcome.err
    assert "Anna" in outcome.err
    assert not (tmp_path / "f.zip").exists()


def test_a_person_gets_another_name(facesecure, family):
    assert facesecure("people", "rename", "anna", "Anne", "--json").json["name"] == "Anne"
    assert facesecure("people", "rename", "Anne", "BJÖRN 🦊").code == 2
    assert facesecure("people", "rename", "Anne", "a/b").code == 2


def test_a_person_is_forgotten(facesecure, family):
    assert facesecure("people", "remove", "anna").out == "Anna is forgotten\n"
    assert [person.name for person in family.people()] == ["Björn 🦊"]


def test_one_picture_is_removed_and_not_somebody_elses(facesecure, family):
    mine, others = family.faces_of("Anna")[0].identifier, family.faces_of("Björn 🦊")[0].identifier
    refused = facesecure("people", "remove", "Anna", "--face", others)
    assert refused.code == 2
    assert "people show" in refused.err
    assert facesecure("people", "remove", "Anna", "--face", mine).code == 0
    assert len(family.faces_of("Anna")) == 1


def test_the_last_picture_is_not_removed(facesecure, family):
    last = family.faces_of("Björn 🦊")[0].identifier
    assert facesecure("people", "remove", "Björn 🦊", "--face", last).code == 2


@pytest.fixture
def exported(facesecure, family, tmp_path):
    file = tmp_path / "family.zip"
    outcome = facesecure("people", "export", file)
    assert outcome.code == 0
    assert "not encrypted" in outcome.err
    return file


def test_an_export_is_its_owners_only(exported):
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600


def test_people_come_back_from_an_export_as_they_were(facesecure, family, exported, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    added = facesecure("--state-dir", elsewhere, "people", "import", exported, "--json").json
    assert [(who["name"], who["added"], who["known"]) for who in added["people"]] == [
        ("Anna", 2, 0),
        ("Björn 🦊", 1, 0),
    ]
    with Store.open(elsewhere) as other:
        for before, after in zip(family.faces_of("Anna"), other.faces_of("Anna"), strict=True):
            assert np.array_equal(before.image, after.image)
            assert np.array_equal(before.embedding, after.embedding)
            assert (before.source, before.quality, before.model_sha256) == (
                after.source,
                after.quality,
                after.model_sha256,
            )


def test_an_import_may_be_repeated(facesecure, family, exported):
    facesecure("people", "import", exported)
    assert [person.faces for person in family.people()] == [2, 1]


def test_chosen_people_only_are_exported(facesecure, family, tmp_path):
    written = facesecure("people", "export", tmp_path / "one.zip", "anna", "--json").json
    assert [who["name"] for who in written["people"]] == ["Anna"]


def damage(source, target, change):
    """Copy a zip, each member through ``change(name, data)``; None leaves it out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)


def edited(**changes):
    def change(name, data):
        return json.dumps({**json.loads(data), **changes}).encode() if name == "manifest.json" else data

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name, data: None if name == "manifest.json" else data, "no manifest.json"),
        (lambda name, data: None if name.endswith("0002.png") else data, "0002.png"),
        (lambda name, data: b"text" if name.endswith("0002.png") else data, "not a PNG"),
        (lambda name, data: data[:60] if name.endswith("0002.png") else data, "decoded"),
        (edited(version=2), "newer facesecure"),
        (edited(format="other"), "format"),
        (edited(people=[{"name": "x"}]), "people.0"),
        (edited(people=3), "people"),
        (lambda name, data: b"{" if name == "manifest.json" else data, "manifest.json"),
    ],
)  # fmt: skip
def test_a_damaged_export_adds_nobody_and_says_what_is_wrong(facesecure, exported, tmp_path, change, said):
    bad = tmp_path / "bad.zip"
    damage(exported, bad, change)
    outcome = facesecure("--state-dir", tmp_path / "new", "people", "import", bad)
    assert outcome.code == 2
    assert said in outcome.err
    assert facesecure("--state-dir", tmp_path / "new", "people", "list", "--json").json == {"people": []}


def test_a_cut_export_is_refused(facesecure, exported):
    exported.write_bytes(exported.read_bytes()[:-200])
    assert facesecure("people", "import", exported).code == 2


def test_a_file_that_is_no_export_or_not_there_is_refused(facesecure, tmp_path):
    (tmp_path / "x.zip").write_text("text")
    assert "damaged, or not a file" in facesecure("people", "import", tmp_path / "x.zip").err
    assert "No such file" in facesecure("people", "import", tmp_path / "y.zip").err
    assert facesecure("people", "export", tmp_path / "y.zip").code == 2  # nobody is enrolled
    assert not (tmp_path / "y.zip").exists()
