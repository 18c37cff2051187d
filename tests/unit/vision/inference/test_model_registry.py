"""Listing models, and pulling one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.domain.errors import DownloadError, UsageError
from facesecure.vision.inference import model_registry
from facesecure.vision.inference.card_files import bundled_directory
from facesecure.vision.inference.model_card import load_model
from facesecure.vision.inference.model_registry import ModelStatus, list_models, pull, remote_file, verify_models
from support.http import FileServer, serving

CONTENT = b"not really a network" * 1000


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """A mirror of what the registry pins, with the pin changed to small test content."""
    import hashlib

    pinned = model_registry.downloadable_card
    small = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "size": len(CONTENT)}

    def card(name: str) -> object:
        return pinned(name).model_copy(update=small)

    monkeypatch.setattr(model_registry, "downloadable_card", card)
    with serving(CONTENT, monkeypatch, tmp_path_factory.mktemp("authority")) as server:
        yield server


def test_every_model_that_can_be_pulled_is_pinned_and_says_its_licence() -> None:
    for name, url in model_registry.URLS.items():
        card = model_registry.downloadable_card(name)
        assert card.name == name
        assert url.startswith("https://")
        assert url.endswith(f"/{remote_file(name).name}")
        assert "/main/" not in url, "a branch moves; a commit does not"
        assert card.licence
        assert card.size > 0


def test_the_pin_of_yunet_is_the_published_file(shared_data: Path) -> None:
    import hashlib

    published = (shared_data / "models" / "face_detection_yunet_2023mar.onnx").read_bytes()
    pinned = remote_file("yunet")
    assert (pinned.size, pinned.sha256) == (len(published), hashlib.sha256(published).hexdigest())


def test_the_real_yunet_comes_from_a_mirror_and_loads(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = (shared_data / "models" / "face_detection_yunet_2023mar.onnx").read_bytes()
    with serving(published, monkeypatch, tmp_path) as server:
        path = pull("yunet", tmp_path, mirror=server.url + "/folder/")
    assert path == tmp_path / "models" / "face_detection_yunet_2023mar.onnx"
    model = load_model("yunet", tmp_path)
    assert model.content == published
    assert [entry.status for entry in list_models(tmp_path) if entry.name == "yunet"] == [ModelStatus.PULLED]
    assert [check.good for check in verify_models(tmp_path) if check.name == "yunet"] == [True]


def test_a_model_yet_to_be_pulled_is_listed_with_where_it_comes_from(tmp_path: Path) -> None:
    (entry,) = [entry for entry in list_models(tmp_path) if entry.name == "yunet"]
    assert (entry.status, entry.path, entry.url) == (ModelStatus.AVAILABLE, None, model_registry.URLS["yunet"])
    assert entry.card is not None


def test_every_bundled_model_is_listed_and_verifies() -> None:
    bundled = {path.stem for path in bundled_directory().glob("*.json")}
    assert {entry.name for entry in list_models() if entry.status is ModelStatus.BUNDLED} == bundled
    checks = {check.name: check for check in verify_models()}
    assert checks.keys() == bundled
    assert [check.problem for check in checks.values() if not check.good] == []
    assert all(check.distance is not None for check in checks.values()), "every bundled model has a golden output"


def test_a_pulled_model_that_rotted_is_listed_as_damaged_and_verify_says_why(
    mirror: FileServer, tmp_path: Path
) -> None:
    pull("yunet", tmp_path, mirror=mirror.url)
    (entry,) = [entry for entry in list_models(tmp_path) if entry.name == "yunet"]
    assert entry.status is ModelStatus.DAMAGED, "the card laid beside it is of the published file"
    (check,) = [check for check in verify_models(tmp_path) if check.name == "yunet"]
    assert not check.good
    assert "damaged" in check.problem
    assert check.hint


def test_a_pull_that_fails_leaves_no_card(mirror: FileServer, tmp_path: Path) -> None:
    mirror.content = CONTENT[:-1] + b"?"
    with pytest.raises(DownloadError, match="SHA-256"):
        pull("yunet", tmp_path, mirror=mirror.url)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_name_that_cannot_be_pulled_says_what_can(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="yunnet") as caught:
        pull("yunnet", tmp_path)
    assert "yunet" in (caught.value.hint or "")
