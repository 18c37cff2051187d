"""The images of each person: from class folders, or from a list as CelebA has it."""

from __future__ import annotations

import csv
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError
from facesecure.services.bulk.pool import Pool
from facesecure.util.paths import named, read_text
from facesecure_training.common.photos import class_name
from facesecure_training.datasets.catalogue import Catalogue, SourcedImage
from facesecure_training.datasets.folders import ClassFolder

log = logging.getLogger(__name__)


People = Mapping[str, Sequence[SourcedImage]]
"""The images of each person, by name."""


class Ranked(Protocol):
    """People in the order of their names, each by its place there: so that no names of a million are in memory."""

    def sizes(self) -> NDArray[np.int64]:
        """Return the number of images of each."""

    def ranked(self, rank: int) -> tuple[str, Sequence[SourcedImage]]:
        """Return the name of one, and the images."""


class Sorted:
    """``Ranked`` people of a mapping, whose names are in memory anyway."""

    def __init__(self, people: People) -> None:
        self._people, self._names = people, sorted(people)

    def sizes(self) -> NDArray[np.int64]:
        """Return the number of images of each."""
        return np.array([len(self._people[name]) for name in self._names], np.int64)

    def ranked(self, rank: int) -> tuple[str, Sequence[SourcedImage]]:
        """Return the name of one, and the images."""
        name = self._names[rank]
        return name, self._people[name]


def from_folders(images: Path | str, pool: Pool | None = None) -> Catalogue:
    """Return one person per class folder in ``images``, a path or an address. Raises FacesecureError if there is none.

    ``pool`` lists the folders.
    """
    return Catalogue.of_folders(images, pool)


def people_in(folder: ClassFolder) -> People:
    """Return one person per class of ``folder`` that has images; in a part of a split some classes have none."""
    people: dict[str, list[SourcedImage]] = {}
    for path, label, source in zip(folder.files, folder.labels, folder.sources, strict=True):
        people.setdefault(folder.classes[label], []).append(SourcedImage(path, source))
    return people


def from_identities(path: Path, images: Path) -> Catalogue:
    """Read a list of images below ``images`` and their people: ``000001.jpg 2880`` per line, or CSV with a header.

    The first form is that of CelebA's ``identity_CelebA.txt``; a tab may stand for the space. Missing images are left
    out with a warning, and a line that is there again. Raises FacesecureError if the file has another form, names an
    image outside ``images``, gives one image to two people, or none of its images exists.
    """
    missing = 0

    def present() -> Iterator[tuple[str, int, str, str]]:
        nonlocal missing
        with closing(_Seen(path)) as seen:
            for line, written, identity in _entries(path):
                name = _below(images, written, f"{path}, line {line},")
                file = named(images, name)
                if file.is_file():
                    if seen.is_new(line, file, class_name(identity)):
                        yield class_name(identity), 0, str(file), name
                elif " " in name:  # rather a list of another form than a missing image
                    raise _no_list(path, line)
                else:
                    missing += 1

    people = Catalogue(Path(), present())
    if not people:
        raise FacesecureError(
            f"none of the {missing} images of {path} is in {images}", "give the folder they are in with -d"
        )
    if missing:
        log.warning("%d images of %s are not in %s and are left out", missing, path, images)
    return people


def _below(images: Path, written: str, where: str) -> str:
    """Return the shortest path below ``images`` of an image as a list names it. Raises FacesecureError if it is none.

    Files are called after it, and must not leave the folder of their class.
    """
    name = os.path.relpath(images / written, images)
    if name.split(os.sep, 1)[0] == os.pardir:
        raise FacesecureError(
            f"{where} names {written}, which is not in {images}", "give the folder that holds all of them with -d"
        )
    return name


class _Seen:
    """The images of a list so far, on the disk, so that memory does not grow with a list of millions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = sqlite3.connect("")  # a file that SQLite removes when it is closed
        self._rows.execute("CREATE TABLE seen (image BLOB PRIMARY KEY, person TEXT, line INTEGER) WITHOUT ROWID")

    def close(self) -> None:
        """Remove the images from the disk."""
        self._rows.close()

    def is_new(self, line: int, file: Path, person: str) -> bool:
        """Return whether no earlier line names the image. Raises FacesecureError if one gives it to another person."""
        key = os.fsencode(os.path.normpath(file))
        added = self._rows.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, person, line)).rowcount
        if added:
            return True
        before, first = self._rows.execute("SELECT person, line FROM seen WHERE image = ?", (key,)).fetchone()
        if before != person:
            raise FacesecureError(
                f"{self._path}, line {line}, says that {file.name} shows {person}, and line {first} that it "
                f"shows {before}",
                "leave out the line that is wrong",
            )
        return False


def _entries(path: Path) -> Iterable[tuple[int, str, str]]:
    try:
        text = read_text(path, "surrogateescape")
    except UnicodeDecodeError:
        raise _no_list(path, 1) from None
    is_csv = "," in text.split("\n", 1)[0]
    rows = _csv_rows(path, text) if is_csv else enumerate(map(_columns, _lines(text)), 1)
    for number, row in rows:
        if not any(row) or (is_csv and number == 1 and "." not in row[0]):
            continue  # an empty line, or the header
        if len(row) != 2 or not all(row):
            raise _no_list(path, number)
        yield number, row[0], row[1]


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its first line. Raises FacesecureError, as for a quote that never ends."""
    reader, number = csv.reader(_lines(text)), 1
    try:
        for row in reader:
            yield number, row
            number = reader.line_num + 1
    except csv.Error:
        raise _no_list(path, number) from None


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of ``text`` one by one: all at once would take ten times its memory."""
    begin = 0
    while (end := text.find("\n", begin)) >= 0:
        yield text[begin:end]
        begin = end + 1
    yield text[begin:]


def _columns(line: str) -> list[str]:
    """Return the columns of ``line``: at its tabs, or else the person after the last space, and the image before it.

    A file name may hold any spaces; screenshots of macOS have U+202F in theirs.
    """
    columns = line.split("\t") if "\t" in line else line.strip(" ").rsplit(" ", 1)
    return [column.strip(" ") for column in columns] if any(columns) else []


def _no_list(path: Path, line: int) -> FacesecureError:
    return FacesecureError(
        f"{path}, line {line}, does not name an image and a person", "each line looks like: 000001.jpg 2880"
    )
