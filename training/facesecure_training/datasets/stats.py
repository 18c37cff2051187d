"""Statistics of a data set: images per class, sizes, quality, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError
from facesecure.services.bulk.pool import Outcome, Pool, ThisProcess
from facesecure.vision.images.photos import MAX_BYTES
from facesecure_training.common.photos import class_name
from facesecure_training.datasets.catalogue import Catalogue
from facesecure_training.datasets.file_facts import Measured, digest_of, measured
from facesecure_training.datasets.folders import MANIFEST
from facesecure_training.datasets.location import absolute
from facesecure_training.datasets.quality_rows import QualityRows

_CHUNK = 256
"""Files that a worker looks at in one go, at most."""
_TABLES = """
CREATE TABLE facts (number INTEGER PRIMARY KEY, size TEXT, bytes INTEGER, digest BLOB);
"""
_ALIKE = f"SELECT bytes FROM facts WHERE bytes BETWEEN 1 AND {MAX_BYTES} GROUP BY bytes HAVING count(*) > 1"
"""Lengths of several files; empty and larger ones are no photos, and comparing the latter could take days."""
MEASURES = ("clarity", "eye_distance", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "confidence")


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The 5th, 50th and 95th percentile."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | NDArray[np.float64]) -> Percentiles:
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
    files, none empty or larger than a photo may be; ``mislabelled`` are twins in two classes, one of which must be
    wrong. ``empty`` classes have a folder and no image.
    """

    pictures: int
    classes: dict[str, ClassStats]
    sizes: dict[str, int]
    unreadable: list[str]
    twins: list[list[str]]
    mislabelled: list[list[str]]
    empty: list[str]


def stats_of(images: Catalogue, pool: Pool | None = None) -> DatasetStats:
    """Return the statistics of ``images``; quality only if there is a manifest. ``pool`` reads the files.

    Raises FacesecureError if a file cannot be read.
    """
    _gather(images, pool or ThisProcess())
    twins = _twins(images)
    sizes = images.rows.execute(
        "SELECT size, count(*) FROM facts WHERE size IS NOT NULL GROUP BY size ORDER BY count(*) DESC, min(number)"
    )
    broken = images.rows.execute("SELECT file FROM images JOIN facts USING (number) WHERE size IS NULL ORDER BY number")
    return DatasetStats(
        sum(map(len, images.values())),
        _by_class(images),
        dict(sizes.fetchall()),
        [os.fsdecode(file) for (file,) in broken],
        twins,
        [group for group in twins if len({class_name(name.split("/", 1)[0]) for name in group}) > 1],
        images.empty(),
    )


def _gather(images: Catalogue, pool: Pool) -> None:
    """Read the size of each file, and the contents of those that are as long as another."""
    images.rows.executescript(_TABLES)
    root = str(absolute(images.root))
    for outcome in pool.map(measured, root, images.paths(), _CHUNK):
        found = _result(outcome)
        images.rows.execute("INSERT INTO facts VALUES (?, ?, ?, NULL)", (found.number, found.size, found.bytes))
    images.rows.execute("CREATE INDEX by_bytes ON facts (bytes)")
    alike = f"SELECT number, file FROM images JOIN facts USING (number) WHERE bytes IN ({_ALIKE}) ORDER BY number"
    doubtful = ((number, os.fsdecode(file)) for number, file in images.rows.execute(alike).fetchall())
    for one in pool.map(digest_of, root, doubtful, _CHUNK):
        images.rows.execute("UPDATE facts SET digest = ? WHERE number = ?", tuple(reversed(_digest(one))))


def _result(outcome: Outcome[tuple[int, str], Measured]) -> Measured:
    if outcome.result is None:
        raise FacesecureError(f"{outcome.item[1]} cannot be read: {outcome.lost}", "remove it")
    return outcome.result


def _digest(outcome: Outcome[tuple[int, str], bytes]) -> tuple[int, bytes]:
    if outcome.result is None:
        raise FacesecureError(f"{outcome.item[1]} cannot be read: {outcome.lost}", "remove it")
    return outcome.item[0], outcome.result


def _twins(images: Catalogue) -> list[list[str]]:
    """Return groups of files with the same bytes."""
    images.rows.execute("CREATE INDEX by_digest ON facts (digest)")
    groups: dict[bytes, list[str]] = {}
    same = "SELECT digest FROM facts WHERE digest IS NOT NULL GROUP BY digest HAVING count(*) > 1"
    for digest, file in images.rows.execute(
        f"SELECT digest, file FROM images JOIN facts USING (number) WHERE digest IN ({same}) ORDER BY number"
    ):
        groups.setdefault(digest, []).append(os.fsdecode(file))
    return sorted(groups.values())


def _by_class(images: Catalogue) -> dict[str, ClassStats]:
    sources = dict(images.rows.execute("SELECT class, count(DISTINCT source) FROM images GROUP BY class"))
    path = Path(images.root) / MANIFEST
    quality = QualityRows(images, path, MEASURES) if path.is_file() else None
    return {name: _class(name, len(some), sources[images.number(name)], quality) for name, some in images.items()}


def _class(name: str, count: int, sources: int, quality: QualityRows | None) -> ClassStats:
    if quality is None or not quality.has(name):
        return ClassStats(count, sources)
    values = {measure: quality.values(name, measure) for measure in MEASURES}
    percentiles = {measure: Percentiles.of(some) for measure, some in values.items() if len(some)}
    reasons = quality.reasons(name)
    return ClassStats(count, sources, percentiles, quality.unusable(name), dict(reasons.most_common()))
