"""The quality of the faces of a data set, from its manifest, in the database of its catalogue."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure_training.datasets import manifest
from facesecure_training.datasets.catalogue import Catalogue


class QualityRows:
    """The figures of each class's faces, as far as their files are there.

    Example::

        QualityRows(images, folder / MANIFEST, ("clarity",)).values("anna", "clarity").mean()
    """

    def __init__(self, images: Catalogue, path: Path, measures: Sequence[str]) -> None:
        """Read the manifest at ``path``. Raises FacesecureError if it cannot be read."""
        self._rows = images.rows
        columns = ", ".join(f"{name} REAL" for name in measures)
        self._rows.execute(f"CREATE TABLE quality (class TEXT, unusable INTEGER, {columns})")
        self._reasons: dict[str, Counter[str]] = {}
        marks = ", ".join("?" * (2 + len(measures)))
        for rows in manifest.partitions(path, ["file", "class", "reasons", *measures]):
            there = [row for row in rows if self._is_there(row["file"])]
            self._rows.executemany(
                f"INSERT INTO quality VALUES ({marks})",
                ((row["class"], bool(row["reasons"]), *(row[name] for name in measures)) for row in there),
            )
            for row in there:
                self._count(row)
        self._rows.execute("CREATE INDEX by_class ON quality (class)")

    def has(self, name: str) -> bool:
        """Return whether the manifest has faces of that class."""
        return name in self._reasons

    def values(self, name: str, measure: str) -> NDArray[np.float64]:
        """Return one measure of all faces of a class, without values that are missing or not finite."""
        found = self._rows.execute(f"SELECT {measure} FROM quality WHERE class = ? AND {measure} IS NOT NULL", (name,))
        values = np.fromiter((value for (value,) in found), np.float64)  # SQLite keeps NaN as NULL
        return values[np.isfinite(values)]

    def unusable(self, name: str) -> int:
        """Return how many faces of a class the daemon would not use."""
        found = self._rows.execute("SELECT sum(unusable) FROM quality WHERE class = ?", (name,))
        return int(found.fetchone()[0])

    def reasons(self, name: str) -> Counter[str]:
        """Return how often each reason is given in a class."""
        return self._reasons[name]

    def _is_there(self, file: str) -> bool:
        found = self._rows.execute("SELECT 1 FROM images WHERE file = ?", (os.fsencode(file),))
        return found.fetchone() is not None

    def _count(self, row: dict[str, Any]) -> None:
        counts = self._reasons.setdefault(row["class"], Counter())
        counts.update(reason.split(":")[0] for reason in row["reasons"])
