"""The outputs of a trained network on every photo that its household is measured on, as taken and in poor light."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.classifiers.crops import located, read
from benchmarks.classifiers.manifest import Entry
from facesecure.domain import Image
from facesecure.vision.images.illumination import brightened
from facesecure_training.common import corruptions
from facesecure_training.common.optional_dependencies import tensorflow

Outputs = NDArray[np.float32]
Change = Callable[[Image, np.random.Generator], Image]
_BATCH = 64
MEASURED = ("validation", "test", "validation-strangers", "strangers")
LIGHTS: Mapping[str, Change] = {
    "as taken": corruptions.untouched,
    "a quarter of the light": corruptions.darker(0.25),
    "a tenth of the light": corruptions.darker(0.1),
    "light from behind": corruptions.backlit(0.75),
}
SHARE_IN_POOR_LIGHT = 3
"""Of the strangers, every third is measured in poor light too."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """``entries`` and the probabilities of ``labels`` for each, by light; not all are measured in poor light.

    ``outputs`` maps a light to (indices into ``entries``, probabilities (n, labels)).
    """

    labels: tuple[str, ...]
    entries: Sequence[Entry]
    outputs: Mapping[str, tuple[NDArray[np.int64], Outputs]]


def measure(run: Path, crops: Path, entries: Sequence[Entry], lights: Sequence[str]) -> Measured:
    """Return the outputs of the best network in ``run``; they are kept beside it, and not computed again."""
    some = [entry for entry in entries if entry.part in MEASURED]
    config = json.loads((run / "config.json").read_text())
    kept, key = run / "outputs.npz", _key(run, some, lights)
    found = _kept(kept, key)
    if found is None:
        found = _computed(run, crops, some, lights, brighten=config.get("light") == "brightened")
        np.savez_compressed(run / "outputs.writing.npz", key=np.array(key), **_flat(found))
        (run / "outputs.writing.npz").replace(kept)
    return Measured(tuple(config["classes"]), some, found)


def _computed(
    run: Path, crops: Path, entries: Sequence[Entry], lights: Sequence[str], *, brighten: bool
) -> dict[str, tuple[NDArray[np.int64], Outputs]]:
    network = _network(run)
    traced = tensorflow().function(lambda batch: network(batch, training=False), reduce_retracing=True)
    side = int(network.input_shape[1])
    images = [read(located(crops, entry.photo), side) for entry in entries]
    found = {}
    for light in lights:
        chosen = _measured_in(light, entries)
        changed = [_lit(images[index], light, index, brighten) for index in chosen]
        found[light] = np.array(chosen, np.int64), predicted(traced, changed)
    return found


def predicted(network: Callable[[Any], Any], images: Sequence[Image]) -> Outputs:
    """Return the probabilities (n, classes) for ``images``, uint8 RGB of the network's size."""
    parts = [
        np.asarray(network(np.stack(images[first : first + _BATCH])), np.float32)
        for first in range(0, len(images), _BATCH)
    ]
    return np.concatenate(parts)


def _network(run: Path) -> Any:
    from facesecure_training.networks import saved

    tensorflow().keras.backend.clear_session()
    return saved.read(run)


def _measured_in(light: str, entries: Sequence[Entry]) -> list[int]:
    if light == "as taken":
        return list(range(len(entries)))
    people = sorted({entry.person for entry in entries if entry.part == "strangers"})
    some = set(people[::SHARE_IN_POOR_LIGHT])
    return [
        number
        for number, entry in enumerate(entries)
        if entry.part == "test" or (entry.part == "strangers" and entry.person in some)
    ]


def _lit(image: Image, light: str, number: int, brighten: bool) -> Image:
    changed = LIGHTS[light](image, np.random.default_rng(number))
    return np.asarray(brightened(changed) if brighten else changed, np.uint8)


def _key(run: Path, entries: Sequence[Entry], lights: Sequence[str]) -> str:
    """Return what the outputs depend on: the network, the photos, the lights."""
    found = hashlib.sha256((run / "best.keras").read_bytes())
    found.update(repr((entries, list(lights))).encode())
    return found.hexdigest()


def _flat(found: Mapping[str, tuple[NDArray[np.int64], Outputs]]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for light, (index, outputs) in found.items():
        flat |= {f"{light}|index": index, f"{light}|outputs": outputs}
    return flat


def _kept(path: Path, key: str) -> dict[str, tuple[NDArray[np.int64], Outputs]] | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        if str(file["key"]) != key:
            return None
        lights = [name.removesuffix("|index") for name in file.files if name.endswith("|index")]
        return {light: (file[f"{light}|index"], file[f"{light}|outputs"]) for light in lights}
