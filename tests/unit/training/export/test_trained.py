"""What a run says of its model reaches the card, and whoever asks the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from facesecure.domain.errors import FacesecureError, ModelError, UsageError
from facesecure.vision.images.illumination import brightened
from facesecure_training.evaluation.predictors import open_network
from facesecure_training.export.trained import Identity
from support.training.tiny_networks import classifier, portrait_crop, saved

TOLD = {"kind": "compact", "classes": ["alice", "bob", "unknown"]}


def run(folder: Path, **facts: Any) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**TOLD, **facts}))
    return folder


@pytest.mark.parametrize(("facts", "light"), [({}, "as taken"), ({"light": "brightened"}, "brightened")])
def test_the_card_says_in_what_light_a_classifier_learnt(tmp_path, facts, light):
    card = Identity.of_run(run(tmp_path / "run", **facts)).as_card(3, 112)
    assert card["classifier"]["light"] == light


@pytest.mark.parametrize("extraction", [None, "{", "7"])
def test_a_manifest_of_the_training_data_that_is_damaged_is_told_of(tmp_path, extraction):
    manifest = tmp_path / "manifest.parquet"
    manifest.write_bytes(b"PAR1")
    if extraction is not None:
        faces = pyarrow.table({"file": []}).replace_schema_metadata({"facesecure.extract": extraction})
        pyarrow.parquet.write_table(faces, manifest)
    folder = run(tmp_path / "run", settings={"data": str(tmp_path)})
    with pytest.raises(FacesecureError, match=r"manifest\.parquet cannot be read"):
        Identity.of_run(folder)


def test_a_classifier_of_aligned_faces_in_another_size_is_refused_as_the_training_refuses_it():
    aligned = Identity(classes=("alice", "bob"), crop="aligned")
    assert aligned.as_card(2, 112)["alignment"]
    with pytest.raises(UsageError, match="takes 112x112 pixels, and this one 224x224"):
        aligned.as_card(2, 224)
    assert Identity(crop="aligned").as_card(32, 64)["embedding_size"] == 32


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(UsageError, match="two classes are named a"):
        Identity(("a", "a", "b")).as_card(3, 112)


def test_what_neither_embeds_nor_classifies_is_not_evaluated():
    with pytest.raises(ModelError, match="pnet neither embeds nor classifies faces"):
        open_network("pnet")


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_run_is_asked_as_the_daemon_would_ask_its_file(tmp_path):
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    dark = (portrait_crop() * 0.15).astype(np.uint8)
    answers = {}
    for light in ("as taken", "brightened"):
        saved(classifier(side=112), run(tmp_path / light, light=light) / "best.keras")
        network = open_network(str(tmp_path / light))
        answers[light] = [network.predict(crop) for crop in (dark, brightened(dark))]
    assert (answers["brightened"][0] == answers["as taken"][1]).all()
    assert (answers["brightened"][0] != answers["as taken"][0]).any()
