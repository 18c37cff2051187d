"""The images of a data set in a temporary database on the disk, so that memory does not grow with their number.

``folders.ClassFolder`` keeps the names in memory, which training needs; statistics and pairs read them from here.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError
from facesecure.services.bulk.pool import Pool, ThisProcess
from facesecure_training.common.photos import class_name
from facesecure_training.datasets import manifest
from facesecure_training.datasets.folders import MANIFEST
from facesecure_training.datasets.listing import folder_names, images_in
from facesecure_training.datasets.location import absolute, is_remote

_PAGE = 1000
_RECENT = 1024
"""Classes whose numbers are remembered while the images are read: they come class by class, more or less."""
_TABLES = """
PRAGMA temp_store = FILE;
CREATE TABLE classes (number INTEGER PRIMARY KEY, name BLOB UNIQUE);
CREATE TABLE found (class INTEGER, folder INTEGER, file BLOB, source BLOB);
CREATE TABLE images (number INTEGER PRIMARY KEY, class INTEGER, file BLOB, source BLOB);
CREATE TABLE spans (class INTEGER PRIMARY KEY, first INTEGER, count INTEGER);
CREATE TABLE ranks (rank INTEGER PRIMARY KEY, class INTEGER);
"""
_SORT = """
INSERT INTO images (class, file, source) SELECT class, file, source FROM found
WHERE length(file) > 0 ORDER BY class, folder, rowid;
DROP TABLE found;
INSERT INTO spans SELECT class, min(number), count(*) FROM images GROUP BY class ORDER BY class;
INSERT INTO ranks SELECT row_number() OVER (ORDER BY name) - 1, number FROM classes JOIN spans ON class = number;
"""
_CLASS = "SELECT class, name, first, count FROM spans JOIN classes ON number = class"


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

    ``rows`` is the database, for questions of one's own: images (number, class, file, source), where class is what
    ``number`` returns for its name. Example::

        with Catalogue.of_folders(Path("faces")) as images:
            {name: len(some) for name, some in images.items()}
    """

    def __init__(self, root: Path | str, entries: Iterable[tuple[str, int, str, str]]) -> None:
        """Make it of ``entries``: class, place of its folder, path below ``root``, source."""
        self.root = root
        self.rows = sqlite3.connect("")  # a file that SQLite removes when it is closed
        self.rows.executescript(_TABLES)
        numbered = lru_cache(_RECENT)(self._numbered)
        self.rows.executemany(
            "INSERT INTO found VALUES (?, ?, ?, ?)",
            (
                (numbered(name), folder, os.fsencode(file), os.fsencode(source))
                for name, folder, file, source in entries
            ),
        )
        self.rows.executescript(_SORT)
        self._count = int(self.rows.execute("SELECT count(*) FROM spans").fetchone()[0])

    @classmethod
    def of_folders(cls, root: Path | str, pool: Pool | None = None) -> Self:
        """List the class folders in ``root``, a path or an address; ``pool`` does it. The manifest tells the sources.

        Raises FacesecureError if no folder has an image, or if one cannot be listed.
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

    def number(self, name: str) -> int:
        """Return the number of a class. Raises KeyError."""
        return int(self._class("name = ?", _key(name), name)[0])

    def empty(self) -> list[str]:
        """Return the classes without an image, in their order."""
        found = self.rows.execute(
            "SELECT name FROM classes WHERE number NOT IN (SELECT class FROM spans) ORDER BY number"
        )
        return [_name(name) for (name,) in found]

    def sizes(self) -> NDArray[np.int64]:
        """Return the number of images of each class, sorted by the names of the classes."""
        found = self.rows.execute("SELECT count FROM ranks JOIN spans USING (class) ORDER BY rank")
        return np.fromiter((count for (count,) in found), np.int64)

    def ranked(self, rank: int) -> tuple[str, Sequence[SourcedImage]]:
        """Return the class at a place among all, sorted by their names, and its images."""
        _, name, first, count = self._class("class = (SELECT class FROM ranks WHERE rank = ?)", rank, rank)
        return _name(name), _Images(self, range(first, first + count))

    def _class(self, where: str, value: bytes | int, key: object) -> tuple[int, bytes, int, int]:
        row: tuple[int, bytes, int, int] | None = self.rows.execute(f"{_CLASS} WHERE {where}", (value,)).fetchone()
        if row is None:
            raise KeyError(key)
        return row

    def _numbered(self, name: str) -> int:
        """Return the number of a class, a new one if it is new."""
        self.rows.execute("INSERT OR IGNORE INTO classes (name) VALUES (?)", (_key(name),))
        return int(self.rows.execute("SELECT number FROM classes WHERE name = ?", (_key(name),)).fetchone()[0])

    def __getitem__(self, name: str) -> Sequence[SourcedImage]:
        _, _, first, count = self._class("name = ?", _key(name), name)
        return _Images(self, range(first, first + count))

    def __iter__(self) -> Iterator[str]:
        after = 0
        while page := self.rows.execute(f"{_CLASS} WHERE class > ? ORDER BY class LIMIT ?", (after, _PAGE)).fetchall():
            after = page[-1][0]
            yield from (_name(name) for _, name, _, _ in page)

    def __len__(self) -> int:
        return self._count

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


def _key(name: str) -> bytes:
    """Return the name of a class as bytes, which are sorted as names are."""
    return name.encode("utf-8", "surrogatepass")


def _name(key: bytes) -> str:
    return key.decode("utf-8", "surrogatepass")


def _listed(root: Path | str, names: Sequence[str], pool: Pool) -> Iterator[tuple[str, int, str, str]]:
    for place, name in enumerate(names):  # so that the classes are numbered in their order, whichever is listed first
        yield class_name(name), place, "", ""
    for outcome in pool.map(placed_images_in, str(absolute(root)), enumerate(names), chunk=8):
        place, name = outcome.item
        if outcome.result is None:
            raise FacesecureError(f"{name} cannot be listed: {outcome.lost}", "run the command again")
        for file in outcome.result:
            yield class_name(name), place, file, file


def placed_images_in(root: str, folder: tuple[int, str]) -> list[str]:
    """Return the images of the second of ``folder``, the first being its place; for ``services.bulk``.

    Raises FacesecureError if it cannot be listed.
    """
    return images_in(root, folder[1])
