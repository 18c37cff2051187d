"""How the images of a data set were cropped, by its manifest, and which classifiers the daemon runs on such crops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from facesecure.domain.errors import UsageError
from facesecure.vision.images.align import CROP, SIZE
from facesecure_training.datasets.folders import MANIFEST
from facesecure_training.datasets.manifest import unreadable


def extraction_of(folder: Path) -> dict[str, Any]:
    """Return the settings that the images in ``folder`` were extracted with; nothing where no manifest records them.

    Raises FacesecureError if the manifest cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    import pyarrow.parquet as parquet
    from pyarrow import ArrowException

    try:
        metadata = parquet.read_schema(path).metadata or {}
        return dict(json.loads(metadata.get(b"facesecure.extract", b"{}")))
    except (ArrowException, OSError, TypeError, ValueError) as error:
        raise unreadable(path, str(error).splitlines()[0]) from None


def aligned(extraction: dict[str, Any]) -> bool:
    """Return whether ``extraction`` says that the faces were aligned by their landmarks."""
    return bool(extraction.get("crop", CROP) != CROP)


def require_aligned_size(side: int) -> None:
    """Raise UsageError if a classifier of aligned faces takes ``side`` pixels, and the daemon's have others."""
    if side != SIZE:
        raise UsageError(
            f"a classifier of aligned faces takes {SIZE}x{SIZE} pixels, and this one {side}x{side}",
            f"train it with --size {SIZE}, or on other crops: "
            f"facesecure-train dataset extract --crop square --size {side}",
        )
