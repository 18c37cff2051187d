"""The contract of whatever runs the models: XNNPACK, the runtimes' own, and an accelerator's delegate beside it.

The accelerator is a library compiled here, which the real runtime loads. No real accelerator was ever tried.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facesecure.config import DetectorConfig
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.inference.backend import Backend
from facesecure.vision.inference.model_card import load_model
from support.delegates import fake_delegate
from support.faces import only, portrait

BACKENDS: dict[str, Callable[[], Backend]] = {
    "xnnpack": Backend,
    "two threads": lambda: Backend(2),
    "accelerator": lambda: Backend(1, fake_delegate()),
    "accelerator that takes nothing": lambda: Backend(1, fake_delegate("TAKES_NOTHING")),
    "accelerator that refuses": lambda: Backend(1, fake_delegate("REFUSES")),
    "accelerator without room": lambda: Backend(1, fake_delegate("KERNEL_REFUSES")),
    "accelerator that breaks": lambda: Backend(1, fake_delegate("BREAKS_LATER")),
}
MODELS = ("pnet", "rnet", "onet", "mobilefacenet", "mobilefacenet-float16")
OTHER_PYTHON = Path(__file__).resolve().parents[2] / ".venv-tflite/bin/python"


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    return BACKENDS[request.param]()


@pytest.mark.parametrize("name", MODELS)
def test_every_bundled_model_gives_its_golden_output(backend: Backend, name: str) -> None:
    model = load_model(name)
    assert model.card.golden is not None
    image = model.card.golden.input()
    graph = model.interpreter(backend, input_shape=image.shape)
    for _ in range(5):  # the one that breaks does so in between
        assert model.card.golden.distance(graph.invoke(image)) <= model.card.golden.tolerance


@pytest.mark.parametrize("name", MODELS)
def test_the_outputs_are_those_of_the_processor_to_the_last_bit(backend: Backend, name: str) -> None:
    if backend.threads > 1:
        pytest.skip("with two threads sums may be added in another order")
    model = load_model(name)
    assert model.card.golden is not None
    image = model.card.golden.input()
    wanted = model.interpreter(input_shape=image.shape).invoke(image)
    graph = model.interpreter(backend, input_shape=image.shape)
    for _ in range(5):
        found = graph.invoke(image)
        assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))


def test_inputs_and_outputs_are_those_of_the_card(backend: Backend) -> None:
    graph, plain = (load_model("onet").interpreter(one, input_shape=(1, 48, 48, 3)) for one in (backend, Backend()))
    assert (graph.inputs, graph.outputs) == (plain.inputs, plain.outputs)


def test_an_array_of_the_wrong_shape_is_refused_and_does_not_cost_the_accelerator(backend: Backend) -> None:
    graph = load_model("pnet").interpreter(backend, input_shape=(1, 18, 22, 3))
    before = graph.delegate
    with pytest.raises(ValueError, match="the graph takes"):
        graph.invoke(np.zeros((1, 18, 21, 3), np.uint8))
    assert graph.delegate == before


def test_a_face_is_found_and_embedded_alike(backend: Backend) -> None:
    image = portrait()
    faces = [only(build_detector(DetectorConfig(), backend=one).detect(image)) for one in (backend, Backend())]
    assert faces[0].box == pytest.approx(faces[1].box, abs=0.01)
    crop = np.ascontiguousarray(image[:112, :112])
    ours, plain = (ModelEmbedder(load_model("mobilefacenet"), one).embed(crop) for one in (backend, Backend()))
    assert float(ours @ plain) > 0.9999


def test_the_older_runtime_runs_a_delegate_alike() -> None:
    if not OTHER_PYTHON.is_file():
        pytest.skip("there is no .venv-tflite with tflite-runtime (make setup builds it)")
    done = subprocess.run(
        [OTHER_PYTHON, "-c", _OTHER, fake_delegate()],
        env={**os.environ, "FACESECURE_RUNTIME": "tflite-runtime"}, capture_output=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found == {"runtime": "tflite-runtime", "delegated": 1, "same": True, "refusal": ""}


_OTHER = """
import json, pathlib, sys
from facesecure.vision.inference.backend import Backend
from facesecure.vision.inference.model_card import load_model
model = load_model("mobilefacenet")
image = model.card.golden.input()
graph = model.interpreter(Backend(1, pathlib.Path(sys.argv[1])))
same = all((a == b).all() for a, b in zip(graph.invoke(image), model.interpreter().invoke(image)))
print(json.dumps({"runtime": graph.runtime, "delegated": graph.accelerated.delegated, "same": bool(same),
                  "refusal": graph.refusal}))
"""
