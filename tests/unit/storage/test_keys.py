"""The key: where it is found, when it is created, and when it is rejected."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from facesecure.domain.errors import StoreError
from facesecure.storage import keys
from facesecure.storage.keys import find_key, make_key, next_path, read_key, write_key
from facesecure.storage.store import Store
from support.store import enrolled_face, run_python


@pytest.fixture(autouse=True)
def nothing_from_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MACHINE_KEY", tmp_path / "etc" / "key")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv(keys.KEY_VARIABLE, raising=False)


@pytest.fixture
def enrolled(state_dir: Path) -> Path:
    """The key of a store in which somebody is enrolled."""
    with Store.open(state_dir) as store:
        store.add_person("Tom", [enrolled_face()])
    return state_dir / "key"


def test_the_first_use_makes_a_key_for_its_owner_only(state_dir: Path) -> None:
    Store.open(state_dir).close()
    content = (state_dir / "key").read_bytes()
    assert stat.S_IMODE((state_dir / "key").stat().st_mode) == 0o600
    assert content.startswith(b"facesecure-key-1:")
    assert len(base64.b64decode(content.split(b":")[1])) == 32


def test_every_key_is_another(tmp_path: Path) -> None:
    assert make_key(tmp_path / "one").secret != make_key(tmp_path / "two").secret


def test_a_key_that_is_there_is_never_made_again(tmp_path: Path) -> None:
    first = make_key(tmp_path / "key")
    assert make_key(tmp_path / "key") == first
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_key_does_not_tell_its_secret_when_it_is_shown(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    assert str(key.secret) not in repr(key)
    assert key.identifier not in key.secret.hex()


def test_the_key_is_looked_for_in_order(tmp_path: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("state", "etc", "credentials", "mine"):
        (tmp_path / folder).mkdir()
    assert find_key(state_dir) is None
    machine = make_key(tmp_path / "etc" / "key")
    assert find_key(state_dir) == machine
    own = make_key(state_dir / "key")
    assert find_key(state_dir) == own
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert find_key(state_dir) == own, "another service's credentials do not count"
    lent = make_key(tmp_path / "credentials" / "facesecure.key")
    (tmp_path / "credentials" / "facesecure.key").chmod(0o440)  # as an ACL looks
    assert (find_key(state_dir) or own).secret == lent.secret
    named = make_key(tmp_path / "mine" / "key")
    monkeypatch.setenv("FACESECURE_KEY_FILE", str(named.path))
    assert find_key(state_dir) == named


def test_a_store_uses_the_machines_key_and_makes_none(tmp_path: Path, state_dir: Path) -> None:
    (tmp_path / "etc").mkdir()
    make_key(tmp_path / "etc" / "key")
    with Store.open(state_dir) as store:
        store.add_person("Tom", [enrolled_face()])
        assert len(store.faces_of("Tom")) == 1
    assert not (state_dir / "key").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "truncated"),
        (b"facesecure-key-1:", "truncated"),
        (b"facesecure-key-1:c2hvcnQ=\n", "truncated"),
        (b"facesecure-key-1:!!!\n", "damaged"),
        (base64.b64encode(bytes(32)) + b"\n", "not a facesecure key"),
        (bytes(32), "not a facesecure key"),
    ],
)
def test_a_key_that_is_none_is_refused(enrolled: Path, content: bytes, said: str) -> None:
    enrolled.write_bytes(content)
    with pytest.raises(StoreError, match=said) as caught:
        Store.open(enrolled.parent)
    assert "put the right key back" in (caught.value.hint or "")
    assert enrolled.read_bytes() == content, "it was not made again"


@pytest.mark.parametrize("size", [0, 10, 40, 60])
def test_a_truncated_key_is_refused(enrolled: Path, size: int) -> None:
    enrolled.write_bytes(enrolled.read_bytes()[:size])
    with pytest.raises(StoreError, match="truncated"):
        Store.open(enrolled.parent)


def test_a_missing_key_is_refused_and_not_made_again(enrolled: Path) -> None:
    enrolled.unlink()
    with pytest.raises(StoreError, match="key is missing") as caught:
        Store.open(enrolled.parent)
    assert str(enrolled) in caught.value.message
    assert "do not create another" in (caught.value.hint or "")
    assert not enrolled.exists()


def test_another_key_is_refused(enrolled: Path) -> None:
    right = read_key(enrolled)
    wrong = write_key(enrolled)
    with pytest.raises(StoreError, match="is not the key") as caught:
        Store.open(enrolled.parent)
    assert right.identifier in caught.value.message
    assert wrong.identifier in caught.value.message


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_use_is_refused_with_what_to_do(enrolled: Path, mode: int) -> None:
    enrolled.chmod(mode)
    with pytest.raises(StoreError, match=f"{mode:04o}") as caught:
        Store.open(enrolled.parent)
    assert f"chmod 600 {enrolled}" in (caught.value.hint or "")
    enrolled.chmod(0o600)
    Store.open(enrolled.parent).close()


def test_a_named_key_that_is_not_there_is_told(enrolled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESECURE_KEY_FILE", "/nowhere/key")
    with pytest.raises(StoreError, match="/nowhere/key"):
        Store.open(enrolled.parent)


def test_a_key_is_no_directory(enrolled: Path) -> None:
    enrolled.unlink()
    enrolled.mkdir()
    with pytest.raises(StoreError, match="directory"):
        Store.open(enrolled.parent)


def test_the_cipher_is_loaded_with_the_first_face_and_not_before(state_dir: Path) -> None:
    code = """
