"""A card in a state directory is used if it is signed, or part of the installation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from facesecure.domain.errors import ModelError
from facesecure.storage.keys import KEY_NAME
from facesecure.storage.store import Store
from facesecure.storage.trusted_models import load_card, load_model, trust
from facesecure.vision.inference.card_files import bundled_directory


def put_model(folder: Path, name: str = "door") -> Path:
    """A model in ``folder`` whose card is ``name``.json; returns the card's path."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(bundled_directory() / "pnet.tflite", folder)
    return Path(shutil.copy2(bundled_directory() / "pnet.json", folder / f"{name}.json"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory in use."""
    Store.open(tmp_path / "state").close()
    return tmp_path / "state"


def test_a_model_of_the_installation_and_one_elsewhere_need_no_signature(state: Path, tmp_path: Path) -> None:
    assert load_model("pnet", state).card.name == "pnet"
    elsewhere = put_model(tmp_path / "models")
    assert load_model(elsewhere, state).path == tmp_path / "models" / "pnet.tflite"
    for path in (elsewhere, bundled_directory() / "pnet.json"):
        with pytest.raises(ModelError, match="needs no signature"):
            trust(path, state)


def test_a_model_that_is_not_there_is_not_said_to_need_no_signature(state: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model card"):
        trust(tmp_path / "none", state)


@pytest.mark.parametrize("named", ["door", "models/door.tflite", "models/door.json", "../link/door.tflite"])
def test_in_the_state_directory_a_card_is_used_once_it_is_trusted_whatever_way_leads_there(
    state: Path, tmp_path: Path, named: str
) -> None:
    put_model(state / "models")
    (tmp_path / "link").symlink_to(state / "models")
    name = named if named == "door" else state / named
    for load in (load_model, load_card):
        with pytest.raises(ModelError, match="the model is not used") as refused:
            load(name, state)
        assert "facesecure models trust" in (refused.value.hint or "")
    assert trust(name, state).card.name == "pnet"
    assert load_model(name, state).card == load_card(name, state)
    load_model(name, state).verify()


def test_a_copy_of_the_state_in_memory_trusts_what_the_state_trusts(state: Path, tmp_path: Path) -> None:
    card = put_model(state / "models")
    copy = tmp_path / "memory"
    copy.mkdir()
    (copy / "models").symlink_to(state / "models")
    shutil.copy2(state / KEY_NAME, copy)
    shutil.copy2(state / "facesecure.db", copy)
    for name in ("door", card):
        with pytest.raises(ModelError, match="the model is not used"):
            load_model(name, copy)
    trust("door", state)
    for name in ("door", card):
        assert load_model(name, copy).card.name == "pnet"


def test_a_card_does_not_stand_in_for_another(state: Path) -> None:
    card = put_model(state / "models")
    trust("door", state)
    shutil.copy2(card, state / "models" / "other.json")
    with pytest.raises(ModelError, match="its signature does not fit"):
        load_model("other", state)


@pytest.mark.parametrize("named", ["door", "etc/door.tflite", "state/models/door.tflite"])
@pytest.mark.parametrize("planted", ["card", "folder", "two links"])
def test_a_link_planted_in_the_state_directory_leads_to_nothing_that_is_trusted(
    state: Path, tmp_path: Path, named: str, planted: str
) -> None:
    put_model(tmp_path / "planted")
    (tmp_path / "etc").symlink_to(state / "models")
    if planted == "folder":
        (state / "models").symlink_to(tmp_path / "planted")
    else:
        (state / "models").mkdir()
        (state / "models" / "one.json").symlink_to(tmp_path / "planted" / "door.json")
        target = "one.json" if planted == "two links" else tmp_path / "planted" / "door.json"
        (state / "models" / "door.json").symlink_to(target)
    with pytest.raises(ModelError, match="the model is not used"):
        load_model(named if named == "door" else tmp_path / named, state)


def test_a_damaged_model_is_not_signed(state: Path) -> None:
    card = put_model(state / "models")
    (state / "models" / "pnet.tflite").write_bytes(b"not the model")
    with pytest.raises(ModelError, match="damaged"):
        trust("door", state)
    assert "signature" not in json.loads(card.read_bytes())
