"""The images of a data set in a temporary database on the disk, so that memory does not grow with their number.

``folders.ClassFolder`` keeps the names in memory, which training needs; statistics and pairs read them from here.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, overload

from facesecure.domain.errors import FacesecureError
from facesecure.services.bulk.pool import Pool, ThisProcess
from facesecure_training.common.photos import class_name
from facesecure_training.datasets import manifest
from facesecure_training.datasets.folders import MANIFEST
from facesecure_training.datasets.listing import folder_names, images_in
from facesecure_training.datasets.location import absolute, is_remote

_PAGE = 1000
_TABLES = """
PRAGMA temp_store = FILE;
CREATE TABLE found (class INTEGER, folder INTEGER, file BLOB, source BLOB);
CREATE TABLE images (number INTEGER PRIMARY KEY, class INTEGER, file BLOB, source BLOB);
"""
_SORT = """
INSERT INTO images (class, file, source) SELECT class, file, source FROM found
WHERE length(file) > 0 ORDER BY class, folder, rowid;
DROP TABLE found;
"""


@dataclass(frozen=True, slots=True)
class SourcedImage:
    """An image and its source: two images of one source may show the same moment."""

    path: Path
    source: str

    def from_other_source_than(self, other: SourcedImage) -> bool:
        """Return whether the two come from different sources.

        Two images of a person from one source make a pair only if there are no others.
        """
        return self.source != other.source


class Catalogue(Mapping[str, Sequence[SourcedImage]]):
    """The images of each class, by its name: numbered class by class, in natural order.

    ``rows`` is the database, for questions of one's own: images (number, class, file, source), where class is the
    number of the name in ``numbers``. Example::

        with Catalogue.of_folders(Path("faces")) as images:
            {name: len(some) for name, some in images.items()}
    """

    def __init__(self, root: Path | str, entries: Iterable[tuple[str, int, str, str]]) -> None:
        """Make it of ``entries``: class, place of its folder, path below ``root``, source."""
        self.root = root
        self.rows = sqlite3.connect("")  # a file that SQLite removes when it is closed
        self.rows.executescript(_TABLES)
        numbers = self.numbers = dict[str, int]()
        self.rows.executemany(
            "INSERT INTO found VALUES (?, ?, ?, ?)",
            (
                (numbers.setdefault(name, len(numbers)), folder, os.fsencode(file), os.fsencode(source))
                for name, folder, file, source in entries
            ),
        )
        self.rows.executescript(_SORT)
        counts = dict(self.rows.execute("SELECT class, count(*) FROM images GROUP BY class"))
        self.classes = [name for name, number in numbers.items() if counts.get(number)]
        self._spans: dict[str, range] = {}
        first = 1
        for name, number in numbers.items():
            self._spans[name] = range(first, first + counts.get(number, 0))
            first += counts.get(number, 0)

    @classmethod
    def of_folders(cls, root: Path | str, pool: Pool | None = None) -> Self:
        """List the class folders in ``root``, a path or an address; ``pool`` does it. The manifest tells the sources.

        Raises FacesecureError if no folder has an image.
        """
        names = folder_names(root)
        found = cls(root, _listed(root, names, pool or ThisProcess()))
        if not len(found):
            found.close()
            raise FacesecureError(
                f"{root} has no sub-folder with images in it", "give each class a folder there: OUTPUT/alice/1.jpg, ..."
            )
        found.read_sources()
        return found

    def paths(self) -> Iterator[tuple[int, str]]:
        """Yield the number of each image and its path below the root, in order."""
        after = 0
        while page := self.rows.execute(
            "SELECT number, file FROM images WHERE number > ? ORDER BY number LIMIT ?", (after, _PAGE)
        ).fetchall():
            after = page[-1][0]
            yield from ((number, os.fsdecode(file)) for number, file in page)

    def image(self, number: int) -> SourcedImage:
        """Return the image of that number."""
        file, source = self.rows.execute("SELECT file, source FROM images WHERE number = ?", (number,)).fetchone()
        return SourcedImage(Path(self.root, os.fsdecode(file)), os.fsdecode(source))

    def close(self) -> None:
        """Remove the database."""
        self.rows.close()

    def __enter__(self) -> Self:
        """Return this catalogue."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the database."""
        self.close()

    def __getitem__(self, name: str) -> Sequence[SourcedImage]:
        return _Images(self, self._spans[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    def read_sources(self) -> None:
        """Set the source of each image to what the manifest says it was extracted from."""
        if is_remote(self.root) or not Path(self.root, MANIFEST).is_file():
            return
        self.rows.execute("CREATE UNIQUE INDEX by_file ON images (file)")
        for rows in manifest.partitions(Path(self.root, MANIFEST), ["file", "source"]):
            changes = [(os.fsencode(row["source"]), os.fsencode(row["file"])) for row in rows]
            self.rows.executemany("UPDATE images SET source = ? WHERE file = ?", changes)


class _Images(Sequence[SourcedImage]):
    """The images of one class, read when they are asked for."""

    def __init__(self, catalogue: Catalogue, span: range) -> None:
        self._catalogue, self._span = catalogue, span

    def __len__(self) -> int:
        return len(self._span)

    @overload
    def __getitem__(self, index: int) -> SourcedImage: ...
    @overload
    def __getitem__(self, index: slice) -> list[SourcedImage]: ...
    def __getitem__(self, index: int | slice) -> SourcedImage | list[SourcedImage]:
        if isinstance(index, slice):
            return [self._catalogue.image(number) for number in self._span[index]]
        return self._catalogue.image(self._span[index])


def _listed(root: Path | str, names: Sequence[str], pool: Pool) -> Iterator[tuple[str, int, str, str]]:
    place = {name: number for number, name in enumerate(names)}
    for name in names:  # so that the classes are numbered in their order, whichever is listed first
        yield class_name(name), place[name], "", ""
    for outcome in pool.map(images_in, str(absolute(root)), names, chunk=8):
        if outcome.result is None:
            raise FacesecureError(f"{outcome.item} cannot be listed: {outcome.lost}", "run the command again")
        for file in outcome.result:
            yield class_name(outcome.item), place[outcome.item], file, file
