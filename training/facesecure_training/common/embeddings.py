"""The photos that are evaluated, by person and in pairs, as lists and folders name them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facesecure.camera.sources.images import EXTENSIONS
from facesecure.domain.errors import UsageError
from facesecure.util.paths import named, read_text
from facesecure_training.common.optional_dependencies import parquet
from facesecure_training.common.photos import class_name, photos_in

_COLUMNS = "it needs the columns first,second,same"


@dataclass(frozen=True, slots=True)
class NamedPair:
    """Two photos by name, and whether they show the same person."""

    first: str
    second: str
    same: bool


def read_pairs(path: Path, limit: int | None = None) -> list[NamedPair]:
    """Return the pairs listed in ``path``: CSV or, by its suffix, Parquet.

    The columns are first, second and same (1 or 0), or different (0 or 1) as ``dataset pairs`` writes it. ``limit``
    keeps that many, evenly spaced. Raises UsageError if the file has another form; FacesecureError for Parquet without
    pyarrow.
    """
    try:
        pairs = [_pair(row, f"line {line}") for line, row in _rows(path)]
    except OSError as error:
        raise UsageError(f"cannot read pairs from {path}: {error.strerror or error}") from error
    except (ValueError, csv.Error) as error:
        reason = (str(error).splitlines() or ["?"])[0]
        raise UsageError(f"{path} is not a list of pairs ({reason})", _COLUMNS) from error
    if not pairs:
        raise UsageError(f"{path} lists no pairs", _COLUMNS)
    step = max(1.0, len(pairs) / limit) if limit else 1.0
    return [pairs[int(number * step)] for number in range(int(len(pairs) / step))]


def _rows(path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Yield the rows with their lines; those of Parquet are counted from 1."""
    if path.suffix == ".parquet":
        rows: list[Mapping[str, Any]] = parquet().read_table(path).to_pylist()
        yield from enumerate(rows, 1)
        return
    table = csv.DictReader(io.StringIO(read_text(path, "surrogateescape")))
    for row in table:
        yield table.line_num, row


def _pair(row: Mapping[str, Any], line: str) -> NamedPair:
    """Return the pair of a row. Raises ValueError with the line and the column that is wrong."""
    return NamedPair(_cell(row, "first", line), _cell(row, "second", line), _same(row, line))


def _cell(row: Mapping[str, Any], column: str, line: str) -> str:
    """Return what a row has in a column. Raises ValueError if that is nothing."""
    if column not in row:
        raise ValueError(f"there is no column {column}")
    if row[column] in (None, ""):
        raise ValueError(f"{line} has no {column}")
    return str(row[column])


def _same(row: Mapping[str, Any], line: str) -> bool:
    """Read the answer of a row, text or number."""
    name = "same" if "same" in row else "different"
    if name not in row:
        raise ValueError("there is no column same or different")
    if row[name] is None:
        raise ValueError(f"{line} has no {name}")
    try:
        return {1: True, 0: False}[int(row[name])] is (name == "same")
    except (KeyError, ValueError, TypeError):
        raise ValueError(f"{line}: {name} is {row[name]!r}, neither 1 nor 0") from None


def photo_path(images: Path, name: str) -> Path:
    """Return the path of the photo ``name``: a path below ``images``, or a name in LFW's layout.

    In LFW's layout Ann_Lee_0002 is images/Ann_Lee/Ann_Lee_0002.jpg.
    """
    if Path(name).suffix.lower() in EXTENSIONS:
        return named(images, name)
    folder = named(images, name.rsplit("_", 1)[0])
    others = (named(folder, f"{name}{ending}") for ending in sorted(EXTENSIONS))
    usual = named(folder, f"{name}.jpg")
    return usual if usual.is_file() else next((photo for photo in others if photo.is_file()), usual)


def photos_by_person(images: Path) -> dict[str, list[Path]]:
    """Return each person's photos in ``images``.

    The folder has LFW's layout, or holds all photos with identities.csv (image,identity) beside it. Raises UsageError
    if there are none.
    """
    listed = images.parent / "identities.csv"
    people = _listed(images, listed) if listed.is_file() else _in_folders(images)
    found = {name: photos for name, photos in people.items() if photos}
    if not found:
        raise UsageError(
            f"there are no photos in {images}", "it needs one folder per person, with that person's photos"
        )
    return found


def _in_folders(images: Path) -> dict[str, list[Path]]:
    people: dict[str, list[Path]] = {}
    for folder in sorted(images.glob("*")):
        if folder.is_dir():
            people.setdefault(class_name(folder.name), []).extend(photos_in(folder))
    return people


def _listed(images: Path, identities: Path) -> dict[str, list[Path]]:
    people: dict[str, list[Path]] = {}
    try:
        table = csv.DictReader(io.StringIO(read_text(identities, "surrogateescape")))
        for row in table:
            image, identity = (_cell(row, column, f"line {table.line_num}") for column in ("image", "identity"))
            people.setdefault(class_name(identity), []).append(named(images, image))
    except (ValueError, csv.Error) as error:
        raise UsageError(
            f"{identities} is not a list of identities ({error})", "it needs the columns image,identity"
        ) from error
    return people
