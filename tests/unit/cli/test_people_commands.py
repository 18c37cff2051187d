"""``facesecure people``."""

import json
import stat
import zipfile

import numpy as np
import pytest

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS
from facesecure.cli import prompts
from facesecure.storage import passphrase
from facesecure.storage.store import Store
from support.bundled_model import faces_of
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
    assert "templates: 1 mean of 2 faces" in told
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
    assert facesecure("people", "remove", "anna", "--yes").out == "Anna is forgotten\n"
    assert [person.name for person in family.people()] == ["Björn 🦊"]


def test_one_picture_is_removed_and_not_somebody_elses(facesecure, family):
    mine, others = family.faces_of("Anna")[0].identifier, family.faces_of("Björn 🦊")[0].identifier
    refused = facesecure("people", "remove", "Anna", "--face", others, "--yes")
    assert refused.code == 2
    assert "people show" in refused.err
    assert facesecure("people", "remove", "Anna", "--face", mine, "--yes").code == 0
    assert len(family.faces_of("Anna")) == 1


def test_the_last_picture_is_not_removed(facesecure, family):
    last = family.faces_of("Björn 🦊")[0].identifier
    assert facesecure("people", "remove", "Björn 🦊", "--face", last, "--yes").code == 2


@pytest.fixture(scope="module")
def two():
    """Faces of two people whom the bundled model knows, by their names."""
    return {"Anna": faces_of(*enrolment_images(6))[:3], "Björn 🦊": faces_of(EILEEN_COLLINS.image())}


@pytest.fixture
def pair(store, two):
    for name, faces in two.items():
        store.add_person(name, faces)
    return store


@pytest.fixture(autouse=True)
def no_passphrase_from_outside(monkeypatch):
    monkeypatch.delenv("FACESECURE_PASSPHRASE", raising=False)
    monkeypatch.setattr(passphrase, "COST", (1 << 10, 8, 1))


@pytest.fixture
def words(monkeypatch):
    """What the household protects its copy with."""
    monkeypatch.setenv("FACESECURE_PASSPHRASE", "four random words")
    return "four random words"


@pytest.fixture
def exported(facesecure, pair, tmp_path, words):
    file = tmp_path / "family.faces"
    outcome = facesecure("people", "export", file)
    assert (outcome.code, outcome.err) == (0, "")
    return file


@pytest.fixture
def bare(exported, words, tmp_path):
    """The zip within, which is also what the first version wrote."""
    file = tmp_path / "family.zip"
    file.write_bytes(passphrase.decrypt(exported.read_bytes(), words))
    return file


def test_nothing_of_an_export_can_be_read_without_the_passphrase(exported):
    content = exported.read_bytes()
    traces = ("Björn 🦊".encode(), b"manifest.json", b"model_sha256", b"\x89PNG\r\n\x1a\n")
    assert not any(trace in content for trace in traces)


def test_an_export_needs_a_passphrase_that_is_long_enough(facesecure, pair, tmp_path, monkeypatch):
    outcome = facesecure("people", "export", tmp_path / "x")
    assert outcome.code == 2
    assert "--passphrase-file" in outcome.err
    monkeypatch.setenv("FACESECURE_PASSPHRASE", "short")
    outcome = facesecure("people", "export", tmp_path / "x")
    assert outcome.code == 2
    assert "too short" in outcome.err
    assert not (tmp_path / "x").exists()


def test_a_passphrase_may_be_in_a_file(facesecure, pair, tmp_path):
    (tmp_path / "words").write_text("quatre mots très longs\r\nnot this line\n")
    given = ("--passphrase-file", tmp_path / "words")
    assert facesecure("people", "export", tmp_path / "x", *given).code == 0
    (tmp_path / "words").write_text("quatre mots très longs\r\n", encoding="utf-16")  # as another editor saves it
    assert facesecure("--state-dir", tmp_path / "new", "people", "import", tmp_path / "x", *given).code == 0
    (tmp_path / "words").write_text("\n")
    assert "is empty" in facesecure("people", "import", tmp_path / "x", *given).err
    assert facesecure("people", "import", tmp_path / "x", "--passphrase-file", tmp_path / "none").code == 2


