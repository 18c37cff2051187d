"""What a card says of a trained model: its classes, its crops, and where it comes from."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from facesecure.domain.errors import ModelError, UsageError
from facesecure.recognition.classifier_scores import nobodies
from facesecure.vision.images.align import ALIGNMENT, CROP, SIZE
from facesecure_training.datasets.crop_kind import aligned, extraction_of, require_aligned_size

FACTS = "config.json"
"""What a run records of its model, beside the .keras file (``recipes.run_folder``)."""

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

        How its images were cropped is read from the manifest of its training data. Raises FacesecureError if either
        cannot be read.
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
        settings = extraction_of(folder)
        if "crop" not in settings:
            return named
        crop: Crop = "aligned" if aligned(settings) else "loose"
        return replace(named, crop=crop, margin=settings["margin"], detector=settings["detector"])

    def overridden(self, **given: Any) -> Self:
        """Return the identity with the values ``given``, except None."""
        return replace(self, **{key: value for key, value in given.items() if value is not None})

    def as_card(self, size: int, side: int) -> dict[str, Any]:
        """Return the card's fields for a network with ``size`` outputs that takes images ``side`` pixels high.

        If the crop is unknown, images of an aligned face's size count as aligned. Raises UsageError if the outputs do
        not match the classes, if two have one name, or if a classifier takes aligned faces in another size than
        the daemon's.
        """
        common = {"origin": self.origin, "licence": self.licence, "dataset": self.dataset}
        if not self.classes:
            return {**common, **_embedding(size)}
        if len(self.classes) != size:
            raise UsageError(
                f"the network has {size} outputs, but {len(self.classes)} classes are named: {', '.join(self.classes)}",
                "name its classes in their order with --labels a,b,c",
            )
        if self.crop == "aligned":
            require_aligned_size(side)
        twice = [name for name, count in Counter(self.classes).items() if count > 1]
        if twice:
            raise UsageError(
                f"two classes are named {twice[0]}", "name every class once, in their order, with --labels a,b,c"
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