import sys
from pathlib import Path
from facesecure.storage.store import Store
from support.store import enrolled_face, sighting
with Store.open(Path(sys.argv[1])) as store:
    store.record(sighting("one"))
    store.sightings(), store.people(), store.templates()
    print("cryptography" in sys.modules)
    store.add_person("Tom", [enrolled_face()])
    print("cryptography" in sys.modules)
"""
    done = run_python(code, state_dir)
    assert done.stdout.split() == ["False", "True"], done.stderr


def test_a_new_key_takes_the_old_ones_place_and_everybody_stays(enrolled: Path) -> None:
    before = read_key(enrolled)
    with Store.open(enrolled.parent) as store, Store.open(enrolled.parent) as other:
        face = other.faces_of("Tom")[0]
        new = store.rotate_key()
        assert new == read_key(enrolled) != before
        assert (store.faces_of("Tom")[0].embedding == face.embedding).all()
        assert (other.faces_of("Tom")[0].image == face.image).all(), "a store that was open takes the new key too"
        other.add_person("Ann", [enrolled_face(2)])
    with Store.open(enrolled.parent) as store:
        assert len(store.templates()) == 2
    assert not next_path(new).exists()


def test_a_rotation_that_is_cut_short_before_the_commit_keeps_the_old_key(enrolled: Path) -> None:
    write_key(next_path(read_key(enrolled)))
    with Store.open(enrolled.parent) as store:
        assert len(store.faces_of("Tom")) == 1


def test_a_rotation_that_is_cut_short_after_the_commit_is_brought_to_its_end(enrolled: Path) -> None:
    old = enrolled.read_bytes()
    with Store.open(enrolled.parent) as store:
        new = store.rotate_key()
    enrolled.replace(next_path(new))
    enrolled.write_bytes(old)
    enrolled.chmod(0o600)
    with Store.open(enrolled.parent) as store:
        assert len(store.faces_of("Tom")) == 1
    assert read_key(enrolled) == new
    assert not next_path(new).exists()


def test_a_key_that_systemd_lends_is_not_rotated(
    enrolled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").mkdir()
    enrolled.rename(tmp_path / "credentials" / "facesecure.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    with Store.open(enrolled.parent) as store:
        with pytest.raises(StoreError, match="systemd provides the key"):
            store.rotate_key()
        assert len(store.faces_of("Tom")) == 1
