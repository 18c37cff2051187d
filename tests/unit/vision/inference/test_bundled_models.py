"""Bundled models run on both runtimes, state their origin, and are small enough."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from facesecure.vision.inference.card_files import available_models, bundled_directory
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import load_model

ROOT = Path(__file__).resolve().parents[4]
OTHER = ROOT / ".venv-tflite/bin/python"
NAMES = sorted(available_models())

VERIFY = """
import json
from facesecure.vision.inference.card_files import available_models
from facesecure.vision.inference.model_card import load_model
models = {name: load_model(name) for name in available_models()}
print(json.dumps({name: [m.interpreter().runtime, m.verify()] for name, m in models.items()}))
"""


def test_all_six_models_are_there():
    assert NAMES == ["mobilefacenet", "mobilefacenet-float16", "onet", "pnet", "rnet", "ssd-mobilenetv2"]


def test_together_they_are_under_ten_megabytes():
    assert sum(path.stat().st_size for path in bundled_directory().iterdir() if path.is_file()) < 10_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_model_gives_its_golden_output_here(name):
    assert load_model(name).verify() <= load_model(name).card.golden.tolerance


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, list]:
    """Each model's runtime and distance from its golden output, in the environment with tflite-runtime."""
    if not OTHER.exists():
        pytest.skip("there is no .venv-tflite with tflite-runtime (make setup builds it)")
    environment = {**os.environ, "FACESECURE_RUNTIME": "tflite-runtime"}
    done = subprocess.run([OTHER, "-c", VERIFY], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_model_gives_its_golden_output_on_tflite_runtime(name, elsewhere):
    runtime, distance = elsewhere[name]
    assert runtime == "tflite-runtime"
    assert distance <= load_model(name).card.golden.tolerance


@pytest.mark.parametrize("name", NAMES)
def test_xnnpack_takes_everything_but_the_cast_from_uint8_and_the_joining_of_the_anchors(name):
    model = load_model(name)
    graph = model.interpreter()
    if graph.runtime != "litert":
        pytest.skip("counted on LiteRT")
    count = graph.delegation
    assert count.nodes - count.delegated == (3 if name == "ssd-mobilenetv2" else 1)
    stated = model.card.delegation["litert"]
    assert (stated.nodes, stated.delegated, stated.partitions) == (count.nodes, count.delegated, count.partitions)


@pytest.mark.parametrize("name", NAMES)
def test_every_shape_is_static(name):
    graph = Interpreter(load_model(name).content)
    shapes = [detail["shape_signature"] for detail in graph._graph.get_tensor_details()]
    assert all((shape >= 0).all() for shape in shapes)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_where_the_weights_come_from(name):
    card = load_model(name).card
    assert card.licence in ("MIT", "Apache-2.0")
    assert card.origin
    assert card.dataset
    assert card.parity
    assert {"litert", "tflite-runtime"} == set(card.delegation)
    assert f"{name}.tflite" in (ROOT / "NOTICE").read_text()


def test_the_embedding_models_cards_hold_what_verdicts_are_made_from():
    for name in ("mobilefacenet", "mobilefacenet-float16"):
        card = load_model(name).card
        assert card.score_model.genuine.mean > card.score_model.impostor.mean
        assert card.impostor_quantiles["0.001"] < card.impostor_quantiles["0.0001"] < card.score_model.genuine.mean
        assert card.accuracy["lfw-dev verification, 10-fold, %"] >= 98.9


def test_the_shipped_form_is_within_a_fifth_of_a_point_of_float():
    """The float16 file's embeddings equal float32's to six digits; its card's parity proves it."""
    shipped, exact = (load_model(name).card for name in ("mobilefacenet", "mobilefacenet-float16"))
    figure = "lfw-dev verification, 10-fold, %"
    assert exact.parity[1].value > 0.9999
    assert abs(shipped.accuracy[figure] - exact.accuracy[figure]) <= 0.2
