"""The manifest of an extraction: one row per face, in Parquet, beside the class folders."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from facesecure.domain import Face, Quality
from facesecure.domain.errors import FacesecureError
from facesecure_training.datasets.folders import MANIFEST

ManifestRow = dict[str, Any]
_BATCH = 2000
"""Rows that are in memory as values of Python at once."""
_EQUAL, _GROWING, _LARGEST = 100, 25, 4
"""Partitions (row groups) of one batch at first, partitions until the next are twice as large, and the most batches.

Parquet keeps some 45 kB about each partition in memory until the file is complete, and some 1 kB of each row until its
partition is written.
"""
_QUALITY = ("eye_distance", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "confidence", "clarity")

_NEEDED: Mapping[str, type] = {"file": str, "class": str, "source": str, "reasons": list}
"""Columns that no row may leave empty; a figure may be missing."""


def face_columns(face: Face, quality: Quality) -> ManifestRow:
    """Return the columns of a face: where it was found, in pixels of its frame, and its quality."""
    box = face.box
    return {
        "left": box.left,
        "top": box.top,
        "right": box.right,
        "bottom": box.bottom,
        "landmarks": [float(value) for value in face.landmarks.ravel()],
        **{name: float(getattr(quality, name)) for name in _QUALITY},
        "reasons": list(quality.reasons),
    }


def schema() -> Any:
    """Return the columns.

    ``file``, ``class`` and ``source`` are paths below the output and the source folder; ``frame`` counts the source's
    frames and ``time`` its seconds, from 0; ``face`` counts the faces kept of that frame, ``track`` the faces followed
    through a video (null for photos). Box and ``landmarks`` (x, y five times) are pixels of the frame. The rest is the
    daemon's rating, ``facesecure.domain.types.Quality``; ``reasons`` is empty for a face that the daemon would use.
    """
    import pyarrow as pa

    text, whole, real = pa.string(), pa.int32(), pa.float32()
    return pa.schema(
        [("file", text), ("class", text), ("source", text), ("kind", text), ("frame", whole), ("time", pa.float64())]
        + [("face", whole), ("track", whole), ("width", whole), ("height", whole)]
        + [(side, real) for side in ("left", "top", "right", "bottom")]
        + [("landmarks", pa.list_(real, 10))]
        + [(name, real) for name in _QUALITY]
        + [("reasons", pa.list_(text))]
    )


def write(folder: Path, rows: Iterable[ManifestRow], settings: Mapping[str, Any]) -> int:
    """Write all rows, in order and in bounded memory, and return their number.

    The file is replaced when it is complete.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    form = schema().with_metadata({"facesecure.extract": json.dumps(settings, sort_keys=True)})
    scratch = folder / f".{MANIFEST}.part"
    batches = (pa.RecordBatch.from_pylist(some, schema=form) for some in _batches(rows))
    count = 0
    with parquet.ParquetWriter(scratch, form, compression="zstd") as writer:
        for number in itertools.count():
            group = list(islice(batches, _batches_of(number)))
            if not group:
                break
            writer.write_table(pa.Table.from_batches(group, schema=form))
            count += sum(map(len, group))
    scratch.replace(folder / MANIFEST)
    return count


def read(folder: Path) -> list[ManifestRow]:
    """Return the rows of the manifest in ``folder``. Raises FacesecureError if there is none, or it is damaged."""
    return [row for rows in partitions(folder / MANIFEST) for row in rows]


def partitions(path: Path, columns: Sequence[str] | None = None) -> Iterator[list[ManifestRow]]:
    """Yield the rows of a manifest, partition by partition; of them ``columns``, or all.

    Raises FacesecureError if it cannot be read, lacks one of ``columns``, or has a row without a name that it needs.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(path) as file:
            _refuse_lacking(path, columns or (), file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH, columns=columns, use_threads=False):
                rows = batch.to_pylist()
                _refuse_empty(path, rows)
                yield rows
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, str(error).splitlines()[0]) from None


def _refuse_lacking(path: Path, columns: Sequence[str], there: Sequence[str]) -> None:
    """Raise FacesecureError if a column is not there: pyarrow itself would leave it out without a word."""
    for name in columns:
        if name not in there:
            raise unreadable(path, f"it has no column {name}")


def _refuse_empty(path: Path, rows: Sequence[ManifestRow]) -> None:
    for name, kind in _NEEDED.items():
        if rows and name in rows[0] and not all(isinstance(row[name], kind) for row in rows):
            raise unreadable(path, f"a row has no {name}")


def unreadable(path: Path, why: str) -> FacesecureError:
    """Return the error of a manifest that cannot be read."""
    return FacesecureError(f"{path} cannot be read ({why})", "run `facesecure-train dataset extract` again")


def _batches(rows: Iterable[ManifestRow]) -> Iterator[list[ManifestRow]]:
    waiting = iter(rows)
    while some := list(islice(waiting, _BATCH)):
        yield some


def _batches_of(group: int) -> int:
    """Return how many batches the row group with that number (from 0) has."""
    return min(_LARGEST, 1 << max(0, (group - _EQUAL) // _GROWING + 1)) if group >= _EQUAL else 1
