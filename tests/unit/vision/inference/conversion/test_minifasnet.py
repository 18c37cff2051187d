"""The published weights of both networks, and files that only look like them."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from facesecure.domain.errors import DownloadError, ModelError
from facesecure.vision.inference import model_registry
from facesecure.vision.inference.conversion import minifasnet
from facesecure.vision.inference.conversion.onnx_weights import read_graph
from facesecure.vision.inference.conversion.torch_weights import read_tensors
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_registry import ModelStatus, list_models, pull, verify_models
from support.http import serving

FILES = {
    "antispoof-minivision": "2.7_80x80_MiniFASNetV2.pth",
    "antispoof-celeba": "face-antispoof-onnx.best_model_quantized.onnx",
}


@pytest.mark.parametrize("name", FILES)
def test_a_network_is_pulled_converted_and_gives_its_golden_output(
    name: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = (shared_data / "models" / "antispoof" / FILES[name]).read_bytes()
    with serving(published, monkeypatch, tmp_path) as server:
        path = pull(name, tmp_path, mirror=server.url)
        assert pull(name, tmp_path, mirror=server.url) == path
        assert len(server.ranges) == 1, "what is here already is not downloaded again"
    assert sorted(file.name for file in (tmp_path / "models").iterdir()) == [f"{name}.json", f"{name}.tflite"]
    assert [entry.status for entry in list_models(tmp_path) if entry.name == name] == [ModelStatus.PULLED]
    assert [check.problem for check in verify_models(tmp_path) if check.name == name] == [""]


def test_a_conversion_that_gives_other_bytes_is_refused(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = (shared_data / "models" / "antispoof" / FILES["antispoof-celeba"]).read_bytes()
    monkeypatch.setattr(minifasnet, "from_onnx", lambda _: b"another network")
    with (
        serving(published, monkeypatch, tmp_path) as server,
        pytest.raises(DownloadError, match="converted to another"),
    ):
        pull("antispoof-celeba", tmp_path, mirror=server.url)
    assert not (tmp_path / "models" / "antispoof-celeba.json").exists()


def test_both_models_are_pulled_by_one_name() -> None:
    assert set(model_registry.to_pull("antispoof")) == set(FILES)
    assert model_registry.to_pull("yunet") == ("yunet",)


def test_the_converted_network_answers_as_the_published_one(shared_data: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    published = (shared_data / "models" / "antispoof" / FILES["antispoof-celeba"]).read_bytes()
    session = runtime.InferenceSession(published, providers=["CPUExecutionProvider"])
    graph = Interpreter(minifasnet.from_onnx(published))
    for seed in range(5):
        squares = np.random.default_rng(seed).integers(0, 255, (8, 8, 3)).astype(np.uint8)
        face = cv2.resize(squares, (128, 128))[None]
        (logits,) = session.run(None, {"input": face.transpose(0, 3, 1, 2).astype(np.float32) / 255})
        wanted = np.exp(logits[0]) / np.exp(logits[0]).sum()
        (found,) = graph.invoke(face)
        np.testing.assert_allclose(found[0], wanted, atol=0.02)  # the published one rounds activations to 8 bits


class _Thief:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("echo stolen",)


def test_a_pickle_that_asks_for_anything_else_than_tensors_is_refused() -> None:
    stream = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {}, {"conv1.conv.weight": _Thief()}):
        pickle.dump(part, stream, protocol=2)
    with pytest.raises(ModelError, match="it asks for"):
        read_tensors(stream.getvalue())


@pytest.mark.parametrize("cut", [0, 1, 100, 50_000])
def test_files_that_are_cut_off_are_refused(cut: int, shared_data: Path) -> None:
    folder = shared_data / "models" / "antispoof"
    with pytest.raises(ModelError):
        minifasnet.from_torch((folder / FILES["antispoof-minivision"]).read_bytes()[:cut])
    with pytest.raises(ModelError):
        minifasnet.from_onnx((folder / FILES["antispoof-celeba"]).read_bytes()[:cut])


def test_a_graph_without_the_networks_layers_is_refused() -> None:
    empty = bytes([7 << 3 | 2, 0])
    assert read_graph(empty).nodes == ()
    with pytest.raises(ModelError, match="not the weights"):
        minifasnet.from_onnx(empty)
