"""A trained model as a recipe leaves it: a .keras file, or the folder of a run with its config.json."""

from __future__ import annotations

import importlib
import json
import pkgutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from facesecure.domain.errors import ModelError, UsageError
from facesecure.recognition.classifier_scores import nobodies
from facesecure.vision.images.align import ALIGNMENT, CROP, SIZE
from facesecure_training import networks
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.folders import MANIFEST

FACTS = "config.json"
"""What a run records of its model, beside the .keras file (``recipes.run_folder``)."""
_BEST = ("best.keras", "model.keras", "final.keras", "last.keras")

Crop = Literal["aligned", "loose"]
Light = Literal["as taken", "brightened"]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a card states that cannot be measured: the ``classes`` of a classifier (none: it embeds), and its origin.

    ``crop`` is how its images are cropped, None if unknown; ``margin`` and ``detector`` matter for a loose crop.
    ``light`` says whether a classifier was trained on dark faces as taken, or brightened as for an embedder.
    """

    classes: tuple[str, ...] = ()
    crop: Crop | None = None
    margin: float = 0.25
    detector: str = "mtcnn"
    light: Light = "as taken"
    dataset: str = "not said"
    licence: str = "not said"
    origin: str = "trained by facesecure-train"

    @classmethod
    def of_run(cls, path: Path) -> Self:
        """Read what the run at ``path`` (its folder, or a file in it) recorded; the defaults where it recorded nothing.

        How its images were cropped is read from the manifest of its training data.
        """
        facts = (path if path.is_dir() else path.parent) / FACTS
        if not facts.is_file():
            return cls()
        try:
            found = json.loads(facts.read_text())
            data = found.get("settings", {}).get("data")
            origin, light = f"facesecure-train train {found['kind']}", found.get("light", "as taken")
            identity = cls(classes=tuple(found.get("classes", ())), origin=origin, light=light)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(
                f"{facts} does not describe a run ({error})", "move the .keras file elsewhere, and pass that"
            ) from error
        return identity if data is None else identity.with_dataset(Path(data))

    def with_dataset(self, folder: Path) -> Self:
        """Return the identity with the data set ``folder``, and the crop in its manifest, if it has one."""
        named = replace(self, dataset=folder.name)
        if not (folder / MANIFEST).is_file():
            return named
        import pyarrow.parquet as parquet

        settings = json.loads((parquet.read_schema(folder / MANIFEST).metadata or {}).get(b"facesecure.extract", b"{}"))
        if "crop" not in settings:
            return named
        crop: Crop = "loose" if settings["crop"] == CROP else "aligned"
        return replace(named, crop=crop, margin=settings["margin"], detector=settings["detector"])

    def overridden(self, **given: Any) -> Self:
        """Return the identity with the values ``given``, except None."""
        return replace(self, **{key: value for key, value in given.items() if value is not None})

    def as_card(self, size: int, side: int) -> dict[str, Any]:
        """Return the card's fields for a network with ``size`` outputs that takes images ``side`` pixels high.

        If the crop is unknown, images of an aligned face's size count as aligned. Raises UsageError if the outputs do
        not match the classes.
        """
        common = {"origin": self.origin, "licence": self.licence, "dataset": self.dataset}
        if not self.classes:
            return {**common, **_embedding(size)}
        if len(self.classes) != size:
            raise UsageError(
                f"the network has {size} outputs, but {len(self.classes)} classes are named: {', '.join(self.classes)}",
                "name its classes in their order with --labels a,b,c",
            )
        return {**common, **self._classification(size, self.crop or ("aligned" if side == SIZE else "loose"))}

    def _classification(self, size: int, crop: Crop) -> dict[str, Any]:
        loose = {"version": CROP, "margin": self.margin, "detector": self.detector}
        return {
            "task": "face-classification",
            "labels": self.classes,
            "outputs": [{"name": "probabilities", "shape": [1, size], "meaning": "of each label, in their order"}],
            "alignment": ALIGNMENT if crop == "aligned" else None,
            "classifier": {
                "unknown": nobodies(self.classes),
                "crop": None if crop == "aligned" else loose,
                "light": self.light,
            },
        }


def _embedding(size: int) -> dict[str, Any]:
    meaning = "where the face lies; the nearer two faces, the more alike"
    return {
        "task": "face-embedding",
        "outputs": [{"name": "embedding", "shape": [1, size], "meaning": meaning}],
        "alignment": ALIGNMENT,
        "embedding_size": size,
    }


def read(path: Path) -> Any:
    """Load the Keras model at ``path``: a .keras file, or the folder of a run.

    Of a siamese network, the embedder in it.

    Raises ModelError if there is none, or Keras cannot read it.
    """
    file = file_of(path)
    keras = tensorflow().keras
    for module in pkgutil.iter_modules(networks.__path__):  # once imported, Keras knows the layers they define
        importlib.import_module(f"{networks.__name__}.{module.name}")
    try:
        model = keras.models.load_model(file, compile=False)
    except (ValueError, TypeError, OSError, KeyError, AttributeError) as error:
        reason = (str(error).strip().splitlines() or ["?"])[0]
        raise ModelError(f"Keras cannot read {file}: {reason}", "save it with model.save('NAME.keras')") from error
    return embedding_part(model)


def embedding_part(model: Any) -> Any:
    """Return ``model`` if it takes one image; of a siamese pair, the network inside that embeds one.

    Raises ModelError for a network of several inputs without such a part.
    """
    if len(model.inputs) == 1:
        return model
    inside = [part for part in model.layers if hasattr(part, "layers") and len(part.inputs) == 1]
    if len(inside) != 1:
        raise ModelError(f"{model.name} takes {len(model.inputs)} images at once", "export the part that embeds one")
    return inside[0]


def image_size(model: Any) -> tuple[int, int]:
    """Return the input size (height, width). Raises ModelError unless ``model`` takes one RGB image of fixed size."""
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4 or shape[3] != 3 or None in shape[1:]:
        raise ModelError(f"{model.name} takes {shape}, not RGB images of one size", "give its input a fixed shape")
    return int(shape[1]), int(shape[2])


def file_of(path: Path) -> Path:
    """Return the path of the .keras file. Raises ModelError if there is none."""
    if path.is_file():
        return path
    found = [path / name for name in _BEST if (path / name).is_file()] or sorted(path.glob("*.keras"))
    if not found:
        raise ModelError(f"there is no Keras model at {path}", "pass NAME.keras, or the folder of a finished run")
    return found[0]