def test_a_passphrase_is_asked_for_twice_at_a_terminal(facesecure, pair, tmp_path, monkeypatch):
    asked = []

    def prompt(text, **how):
        asked.append(how)
        return "four random words"

    monkeypatch.setattr(prompts.typer, "prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert facesecure("people", "export", tmp_path / "x").code == 0
    assert facesecure("people", "import", tmp_path / "x").code == 0
    assert [(how["hide_input"], how["confirmation_prompt"]) for how in asked] == [(True, True), (True, False)]


def test_a_wrong_passphrase_is_told_and_adds_nobody(facesecure, exported, tmp_path, monkeypatch):
    monkeypatch.setenv("FACESECURE_PASSPHRASE", "four other words")
    outcome = facesecure("--state-dir", tmp_path / "new", "people", "import", exported)
    assert outcome.code == 1
    assert f"the passphrase of {exported} is wrong" in outcome.err
    assert not (tmp_path / "new").exists()


def test_an_export_of_the_first_version_is_still_read_and_warned_of(facesecure, bare, tmp_path):
    refused = facesecure("--state-dir", tmp_path / "new", "people", "import", bare)
    assert refused.code == 2
    assert "is not encrypted" in refused.err
    assert "--unencrypted" in refused.err
    assert not (tmp_path / "new").exists()
    outcome = facesecure("--state-dir", tmp_path / "new", "people", "import", bare, "--unencrypted")
    assert outcome.code == 0
    assert "not encrypted" in outcome.err
    assert facesecure("--state-dir", tmp_path / "new", "people", "list", "--json").json["people"]


def test_an_export_is_its_owners_only(exported):
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600


def test_people_come_back_from_an_export_as_they_were(facesecure, pair, exported, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    added = facesecure("--state-dir", elsewhere, "people", "import", exported, "--json").json
    assert [(who["name"], who["added"], who["known"]) for who in added["people"]] == [
        ("Anna", 3, 0),
        ("Björn 🦊", 1, 0),
    ]
    with Store.open(elsewhere) as other:
        for before, after in zip(pair.faces_of("Anna"), other.faces_of("Anna"), strict=True):
            assert np.array_equal(before.image, after.image)
            assert np.allclose(before.embedding, after.embedding, atol=1e-6)
            assert (before.source, before.quality, before.model_sha256) == (
                after.source,
                after.quality,
                after.model_sha256,
            )


def test_an_import_may_be_repeated(facesecure, pair, exported):
    facesecure("people", "import", exported)
    assert [person.faces for person in pair.people()] == [3, 1]


def test_chosen_people_only_are_exported(facesecure, pair, tmp_path, words):
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
        (lambda name, data: data[:60] if name.endswith("0002.png") else data, "not a PNG of 112x112 pixels"),
        (edited(version=2), "newer facesecure"),
        (edited(format="other"), "format"),
        (edited(people=[{"name": "x"}]), "people[1].created_at: is missing"),
        (edited(people=3), "people"),
        (lambda name, data: b"{" if name == "manifest.json" else data, "manifest.json"),
    ],
)  # fmt: skip
def test_a_damaged_export_adds_nobody_and_says_what_is_wrong(facesecure, bare, words, tmp_path, change, said):
    bad = tmp_path / "bad.faces"
    damage(bare, tmp_path / "bad.zip", change)
    bad.write_bytes(passphrase.encrypt((tmp_path / "bad.zip").read_bytes(), words))
    outcome = facesecure("--state-dir", tmp_path / "new", "people", "import", bad)
    assert outcome.code == 2
    assert said in outcome.err
    assert facesecure("--state-dir", tmp_path / "new", "people", "list", "--json").json == {"people": []}


def test_a_cut_export_is_refused(facesecure, exported):
    exported.write_bytes(exported.read_bytes()[:-200])
    outcome = facesecure("people", "import", exported)
    assert outcome.code == 2
    assert f"{exported} is damaged" in outcome.err


def test_a_changed_export_is_refused(facesecure, exported):
    content = bytearray(exported.read_bytes())
    content[len(content) // 2] ^= 1
    exported.write_bytes(content)
    assert f"{exported} is damaged" in facesecure("people", "import", exported).err


def test_a_file_that_is_no_export_or_not_there_is_refused(facesecure, tmp_path):
    (tmp_path / "x.zip").write_text("text")
    assert "damaged, or not a file" in facesecure("people", "import", tmp_path / "x.zip").err
    assert "No such file" in facesecure("people", "import", tmp_path / "y.zip").err
    assert facesecure("people", "export", tmp_path / "y.zip").code == 2  # nobody is enrolled
    assert not (tmp_path / "y.zip").exists()
