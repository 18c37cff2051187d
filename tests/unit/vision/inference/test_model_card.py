"""A model that is not what its card says is refused, and the error says what to do."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from facesecure.domain.errors import ModelError
from facesecure.vision.inference.card_files import available_models, bundled_directory, shadowing_cards
from facesecure.vision.inference.model_card import golden_input, load_model


@pytest.fixture
def copy(tmp_path) -> Path:
    """P-Net and its card, to be damaged."""
    for suffix in (".tflite", ".json"):
        shutil.copy(bundled_directory() / f"pnet{suffix}", tmp_path)
    return tmp_path / "pnet.json"


def edit(card: Path, **changes) -> None:
    card.write_text(json.dumps({**json.loads(card.read_text()), **changes}))


@pytest.mark.parametrize("suffix", [".tflite", ".json"])
def test_a_model_is_found_by_the_path_of_either_file(copy, suffix):
    assert load_model(copy.with_suffix(suffix)).card.name == "pnet"
    assert load_model(str(copy.with_suffix(suffix))).card.name == "pnet"


def test_a_bundled_model_is_found_by_name():
    assert load_model("pnet").path.parent == bundled_directory()


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ModelError, match="there is no model 'pnett'") as caught:
        load_model("pnett")
    assert "pnet" in caught.value.hint


def test_a_model_in_the_state_directory_never_takes_the_name_of_a_bundled_one(copy, tmp_path, caplog):
    state = tmp_path / "state"
    shutil.copytree(copy.parent, state / "models", ignore=lambda *_: ["state"])
    assert load_model("pnet", state).path.parent == bundled_directory()
    assert "pnet.json is ignored: it has the name of a bundled model" in caplog.text
    assert [path.name for path in shadowing_cards(state)] == ["pnet.json"]


def test_a_model_of_another_name_is_found_in_the_state_directory_if_its_card_is_trusted(copy, tmp_path):
    state = tmp_path / "state"
    shutil.copytree(copy.parent, state / "models", ignore=lambda *_: ["state"])
    (state / "models" / "pnet.json").rename(state / "models" / "door.json")
    assert available_models(state)["door"].parent == state / "models"
    assert load_model("door", state, lambda _, content: content).path.parent == state / "models"
    with pytest.raises(ModelError, match="signature was not checked"):
        load_model("door", state)


def test_one_flipped_bit_is_found(copy):
    model = copy.with_suffix(".tflite")
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        load_model(copy)


def test_a_missing_file_is_an_error_with_a_hint(copy):
    copy.with_suffix(".tflite").unlink()
    with pytest.raises(ModelError, match=r"cannot read model .*pnet\.tflite") as caught:
        load_model(copy)
    assert caught.value.hint


def test_a_missing_card_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="cannot read model card"):
        load_model(tmp_path / "nothing.tflite")


def test_a_model_for_faces_aligned_another_way_is_refused(copy):
    edit(copy, alignment="eyes-160-v0")
    with pytest.raises(ModelError, match="aligned as 'eyes-160-v0'"):
        load_model(copy)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"colours": "RGB"}, "colours"),
        ({"sha256": "abc"}, "sha256"),
        ({"task": "dancing"}, "task"),
        ({"file": "../../etc/passwd"}, "file"),
        ({"input": {"shape": [1], "dtype": "int4"}}, "input.dtype"),
    ],
)
def test_a_card_that_makes_no_sense_says_where(copy, changes, where):
    edit(copy, **changes)
    with pytest.raises(ModelError, match=f"invalid at {re.escape(where)}: ") as caught:
        load_model(copy)
    assert "Input should" not in str(caught.value)


def test_a_card_that_is_no_json_is_an_error(copy):
    copy.write_text("{")
    with pytest.raises(ModelError, match="invalid at its start"):
        load_model(copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"input": {"shape": [1, 112, 112, 3], "dtype": "uint8"}},
        {"input": {"shape": [None, None, None, 3], "dtype": "float32"}},
        {"outputs": []},
    ],
)
def test_a_graph_that_does_not_fit_its_card_is_refused_when_it_is_built(copy, changes):
    edit(copy, **changes)
    with pytest.raises(ModelError, match="does not fit its card"):
        load_model(copy).interpreter()


def test_a_model_that_computes_something_else_fails_its_golden_test(copy):
    golden = json.loads(copy.read_text())["golden"]
    golden["outputs"][0][0] += 2 * golden["tolerance"]
    edit(copy, golden=golden)
    with pytest.raises(ModelError, match="gives other results on this machine"):
        load_model(copy).verify()


def test_an_onnx_file_is_not_given_to_the_tflite_interpreter(copy):
    copy.with_suffix(".tflite").rename(copy.with_suffix(".onnx"))
    edit(copy, file="pnet.onnx")
    with pytest.raises(ModelError, match="not a TFLite model"):
        load_model(copy).interpreter()


def test_the_golden_input_is_the_same_everywhere_for_ever():
    image = golden_input((1, 112, 112, 3), 14, "facesecure")
    digest = hashlib.sha256(image.tobytes()).hexdigest()
    assert digest == "0009da3b24c8f32dcca1fe280431cb0261d200c646eb349c94ddbf6110598fb0"
    assert (image[0, 0, 0] == image[0, 13, 13]).all()
    assert image.dtype == np.uint8
