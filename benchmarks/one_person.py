"""Arrange LFW's photos as in the report of 2020: one person against the others, and held-out strangers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from facesecure_training.datasets.splitting import divide

WHO = "George_W_Bush"
REST = "unknown"
BY_PHOTO = {"train": 0.6, "validation": 0.2, "test": 0.2}
BY_PERSON = {"rest": 0.6, "validation-strangers": 0.15, "strangers": 0.25}

Photos = Mapping[str, Sequence[Path]]


def link(images: Path, root: Path, rest: int, seed: int, without: Collection[str] = ()) -> None:
    """Link photos as ``root``/PART/CLASS/photo: WHO and REST split by photo, strangers split by person.

    REST has at most ``rest`` photos in the training part, and in proportion in the others. People in ``without``, who
    chose the settings, are in no part.
    """
    folders = (folder for folder in sorted(images.iterdir()) if folder.is_dir() and folder.name not in without)
    people = {folder.name: sorted(folder.glob("*.jpg")) for folder in folders}
    own = people.pop(WHO)
    groups = divide({name: len(photos) for name, photos in people.items()}, BY_PERSON, seed)
    others = [photo for name in groups.pop("rest") for photo in people[name]]
    order = np.random.default_rng(seed).permutation(len(others))
    some = [others[index] for index in order[: round(rest / BY_PHOTO["train"])]]
    for label, photos in ((WHO, own), (REST, some)):
        for part, chosen in _by_photo(photos, seed).items():
            _link(root / part / label, chosen)
    for part, names in groups.items():
        for name in names:
            _link(root / part / name, people[name])


def _by_photo(photos: Sequence[Path], seed: int) -> Photos:
    parts = divide({str(photo): 1 for photo in photos}, BY_PHOTO, seed)
    return {part: [Path(name) for name in names] for part, names in parts.items()}


def _link(folder: Path, photos: Sequence[Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for photo in photos:
        place = folder / photo.name
        if not place.is_symlink():
            place.symlink_to(photo)
