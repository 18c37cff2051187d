"""``facesecure key``."""

import stat

import pytest

from facesecure.storage import keys
from support.people import enrolled_face


@pytest.fixture(autouse=True)
def no_key_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "MACHINE_KEY", tmp_path / "etc" / "key")
    for name in ("FACESECURE_KEY_FILE", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


def test_where_the_key_is_and_never_what_it_is(facesecure, store):
    secret = (facesecure.state / "key").read_text().partition(":")[2].strip()
    shown = facesecure("key", "show", "--json")
    assert shown.json["path"] == str(facesecure.state / "key")
    assert len(shown.json["identifier"]) == 16
    assert secret not in shown.out + facesecure("key", "show").out


def test_no_key_yet_is_no_error_and_makes_none(facesecure):
    outcome = facesecure("key", "show")
    assert outcome.code == 0
    assert "searched" in outcome.err
    assert facesecure("key", "show", "--json").json["path"] is None
    assert not facesecure.state.exists()


def test_a_key_is_made_once(facesecure, tmp_path):
    file = tmp_path / "made"
    first = facesecure("key", "make", file, "--json").json
    assert (first["made"], stat.S_IMODE(file.stat().st_mode)) == (True, 0o600)
    again = facesecure("key", "make", file)
    assert (again.code, again.out) == (0, f"{file} exists already: {first['identifier']}\n")
    file.write_text("something else")
    assert facesecure("key", "make", file).code == 1
    assert file.read_text() == "something else"


def test_a_new_key_keeps_everybody(facesecure, store):
    store.add_person("Anna", [enrolled_face(1)])
    before = facesecure("key", "show", "--json").json["identifier"]
    after = facesecure("key", "rotate", "--yes", "--json").json["identifier"]
    assert before != after == facesecure("key", "show", "--json").json["identifier"]
    assert facesecure.people() == {"Anna": 1}
    assert facesecure("people", "show", "Anna").code == 0


@pytest.mark.parametrize("words", [("people", "list"), ("events", "list"), ("people", "show", "Anna"), ("doctor",)])
def test_without_its_key_every_command_says_so(facesecure, store, words):
    store.add_person("Anna", [enrolled_face(1)])
    (facesecure.state / "key").unlink()
    outcome = facesecure(*words)
    assert outcome.code == 1
    assert "key is missing" in outcome.err + outcome.out
    assert not (facesecure.state / "key").exists()
