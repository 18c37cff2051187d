"""Encryption in the database: nothing can be read, moved or changed unnoticed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from facesecure.domain.errors import StoreError
from facesecure.storage.encryption import FACE_CROP, FACE_EMBEDDING, FieldCipher, person_context
from facesecure.storage.keys import Key
from facesecure.storage.store import Store
from facesecure.vision.images.codec import png_bytes
from support.faults.traces import all_sealed_values, found
from support.store import MODEL, enrolled_face, known
from support.visitors import CHOOSE, faces, visit

KEY = Key(bytes(range(32)), Path("key"))
ANNA = person_context(1)


def changed(state_dir: Path, statement: str) -> None:
    """Somebody with the disk and without the key changes the database."""
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection, connection:
        connection.execute(statement)


@pytest.fixture
def household(state_dir: Path) -> Path:
    with Store.open(state_dir) as store:
        store.add_person("Anna", [enrolled_face(1), enrolled_face(2)])
        store.add_person("Tom", [enrolled_face(3)])
        visit(store, "one", 1)
        visit(store, "two", 2, verdict=known("Tom"))
        store.corrections.not_known("two", "Tom", CHOOSE)
    return state_dir


def test_what_was_sealed_is_opened() -> None:
    cipher = FieldCipher(KEY)
    for plain in (b"", b"x", bytes(40_000)):
        assert cipher.decrypt(cipher.encrypt(plain, FACE_CROP, ANNA), FACE_CROP, ANNA) == plain


def test_the_same_value_is_never_sealed_the_same_way_twice() -> None:
    cipher = FieldCipher(KEY)
    assert cipher.encrypt(b"x", FACE_CROP, ANNA) != cipher.encrypt(b"x", FACE_CROP, ANNA)


def test_a_value_cannot_be_opened_elsewhere_or_changed_or_with_another_key() -> None:
    cipher = FieldCipher(KEY)
    encrypted = cipher.encrypt(b"a face", FACE_CROP, ANNA)
    with pytest.raises(ValueError, match="moved"):
        cipher.decrypt(encrypted, FACE_EMBEDDING, ANNA)
    with pytest.raises(ValueError, match="moved"):
        cipher.decrypt(encrypted, FACE_CROP, person_context(2))
    with pytest.raises(ValueError, match="another key"):
        FieldCipher(Key(bytes(32), Path("key"))).decrypt(encrypted, FACE_CROP, ANNA)
    for position in range(len(encrypted)):
        broken = bytearray(encrypted)
        broken[position] ^= 1
        with pytest.raises(ValueError, match="it is"):
            cipher.decrypt(bytes(broken), FACE_CROP, ANNA)
    for length in range(len(encrypted)):
        with pytest.raises(ValueError, match="it is"):
            cipher.decrypt(encrypted[:length], FACE_CROP, ANNA)


def test_no_face_and_no_embedding_lies_plain_on_the_disk(household: Path) -> None:
    enrolled = [enrolled_face(seed) for seed in (1, 2, 3)]
    seen = [*faces(1), *faces(2)]
    crops = [png_bytes(face.image)[200:300] for face in enrolled] + [png_bytes(f.face.image)[200:300] for f in seen]
    embeddings = [face.embedding.tobytes()[:32] for face in enrolled] + [f.embedding.tobytes()[:32] for f in seen]
    with Store.open(household) as store:
        embeddings += [template.embedding.tobytes()[:32] for template in store.templates()]
        embeddings += [one.tobytes()[:32] for one in store.marked_strangers(MODEL)]
        assert len(embeddings) == 3 + 6 + 2 + 3
    assert found(household, crops + embeddings) == []
    assert found(household, [b"\x89PNG\r\n\x1a\n"]) == []
    assert len(found(household, all_sealed_values(household))) == 3 * 2 + 2 + 6 * 2 + 3 * 2


def test_a_face_given_to_somebody_else_is_noticed(household: Path, caplog: pytest.LogCaptureFixture) -> None:
    changed(household, "UPDATE faces SET person_id = 1 WHERE person_id = 2")
    with Store.open(household) as store, pytest.raises(StoreError, match="face number 3 cannot be read"):
        store.faces_of("Anna")


def test_a_template_given_to_somebody_else_lets_nobody_in_and_the_others_stay(
    household: Path, caplog: pytest.LogCaptureFixture
) -> None:
    changed(household, "UPDATE templates SET embedding = (SELECT embedding FROM templates WHERE person_id = 1)")
    with Store.open(household) as store:
        assert [template.name for template in store.templates()] == ["Anna"]
    assert "a template of Tom is ignored" in caplog.text


def test_a_crop_in_an_embeddings_place_is_noticed(household: Path) -> None:
    changed(household, "UPDATE faces SET embedding = crop_png WHERE id = 1")
    with Store.open(household) as store, pytest.raises(StoreError, match="face number 1"):
        store.faces_of("Anna")


def test_a_damaged_face_does_not_keep_the_others_from_being_known(household: Path) -> None:
    changed(household, "UPDATE faces SET embedding = zeroblob(300) WHERE id = 1")
    with Store.open(household) as store:
        store.add_person("Anna", [enrolled_face(4)])
        assert [template.faces for template in store.templates() if template.name == "Anna"] == [2]
        store.remove_face(1)
        assert len(store.faces_of("Anna")) == 2


def test_a_seen_face_of_another_sighting_is_left_out(household: Path, caplog: pytest.LogCaptureFixture) -> None:
    changed(household, "UPDATE seen_faces SET sighting = 'two' WHERE sighting = 'one'")
    with Store.open(household) as store:
        assert len(store.faces_seen("two")) == 3
    assert "left out" in caplog.text


def test_a_marked_face_turned_against_somebody_else_is_left_out(household: Path) -> None:
    with Store.open(household) as store:
        assert [negative.name for negative in store.hard_negatives(MODEL)] == ["Tom"]
    changed(household, "UPDATE marked_faces SET not_person_id = 1")
    with Store.open(household) as store:
        assert store.hard_negatives(MODEL) == []
        assert store.marked_strangers(MODEL).shape == (0, 0)
