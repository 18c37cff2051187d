"""Statistics of a data set: images per class, sizes, quality, and what is wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facesecure.vision.images.image_headers import read_header
from facesecure_training.datasets import manifest
from facesecure_training.datasets.folders import MANIFEST, ClassFolder

_HEAD = 1 << 16
"""Bytes at the start of a file that hold the image's size, except in photos with long metadata."""
MEASURES = ("clarity", "eye_distance", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "confidence")


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The 5th, 50th and 95th percentile."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Percentiles:
        """Return the percentiles of ``values``, rounded to three decimals."""
        low, median, high = np.percentile(values, (5, 50, 95))
        return cls(round(float(low), 3), round(float(median), 3), round(float(high), 3))


@dataclass(frozen=True, slots=True)
class ClassStats:
    """One class: its images, the videos and photos they come from, their quality.

    ``unusable`` counts images that the daemon would not use; ``reasons`` says why.
    """

    pictures: int
    sources: int
    quality: dict[str, Percentiles] = field(default_factory=dict)
    unusable: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """Statistics of all classes.

    ``sizes`` counts images by width x height. ``unreadable`` files are no images. ``twins`` are groups of identical
    files; ``mislabelled`` are twins in two classes, one of which must be wrong.
    """

    pictures: int
    classes: dict[str, ClassStats]
    sizes: dict[str, int]
    unreadable: list[str]
    twins: list[list[str]]
    mislabelled: list[list[str]]


def stats_of(folder: ClassFolder) -> DatasetStats:
    """Return the statistics of ``folder``; quality only if it has a manifest."""
    names = [file.relative_to(folder.root).as_posix() for file in folder.files]
    sizes = {name: _size(file) for name, file in zip(names, folder.files, strict=True)}
    twins = _twins(folder)
    return DatasetStats(
        len(folder),
        _by_class(folder, names),
        dict(Counter(size for size in sizes.values() if size).most_common()),
        [name for name, size in sizes.items() if size is None],
        twins,
        [group for group in twins if len({name.split("/", 1)[0] for name in group}) > 1],
    )


def _by_class(folder: ClassFolder, names: Sequence[str]) -> dict[str, ClassStats]:
    there = set(names)
    rows: dict[str, list[manifest.ManifestRow]] = defaultdict(list)
    if (folder.root / MANIFEST).is_file():
        for row in manifest.read(folder.root):
            if row["file"] in there:
                rows[row["class"]].append(row)
    sources: dict[str, set[str]] = defaultdict(set)
    for label, source in zip(folder.labels, folder.sources, strict=True):
        sources[folder.classes[label]].add(source)
    return {name: _class(count, len(sources[name]), rows[name]) for name, count in folder.counts().items()}


def _class(count: int, sources: int, rows: Sequence[manifest.ManifestRow]) -> ClassStats:
    if not rows:
        return ClassStats(count, sources)
    reasons = Counter(reason.split(":")[0] for row in rows for reason in row["reasons"])
    return ClassStats(
        count,
        sources,
        {name: Percentiles.of([row[name] for row in rows]) for name in MEASURES},
        sum(bool(row["reasons"]) for row in rows),
        dict(reasons.most_common()),
    )


def _size(path: Path) -> str | None:
    """Return "WIDTHxHEIGHT" by the file's header; None if the file is no image, or empty."""
    with path.open("rb") as file:
        header = read_header(file.read(_HEAD))
        if header is None:
            file.seek(0)
            header = read_header(file.read())
    return None if header is None else f"{header.width}x{header.height}"


def _twins(folder: ClassFolder) -> list[list[str]]:
    """Return groups of files with the same bytes. Only files of equal length are read."""
    by_length: dict[int, list[Path]] = defaultdict(list)
    for path in folder.files:
        by_length[path.stat().st_size].append(path)
    by_content: dict[bytes, list[str]] = defaultdict(list)
    for path in _flat(group for group in by_length.values() if len(group) > 1):
        digest = hashlib.sha256(path.read_bytes()).digest()
        by_content[digest].append(path.relative_to(folder.root).as_posix())
    return sorted(group for group in by_content.values() if len(group) > 1)


def _flat(groups: Iterable[list[Path]]) -> Iterable[Path]:
    return (path for group in groups for path in group)
