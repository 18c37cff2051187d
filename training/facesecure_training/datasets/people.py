"""Whose picture is whose: from class folders, or from a list as CelebA has it."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facesecure.domain.errors import FacesecureError
from facesecure_training.datasets.folders import ClassFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourcedImage:
    """A picture, and what it was taken from: two of one source may show the same moment."""

    path: Path
    source: str

    def from_other_source_than(self, other: SourcedImage) -> bool:
        """Not of one source. One person's two shots that are not make no pair while there are some that do."""
        return self.source != other.source


People = Mapping[str, Sequence[SourcedImage]]
"""The pictures of each person, by name."""


def from_folders(images: Path) -> People:
    """One person a class folder. Raises FacesecureError if there is none."""
    return people_in(ClassFolder.read(images))


def people_in(folder: ClassFolder) -> People:
    """One person a class of ``folder`` that has pictures in it; in a part of a split not all have."""
    people: dict[str, list[SourcedImage]] = {}
    for path, label, source in zip(folder.files, folder.labels, folder.sources, strict=True):
        people.setdefault(folder.classes[label], []).append(SourcedImage(path, source))
    return people


def from_identities(path: Path, images: Path) -> People:
    """From a list of pictures below ``images`` and whose they are: ``000001.jpg 2880`` a line, or CSV with a header.

    The first is the form of CelebA's ``identity_CelebA.txt``. Pictures that are not there are left out, with a warning.
    Raises FacesecureError if it is no such list, or none is there.
    """
    people: dict[str, list[SourcedImage]] = {}
    missing = 0
    for name, identity in _entries(path):
        file = images / name
        if file.is_file():
            people.setdefault(identity, []).append(SourcedImage(file, name))
        else:
            missing += 1
    if not people:
        raise FacesecureError(
            f"none of the {missing} pictures of {path} is in {images}", "give the folder that they lie in by -d"
        )
    if missing:
        log.warning("%d pictures of %s are not in %s and are left out", missing, path, images)
    return people


def _entries(path: Path) -> Iterable[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise _no_list(path, 1) from None
    is_csv = bool(lines) and "," in lines[0]
    rows = list(csv.reader(lines)) if is_csv else [line.split() for line in lines]
    for number, row in enumerate(rows, 1):
        if is_csv and number == 1 and "." not in row[0]:
            continue  # the header
        if row and len(row) != 2:
            raise _no_list(path, number)
        if row:
            yield row[0], row[1]


def _no_list(path: Path, line: int) -> FacesecureError:
    return FacesecureError(
        f"{path}, line {line}, does not name a picture and a person", "each line is like: 000001.jpg 2880"
    )
