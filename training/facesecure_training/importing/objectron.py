"""``facesecure-train import objectron``: from the npm package to the daemon's model of people, animals and vehicles.

The package carries, for its own purposes, an SSD-MobileNetV2 trained on Open Images: labels and a TFLite file in one.
The network is not rebuilt: its own graph is edited (``export.surgery``), so that weights and operations stay Google's.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import ModelError
from facesecure.util.rounding import apart
from facesecure.vision.detection.subjects import MODEL, SIDE, shrunk
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.interpreter import Interpreter
from facesecure.vision.inference.model_card import ModelCard, golden_input
from facesecure_training.common import model_bundle
from facesecure_training.common.photos import photos_below
from facesecure_training.export.quantise import with_int8_kernels
from facesecure_training.export.surgery import with_float32_constants, with_uint8_input

_PACKED = "package/objectron_solution_packed_assets.data"
_MODEL = slice(184, 9_987_912)
_KNOWN = "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"
_LABELS_KNOWN = "c148336a65f673013609a923fdcbdeec0f49df935045029c3746a3828a0e80e0"
_GET = "npm pack @mediapipe/objectron@0.4.1675468480, then pass the .tgz with --from"
_ORIGIN = (
    "SSD-MobileNetV2 by Google, as the npm package @mediapipe/objectron 0.4.1675468480 carries it (bytes 184 to "
    "9,987,912 of objectron_solution_packed_assets.data; the labels are the bytes before); weights widened from "
    "float16, kernels rounded and the input made uint8 by facesecure-train import objectron; the network is that of "
    "Liu et al. 2016, https://arxiv.org/abs/1512.02325, on Sandler et al. 2018, https://arxiv.org/abs/1801.04381"
)
_DATASET = "Open Images V4 (images under CC BY 2.0 from Flickr), by the labels; Google trained the weights"
_NOTES = (
    "1917 anchors of six layers, as vision.detection.subjects makes them. mixed8: kernels of convolutions are int8, "
    "one scale an output channel; the first kernel, depthwise kernels and biases are float32. LiteRT rounds "
    "activations to 8 bits on the run; tflite-runtime does not delegate such convolutions, and takes longer."
)
_TOLERANCE = 0.15
"""Largest difference of a label's best score from the published file: int8 kernels move scores near a half most."""
_GOLDEN_TOLERANCE = 0.5
_GOLDEN_EVERY = 101
_SQUARES = 20
_MOST_PHOTOS = 300
_Scores = NDArray[np.float64]


def run(
    source: Path, folder: Path, photos: Path | None = None, other_python: Path | None = None
) -> Iterator[ModelCard]:
    """Edit, check and write the network, and yield its card.

    ``source`` is the npm package, or the file of its assets. Parity with the published file is checked on the photos
    under ``photos`` (at most 300), or on coloured squares. Raises ModelError if the file is another one, or the export
    deviates from it.
    """
    labels, published = read_source(source)
    content = with_uint8_input(with_int8_kernels(with_float32_constants(published), _is_rounded), 1 / 127.5, -1.0)
    parity = _parity(published, content, _images(photos))
    facts = _facts(labels, parity)
    shape = (1, SIDE, SIDE, 3)
    yield model_bundle.write(folder, content, facts, shape, _GOLDEN_TOLERANCE, other_python, every=_GOLDEN_EVERY)


def read_source(source: Path) -> tuple[tuple[str, ...], bytes]:
    """Return the labels and the bytes of the TFLite file. Raises ModelError unless they are the known ones."""
    try:
        packed = _from_package(source) if source.suffix == ".tgz" else source.read_bytes()
    except (OSError, KeyError, tarfile.TarError) as error:
        raise ModelError(f"cannot read the detector from {source}: {error}", _GET) from error
    content, labels = packed[_MODEL], packed[: _MODEL.start]
    if hashlib.sha256(content).hexdigest() != _KNOWN or hashlib.sha256(labels).hexdigest() != _LABELS_KNOWN:
        raise ModelError(f"{source} is not @mediapipe/objectron 0.4.1675468480", _GET)
    return tuple(labels.decode().split("\n")[:-1]), content


def _from_package(source: Path) -> bytes:
    with tarfile.open(source) as archive:
        member = archive.extractfile(_PACKED)
        if member is None:
            raise KeyError(f"{_PACKED} is not a file")
        return member.read(_MODEL.stop)


def _is_rounded(kernel: tuple[int, ...]) -> bool:
    """Return whether to round a kernel: not the first, which sees the image itself and is small."""
    return kernel[3] != 3


def _images(photos: Path | None) -> list[Image]:
    """Return images as the network sees them, uint8 RGB (300, 300, 3)."""
    if photos is None:
        return [golden_input((1, SIDE, SIDE, 3), 15 * (1 + n % 4), f"parity {n}")[0] for n in range(_SQUARES)]
    paths = photos_below(photos)
    return [shrunk(read_photo(path)) for path in paths[:: max(1, len(paths) // _MOST_PHOTOS)][:_MOST_PHOTOS]]


def _parity(published: bytes, content: bytes, images: Sequence[Image]) -> dict[str, Any]:
    """Return the largest difference of a label's best score between the two files, over ``images``."""
    before, after = Interpreter(published), Interpreter(content)
    worst = 0.0
    for image in images:
        normalised = image.astype(np.float32) / np.float32(127.5) - np.float32(1)
        wanted, found = _best(before.invoke(normalised[None])[1]), _best(after.invoke(image[None])[1])
        worst = max(worst, float(np.abs(wanted - found).max()))
    if worst > _TOLERANCE:
        apart_by, allowed = apart(worst, _TOLERANCE, 3, "g")
        raise ModelError(f"{MODEL} differs by {apart_by} from the published file; {allowed} is allowed")
    return {
        "reference": "published TFLite file, float16 weights",
        "measure": "largest absolute difference of a label's best score",
        "value": float(f"{worst:.2g}"),
        "tolerance": _TOLERANCE,
        "samples": len(images),
    }


def _best(logits: NDArray[np.float32]) -> _Scores:
    """Return the best score of each label over all anchors, 0 to 1."""
    return np.asarray(1 / (1 + np.exp(-logits[0].astype(np.float64).max(0))), np.float64)


def _facts(labels: tuple[str, ...], parity: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": MODEL,
        "task": "object-detection",
        "input": {"shape": [1, SIDE, SIDE, 3], "dtype": "uint8", "colour": "RGB"},
        "outputs": [
            {
                "name": "boxes",
                "shape": [1, 1917, 4],
                "meaning": "y, x, height, width of the box of each anchor, coded with the scales 10, 10, 5, 5",
            },
            {
                "name": "logits",
                "shape": [1, 1917, len(labels)],
                "meaning": "of each label at each anchor; the sigmoid of one is its score",
            },
        ],
        "precision": "mixed8",
        "origin": _ORIGIN,
        "licence": "Apache-2.0",
        "dataset": _DATASET,
        "labels": labels,
        "parity": [parity],
        "notes": _NOTES,
    }
