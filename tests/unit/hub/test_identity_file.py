"""Who a door is in the hub is kept encrypted, and survives the rotation of the key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.config.hub import HubConfig
from facesecure.domain.errors import HubError, StoreError
from facesecure.hub.identity_file import (
    Membership,
    address_of,
    find_identity,
    read_identity,
    remove_identity,
    write_identity,
)
from facesecure.storage.secret_files import SecretFiles
from facesecure.storage.store import Store
from support.estate import Estate


def test_an_identity_is_read_as_it_was_written(tmp_path: Path) -> None:
    identity = Estate().door("front", manager=True)
    write_identity(tmp_path, identity)
    found = read_identity(tmp_path)
    assert found.own() == identity.own()
    assert found.keys.secrets == identity.keys.secrets
    assert found.authority is not None
    assert identity.authority is not None
    assert found.authority.secret == identity.authority.secret
    assert found.households == identity.households


def test_a_door_that_leaves_while_its_daemon_runs_or_joins_as_another_is_told_so(tmp_path: Path) -> None:
    estate = Estate()
    identity = estate.door("front", manager=True)
    write_identity(tmp_path, identity)
    still = Membership(tmp_path, identity)
    for _ in range(2):
        still.require()
        write_identity(tmp_path, identity)  # as the rotation of the key does
    remove_identity(tmp_path)
    for _ in range(2):
        with pytest.raises(HubError, match="has left the hub"):
            still.require()
    write_identity(tmp_path, estate.door("garage"))
    with pytest.raises(HubError, match="has left the hub"):
        still.require()


def test_nothing_secret_is_readable_on_the_disk(tmp_path: Path) -> None:
    identity = Estate().door("front", manager=True)
    write_identity(tmp_path, identity)
    (path,) = (tmp_path / "hub").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "hub").stat().st_mode & 0o777 == 0o700
    content = path.read_bytes()
    for secret in (identity.password.encode(), b"front", b"authority", *identity.keys.secrets):
        assert secret not in content
        assert secret.hex().encode() not in content


def test_a_door_without_a_hub_is_told_how_to_get_one(tmp_path: Path) -> None:
    assert find_identity(tmp_path) is None
    with pytest.raises(HubError, match="belongs to no hub") as caught:
        read_identity(tmp_path)
    assert "facesecure hub join" in str(caught.value.hint)


def test_a_changed_or_swapped_file_is_refused(tmp_path: Path) -> None:
    write_identity(tmp_path, Estate().door("front"))
    files = SecretFiles(tmp_path)
    path = files.path("identity")
    content = path.read_bytes()
    for wrong in (b"", b"{}", b"[]", content[:-20], content.replace(b"A", b"B"), b"[" * 5000):
        path.write_bytes(wrong)
        with pytest.raises(StoreError):
            read_identity(tmp_path)
    files.write("other", b"{}")
    path.write_bytes(files.path("other").read_bytes())
    with pytest.raises(StoreError, match="moved"):
        read_identity(tmp_path)
    assert len(files.problems()) == 1
    files.write("identity", b'{"door": 1}')
    with pytest.raises(StoreError, match="cannot be understood"):
        read_identity(tmp_path)


def test_a_rotated_key_opens_the_identity_and_the_old_one_no_longer(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        write_identity(tmp_path, Estate().door("front"))
        before = (tmp_path / "key").read_bytes()
        store.rotate_key()
    assert read_identity(tmp_path).own().name == "front"
    after = (tmp_path / "key").read_bytes()
    assert after != before
    (tmp_path / "key").write_bytes(before)
    with pytest.raises(StoreError, match="another key"):
        read_identity(tmp_path)


def test_a_rotation_that_was_interrupted_leaves_it_readable_with_both_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path) as store:
        write_identity(tmp_path, Estate().door("front"))
        with monkeypatch.context() as patched:
            patched.setattr("facesecure.storage.key_rotation._sign_files_again", _fail)
            with pytest.raises(RuntimeError):
                store.rotate_key()
        assert read_identity(tmp_path).own().name == "front"
        (tmp_path / "key.next").replace(tmp_path / "key")
        assert read_identity(tmp_path).own().name == "front"


def test_the_address_names_the_role_and_the_authority_of_the_invitation(tmp_path: Path) -> None:
    identity = replace(Estate().door("front"), ca="-----BEGIN CERTIFICATE-----\n")
    address = address_of(identity, HubConfig(), tmp_path)
    assert address.url == f"postgresql+psycopg://{identity.role}@hub.lan/facesecure"
    assert address.password == identity.password
    assert address.root is not None
    assert address.root.read_text() == identity.ca
    address.root.write_text("another")
    assert address_of(identity, HubConfig(), tmp_path).root == address.root
    assert address.root.read_text() == identity.ca
    own = HubConfig(database="postgresql+psycopg://10.0.0.2:5433/doors", ca=Path("/etc/ca.pem"))
    moved = address_of(identity, own, tmp_path)
    assert moved.url == f"postgresql+psycopg://{identity.role}@10.0.0.2:5433/doors"
    assert moved.root == Path("/etc/ca.pem")


def test_a_door_that_leaves_forgets_everything(tmp_path: Path) -> None:
    write_identity(tmp_path, Estate().door("front"))
    remove_identity(tmp_path)
    remove_identity(tmp_path)
    assert find_identity(tmp_path) is None
    assert list((tmp_path / "hub").iterdir()) == []


def _fail(*_: object) -> None:
    raise RuntimeError("the power is gone")
