"""What a door remembers of shared people: kept encrypted, believed only if it can be understood."""

from __future__ import annotations

import errno
import json
import secrets
from pathlib import Path

import pytest

from facesecure.domain.errors import StoreError
from facesecure.hub.sealing import DataKey
from facesecure.hub.sync.people_state import NAME, PeopleState, Shared
from facesecure.storage.secret_files import SecretFiles


def test_it_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    state, person, gone = PeopleState.read(tmp_path), secrets.token_hex(16), secrets.token_hex(16)
    key = DataKey.made(3)
    entry = Shared("a" * 32, "b" * 32, key, 7, "uid", "Annalena", "Anna (gate)", 5.5, frozenset("ab"), frozenset("b"))
    entry.doors, entry.holders, entry.note = frozenset({"c" * 32}), frozenset({"d" * 32}), "!"
    state.people[person] = entry
    state.forget(gone, 9)
    state.ordered.add(gone)
    state.people[secrets.token_hex(16)] = Shared("a" * 32, "b" * 32, key, uid="somebody removed")
    state.forget(list(state.people)[-1], 3)
    state.gone.popitem()
    state.cursor, state.local_revision = 12, 5
    state.save()
    again = PeopleState.read(tmp_path)
    assert again.people == state.people
    assert again.people[person].key.secret == key.secret
    assert (again.gone, again.ordered, again.cursor, again.notes()) == ({gone: 9}, {gone}, 12, ("!",))
    assert (again.local_revision, again.was_wiped("somebody removed"), again.was_wiped("uid")) == (5, True, False)
    assert b"Annalena" not in SecretFiles(tmp_path).path(NAME).read_bytes()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"people": {}}', b'{"people": {"x": {}}, "gone": {}, "refused": [], "ordered": [], "cursor": 0}'],
)
def test_what_cannot_be_understood_is_not_taken_for_nothing(tmp_path: Path, content: bytes) -> None:
    SecretFiles(tmp_path).write(NAME, content)
    with pytest.raises(StoreError, match="cannot be understood"):
        PeopleState.read(tmp_path)


def test_a_state_that_has_not_changed_is_not_written(tmp_path: Path) -> None:
    state = PeopleState.read(tmp_path)
    state.cursor = 3
    state.save()
    written = SecretFiles(tmp_path).path(NAME).stat().st_mtime_ns
    state.save()
    assert SecretFiles(tmp_path).path(NAME).stat().st_mtime_ns == written
    assert json.loads(SecretFiles(tmp_path).read(NAME))["cursor"] == 3


def test_a_full_disk_is_told_and_what_was_kept_before_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = PeopleState.read(tmp_path)
    state.cursor = 3
    state.save()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(SecretFiles, "write", full)
        state.cursor = 4
        with pytest.raises(StoreError, match="No space left"):
            state.save()
    assert PeopleState.read(tmp_path).cursor == 3
    state.save()
    assert PeopleState.read(tmp_path).cursor == 4
