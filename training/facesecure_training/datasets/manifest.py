"""The manifest of an extraction: one row per face, in Parquet, beside the class folders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from facesecure.domain import Face, Quality
from facesecure.domain.errors import FacesecureError
from facesecure_training.datasets.folders import MANIFEST

ManifestRow = dict[str, Any]
_GROUP = 2000
"""Rows of a partition (a row group): what is in memory at once, of a file of any length."""
_QUALITY = ("eye_distance", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "confidence", "clarity")


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
    count = 0
    with parquet.ParquetWriter(scratch, form, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema=form))
            count += len(group)
    scratch.replace(folder / MANIFEST)
    return count


def read(folder: Path) -> list[ManifestRow]:
    """Return the rows of the manifest in ``folder``. Raises FacesecureError if there is none, or it is damaged."""
    return [row for rows in partitions(folder / MANIFEST) for row in rows]


def partitions(path: Path, columns: Sequence[str] | None = None) -> Iterator[list[ManifestRow]]:
    """Yield the rows of a manifest, partition by partition; of them ``columns``, or all.

    Raises FacesecureError if it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_GROUP, columns=columns, use_threads=False):
                yield batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise FacesecureError(
            f"{path} cannot be read ({str(error).splitlines()[0]})", "run `facesecure-train dataset extract` again"
        ) from None


def _groups(rows: Iterable[ManifestRow]) -> Iterator[list[ManifestRow]]:
    waiting = iter(rows)
    while group := list(islice(waiting, _GROUP)):
        yield group
