"""Split CelebA's list of identities by person: a training set, and a validation set for thresholds."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from facesecure_training.datasets.splitting import divide

SHARES = {"train": 0.85, "validation": 0.15}


def write_parts(identities: Path, folder: Path, seed: int) -> dict[str, Path]:
    """Write a list for each of SHARES into ``folder``; each person is in one. Return the lists' paths."""
    people: defaultdict[str, list[str]] = defaultdict(list)
    with identities.open(newline="") as file:
        for picture, person in list(csv.reader(file))[1:]:
            people[person].append(picture)
    parts = divide({person: len(pictures) for person, pictures in people.items()}, SHARES, seed)
    return {part: _write(folder / f"{part}.csv", {one: people[one] for one in names}) for part, names in parts.items()}


def _write(path: Path, people: dict[str, list[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "identity"))
        writer.writerows((picture, person) for person, pictures in people.items() for picture in pictures)
    return path
