"""What is signed is read; what is not, or not here, or not by this key, is refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facesecure.domain.errors import StoreError
from facesecure.storage import key_rotation
from facesecure.storage.keys import KEY_NAME, Key, find_key, make_key, next_path
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import Store
from support.store import enrolled_face

PLAIN = {"version": 1, "mode": "off", "numbers": [0.1, 1e-17, 3, -2.5e300], "name": "Zoë\u202e \\"}


@pytest.fixture
def documents(tmp_path: Path) -> SignedDocuments:
    return SignedDocuments(tmp_path)


def test_what_was_written_is_read_without_its_signature_and_for_the_owner_only(documents: SignedDocuments) -> None:
    path = documents.write("arming.json", PLAIN)
    assert documents.read("arming.json") == PLAIN
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(path.read_bytes())) == {*PLAIN, "signature"}
    assert documents.problems() == []


def _any_value(document: dict[str, Any]) -> None:
    document["mode"] = "home"


def _more(document: dict[str, Any]) -> None:
    document["more"] = 0


def _less(document: dict[str, Any]) -> None:
    del document["version"]


def _unsigned(document: dict[str, Any]) -> None:
    del document["signature"]


def _no_mapping(document: dict[str, Any]) -> None:
    document["signature"] = [*document["signature"].values()]


def _empty(document: dict[str, Any]) -> None:
    document["signature"] = dict.fromkeys(document["signature"], "")


def _number(document: dict[str, Any]) -> None:
    document["signature"] = dict.fromkeys(document["signature"], 0)


def _no_ascii(document: dict[str, Any]) -> None:
    document["signature"] = dict.fromkeys(document["signature"], "é" * 64)


@pytest.mark.parametrize("change", [_any_value, _more, _less, _unsigned, _no_mapping, _empty, _number, _no_ascii])
def test_any_change_is_refused_with_one_sentence(
    documents: SignedDocuments, change: Callable[[dict[str, Any]], None]
) -> None:
    path = documents.write("arming.json", PLAIN)
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(StoreError, match="was not written by facesecure with this key, or was changed since"):
        documents.read("arming.json")
    (problem,) = documents.problems()
    assert str(path) in problem


def test_the_last_of_two_members_of_one_name_is_what_is_checked_and_used(documents: SignedDocuments) -> None:
    path = documents.write("arming.json", PLAIN)
    path.write_text(path.read_text().replace('"mode": "off"', '"mode": "off", "mode": "home"'))
    with pytest.raises(StoreError, match="does not fit"):
        documents.read("arming.json")


def test_a_document_does_not_stand_in_for_another(documents: SignedDocuments) -> None:
    path = documents.write("arming.json", PLAIN)
    (documents.folder / "told.json").write_bytes(path.read_bytes())
    with pytest.raises(StoreError, match="does not fit"):
        documents.read("told.json")


def test_the_document_of_another_household_is_refused(documents: SignedDocuments, tmp_path: Path) -> None:
    documents.write("arming.json", PLAIN)
    other = SignedDocuments(tmp_path / "other")
    other.folder.mkdir()
    theirs = other.write("arming.json", PLAIN)
    (documents.folder / "arming.json").write_bytes(theirs.read_bytes())
    with pytest.raises(StoreError, match="does not fit"):
        documents.read("arming.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_document_is_said_to_be_damaged(documents: SignedDocuments, content: bytes) -> None:
    (documents.folder / "arming.json").write_bytes(content)
    with pytest.raises(StoreError, match="cannot be understood"):
        documents.read("arming.json")


def test_without_a_key_nothing_is_believed_and_the_first_write_makes_one(documents: SignedDocuments) -> None:
    (documents.folder / "arming.json").write_text(json.dumps(PLAIN))
    with pytest.raises(StoreError, match="signature is missing"):
        documents.read("arming.json")
    documents.write("arming.json", PLAIN)
    assert (documents.folder / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert documents.read("arming.json") == PLAIN


def test_while_the_key_is_rotated_documents_fit_both_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    with Store.open(state) as store:
        store.add_person("Anna", [enrolled_face(1)])
    documents = SignedDocuments(state)
    documents.write("arming.json", PLAIN)
    (state / "told.json").write_text(json.dumps(PLAIN))
    before = find_key(state)

    def killed(key: Key) -> Path:
        raise KeyboardInterrupt

    with Store.open(state) as store, monkeypatch.context() as patched:
        patched.setattr(key_rotation, "sync_folder", killed)
        patched.setattr(Path, "replace", _only_drafts(Path.replace))
        with pytest.raises(KeyboardInterrupt):
            store.rotate_key()
    assert find_key(state) == before
    assert next_path(Key(b"", state / KEY_NAME)).exists()
    assert documents.read("arming.json") == PLAIN
    with Store.open(state):
        assert find_key(state) != before
    assert documents.read("arming.json") == PLAIN
    with pytest.raises(StoreError, match="signature is missing"):
        documents.read("told.json")


def _only_drafts(replace: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
    """Rename drafts, and lose the key's rename as a power cut does."""

    def renamed(path: Path, target: Path) -> Path:
        return target if path.name == f"{KEY_NAME}.next" else replace(path, target)

    return renamed


def test_taking_over_happens_for_an_older_database_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Store.open(tmp_path).close()
    make_key(tmp_path / KEY_NAME)
    (tmp_path / "arming.json").write_text(json.dumps(PLAIN))
    with caplog.at_level(logging.DEBUG):
        Store.open(tmp_path).close()
    with pytest.raises(StoreError, match="signature is missing"):
        SignedDocuments(tmp_path).read("arming.json")
